// The field names that somebody here looks at, found without a search. Inside proxy/http only.
#pragma once

#include <cstdint>
#include <string_view>

#include "proxy/http/message.h"

namespace http {

inline constexpr size_t kFieldIds = static_cast<size_t>(FieldId::proxy_authorization) + 1;

struct KnownName {
  FieldId id = FieldId::other;
  bool hop_by_hop = false;  // whatever Connection says
};
KnownName known_name(std::string_view name);

// Fields that being named by Connection does not remove: those of framing and routing, and those
// that we set.
bool is_kept_when_named(FieldId id);

}  // namespace http

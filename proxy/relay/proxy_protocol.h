// The header that a balancer in front puts before a connection's own bytes to say who its client
// is: PROXY protocol v1 (a text line) and v2 (binary). Pure; knows neither streams nor trust.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "proxy/base/address.h"

namespace relay {

inline constexpr size_t kProxyV1BytesMax = 107;  // with its CR LF
inline constexpr size_t kProxyV2BytesMax = 536;  // with its 16 fixed bytes and all TLVs

struct ProxyHeader {
  enum class State {
    incomplete,  // so far it may become one: ask again with more
    complete,
    faulty,  // it cannot become one: close
  };
  State state = State::incomplete;
  size_t bytes = 0;  // of the header, when complete
  // Nothing: the connection speaks for itself (LOCAL, UNKNOWN, UNSPEC).
  std::optional<base::Address> client;
};

// `bytes`: everything since the connection began. A fault shows with the first byte that is wrong
// where the form is fixed, and at the limits above at the latest.
ProxyHeader read_proxy_header(std::string_view bytes);

}  // namespace relay

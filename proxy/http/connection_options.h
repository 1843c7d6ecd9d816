// The Connection field, taken apart by ourselves (RFC 9110 7.6.1). Inside proxy/http only.
#pragma once

#include <string_view>

#include "proxy/http/bytes.h"
#include "proxy/http/message.h"

namespace http {

// More than this in one head is refused: each option is compared with each field.
inline constexpr int kConnectionOptionsMax = 100;

struct ConnectionOptions {
  bool close = false;
  bool keep_alive = false;
  bool upgrade = false;
  int others = 0;  // names of fields
};

// Reads one value: a list of tokens, in which empty elements are passed over. `name_field` is
// called with each option that may be a field's name. False: no such list, or too many options.
template <class NameField>
bool read_connection(std::string_view value, ConnectionOptions& options, NameField name_field) {
  for (;;) {
    const size_t comma = value.find(',');
    const std::string_view option = trim(value.substr(0, comma));
    if (!all_are(kTokenByte, option)) return false;
    if (option.empty()) {
      // Nothing.
    } else if (equal_ignoring_case(option, "close")) {
      options.close = true;
    } else if (equal_ignoring_case(option, "keep-alive")) {
      options.keep_alive = true;
    } else if (equal_ignoring_case(option, "upgrade")) {
      options.upgrade = true;
    } else {
      if (++options.others > kConnectionOptionsMax) return false;
      name_field(option);
    }
    if (comma == std::string_view::npos) return true;
    value.remove_prefix(comma + 1);
  }
}

}  // namespace http

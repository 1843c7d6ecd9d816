// The signed cookie that keeps a user on a color.
// Text: 1.COLOR.NONCE.TIME.EPOCH.HOME.MAC: nonce 16 hex digits, time (Unix seconds) and epoch in
// hex, HOME a color or "-", MAC 22 characters of base64url over all before its dot.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/mac.h"
#include "proxy/routing/routing_table.h"

namespace routing {

struct Affinity {
  ColorIndex color = kNoColor;
  uint64_t nonce = 0;
  uint64_t issued = 0;         // Unix seconds
  uint64_t epoch = 0;          // of issue
  ColorIndex home = kNoColor;  // where the user belongs while that color is down
};

// One per worker and set of keys.
class AffinitySigner {
 public:
  explicit AffinitySigner(const std::vector<base::Key>& keys);
  // Replaces `out`.
  void write(const Affinity& affinity, const RoutingTable& table, std::string& out);
  // Nothing: a wrong MAC, an unknown key, an unknown color, any other shape, time in the future by
  // more than a day. An unknown home alone is forgotten, not faulted.
  std::optional<Affinity> read(std::string_view text, const RoutingTable& table, uint64_t now_s);

 private:
  std::vector<base::Mac> macs_;
};

// The whole Set-Cookie value: NAME=TEXT; Path=/; HttpOnly; SameSite=Lax[; Secure]. Replaces `out`.
void write_set_cookie(std::string_view name, std::string_view text, bool secure, std::string& out);

// The value of a cookie in a Cookie field, if it is there. The first of that name.
std::optional<std::string_view> find_cookie(std::string_view cookie_field, std::string_view name);
// The value of a parameter in a query string, undecoded.
std::optional<std::string_view> find_parameter(std::string_view query, std::string_view name);

}  // namespace routing

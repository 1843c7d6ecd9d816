// Who has signed in at the page: random tokens in memory, of which only the SHA-256 is kept. A
// restart signs everybody out. Any thread.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/base/clock.h"

namespace f29 {

inline constexpr const char* kSessionCookie = "f29_session";

struct Session {
  std::string user;
  std::string csrf;  // to be sent as X-CSRF-Token with whatever changes something
  base::WallTime expires;
};

class Sessions {
 public:
  static constexpr std::chrono::hours kLife{12};
  static constexpr size_t kMost = 1'000;  // the one that ends first makes room

  // The token for the cookie.
  std::string open(const std::string& user, base::WallTime now);
  std::optional<Session> find(std::string_view token, base::WallTime now);
  void close(std::string_view token);
  size_t size();

 private:
  std::mutex mutex_;
  std::map<std::string, Session> by_digest_;
};

// The value of one cookie in a Cookie field; empty: it is not there.
std::string cookie_of(std::string_view field, std::string_view name);

}  // namespace f29

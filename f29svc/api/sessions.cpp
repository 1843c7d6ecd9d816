#include "f29svc/api/sessions.h"

#include <algorithm>

#include "f29svc/api/api_keys.h"
#include "proxy/base/mac.h"

namespace f29 {

std::string Sessions::open(const std::string& user, base::WallTime now) {
  std::string token = new_api_key();
  const std::lock_guard lock(mutex_);
  std::erase_if(by_digest_, [&](const auto& one) { return one.second.expires <= now; });
  if (by_digest_.size() >= kMost) {
    by_digest_.erase(std::min_element(
        by_digest_.begin(), by_digest_.end(),
        [](const auto& a, const auto& b) { return a.second.expires < b.second.expires; }));
  }
  by_digest_[base::sha256_hex(token)] = {user, new_api_key(), now + kLife};
  return token;
}

std::optional<Session> Sessions::find(std::string_view token, base::WallTime now) {
  const std::lock_guard lock(mutex_);
  const auto found = by_digest_.find(base::sha256_hex(token));
  if (found == by_digest_.end() || found->second.expires <= now) return std::nullopt;
  return found->second;
}

void Sessions::close(std::string_view token) {
  const std::lock_guard lock(mutex_);
  by_digest_.erase(base::sha256_hex(token));
}

size_t Sessions::size() {
  const std::lock_guard lock(mutex_);
  return by_digest_.size();
}

std::string cookie_of(std::string_view field, std::string_view name) {
  while (!field.empty()) {
    const size_t end = std::min(field.find(';'), field.size());
    std::string_view pair = field.substr(0, end);
    field.remove_prefix(std::min(end + 1, field.size()));
    while (pair.starts_with(' ')) pair.remove_prefix(1);
    if (pair.size() > name.size() && pair.starts_with(name) && pair[name.size()] == '=') {
      return std::string(pair.substr(name.size() + 1));
    }
  }
  return {};
}

}  // namespace f29

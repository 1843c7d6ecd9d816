#include "shifter/control/force_tokens.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

#include "proxy/base/files.h"

namespace control {
namespace {

constexpr size_t kFileMax = 8 << 10;
constexpr size_t kTokensMax = 16;

// As a cookie's value may be (RFC 6265 4.1.1).
bool is_token(std::string_view text) {
  return text.size() >= 16 && text.size() <= 256 &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return c > ' ' && c < 0x7f &&
                  std::string_view("\",;\\").find(c) == std::string_view::npos;
         });
}

}  // namespace

base::Result<std::vector<std::string>> read_force_tokens(const std::string& path) {
  std::vector<std::string> tokens;
  if (path.empty() || (::access(path.c_str(), F_OK) != 0 && errno == ENOENT)) return tokens;
  const base::Result<std::string> text = base::read_file(path, kFileMax);
  if (!text) return tl::unexpected(text.error());
  std::string_view rest = *text;
  for (int number = 1; !rest.empty(); ++number) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    while (!line.empty() && (line.back() == ' ' || line.back() == '\r')) line.remove_suffix(1);
    if (line.empty() || line.front() == '#') continue;
    if (!is_token(line) || tokens.size() == kTokensMax) {
      return base::fail(base::ErrorCode::bad_config, base::Side::proxy,
                        path + ":" + std::to_string(number) +
                            (tokens.size() == kTokensMax
                                 ? ": more than 16 tokens"
                                 : ": a token is 16 to 256 characters, as a cookie may hold them"));
    }
    tokens.emplace_back(line);
  }
  return tokens;
}

}  // namespace control

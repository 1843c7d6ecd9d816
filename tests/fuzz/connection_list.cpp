// The Connection field: our reader finds what a plainer one finds.
#include <string>
#include <vector>

#include "proxy/http/connection_options.h"
#include "tests/fuzz/targets.h"

namespace {

struct Plain {
  bool is_list = true;
  std::vector<std::string> tokens;  // in small letters
};

Plain read_plainly(std::string_view text) {
  Plain plain;
  std::string token;
  bool ended = false;  // by white space
  for (size_t i = 0; i <= text.size(); ++i) {
    const char byte = i < text.size() ? text[i] : ',';
    if (byte == ',') {
      if (!token.empty()) plain.tokens.push_back(token);
      token.clear();
      ended = false;
    } else if (byte == ' ' || byte == '\t') {
      ended = !token.empty();
    } else if (ended || !http::is(http::kTokenByte, byte)) {
      plain.is_list = false;
    } else {
      token += static_cast<char>(byte >= 'A' && byte <= 'Z' ? byte + 32 : byte);
    }
  }
  return plain;
}

}  // namespace

int connection_list_one(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  http::ConnectionOptions options;
  size_t named = 0;
  const bool is_list = http::read_connection(text, options, [&](std::string_view) { ++named; });
  const Plain plain = read_plainly(text);
  size_t others = 0;
  size_t closes = 0;
  size_t upgrades = 0;
  for (const std::string& token : plain.tokens) {
    closes += token == "close";
    upgrades += token == "upgrade";
    others += token != "close" && token != "upgrade" && token != "keep-alive";
  }
  const bool too_many = others > static_cast<size_t>(http::kConnectionOptionsMax);
  if (is_list != (plain.is_list && !too_many)) fuzz_fault("list or no list");
  if (!is_list) return 0;
  if (options.close != (closes > 0) || options.upgrade != (upgrades > 0) || named != others ||
      options.others != static_cast<int>(others)) {
    fuzz_fault("other options");
  }
  if (http::has_token(text, "close") != options.close) fuzz_fault("has_token disagrees");
  return 0;
}

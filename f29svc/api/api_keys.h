// Who may use the API: long random keys, of which only the SHA-256 is kept.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace f29 {

struct ApiKey {
  std::string name;    // who; stands in the history of what was done
  std::string sha256;  // 64 hex digits, of the key's text
};

// The name of the key that was given, empty if it is none of them. Takes the same time whichever
// it is and however much of it is right.
std::string user_of(std::string_view given, const std::vector<ApiKey>& keys);

bool is_sha256(std::string_view text);

// A new key, 43 letters and digits of 256 random bits.
std::string new_api_key();

}  // namespace f29

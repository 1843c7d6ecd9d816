// The text of an env file as docker-compose reads it, with the place of every value, so that one
// value can be replaced and every other byte stays. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/result.h"

namespace agent {

class EnvText {
 public:
  static constexpr size_t kBytesMax = 1 << 20;

  struct Entry {
    std::string key;
    int line = 0;         // 1-based, of the key
    size_t value_at = 0;  // of the value without its quotes and the blanks around it
    size_t value_length = 0;
  };

  // bad_input with the line: a quote that is not closed, a NUL byte, a file that is too large.
  // A line that is neither KEY=VALUE nor a comment is kept and is nobody's value.
  static base::Result<EnvText> parse(std::string bytes);

  const std::string& bytes() const { return bytes_; }
  const std::vector<Entry>& entries() const { return entries_; }
  // Nothing: the key is not there. The last one counts, as for docker-compose. Escapes stay as
  // they are written.
  std::optional<std::string> value(std::string_view key) const;

  // The bytes with this value. not_found: the key is not there; refused: it is there twice, or the
  // value is not one that means the same in and outside of quotes.
  base::Result<std::string> with(std::string_view key, std::string_view value) const;

 private:
  std::string bytes_;
  std::vector<Entry> entries_;
};

}  // namespace agent

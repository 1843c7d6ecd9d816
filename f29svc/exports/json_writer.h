// Writes JSON as it goes, always the same bytes for the same calls.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>

namespace f29 {

// `text` with what JSON must escape escaped, in quotes.
std::string json_text(std::string_view text);

class JsonWriter {
 public:
  explicit JsonWriter(std::ostream& out) : out_(out) {}

  void open(char bracket);  // '{' or '['
  void close(char bracket);
  void key(std::string_view name);
  void text(std::string_view value);
  void number(int64_t value);
  void boolean(bool value);
  void null();

  void member(std::string_view name, std::string_view value) { key(name), text(value); }
  void member(std::string_view name, const char* value) { key(name), text(value); }
  void member(std::string_view name, int64_t value) { key(name), number(value); }
  void member(std::string_view name, int value) { key(name), number(value); }
  void member(std::string_view name, bool value) { key(name), boolean(value); }

 private:
  void separate();

  std::ostream& out_;
  bool needs_comma_ = false;
  bool after_key_ = false;
};

}  // namespace f29

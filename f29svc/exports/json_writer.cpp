#include "f29svc/exports/json_writer.h"

namespace f29 {

std::string json_text(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string quoted = "\"";
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (byte < 0x20) {
      quoted += "\\u00";
      quoted += kHex[byte >> 4];
      quoted += kHex[byte & 15];
    } else {
      quoted += c;
    }
  }
  quoted += '"';
  return quoted;
}

void JsonWriter::separate() {
  if (after_key_) {
    after_key_ = false;
    return;
  }
  if (needs_comma_) out_ << ',';
}

void JsonWriter::open(char bracket) {
  separate();
  out_ << bracket;
  needs_comma_ = false;
}

void JsonWriter::close(char bracket) {
  out_ << bracket;
  needs_comma_ = true;
}

void JsonWriter::key(std::string_view name) {
  if (needs_comma_) out_ << ',';
  out_ << json_text(name) << ':';
  after_key_ = true;
}

void JsonWriter::text(std::string_view value) {
  separate();
  out_ << json_text(value);
  needs_comma_ = true;
}

void JsonWriter::number(int64_t value) {
  separate();
  out_ << value;
  needs_comma_ = true;
}

void JsonWriter::null() {
  separate();
  out_ << "null";
  needs_comma_ = true;
}

void JsonWriter::boolean(bool value) {
  separate();
  out_ << (value ? "true" : "false");
  needs_comma_ = true;
}

}  // namespace f29

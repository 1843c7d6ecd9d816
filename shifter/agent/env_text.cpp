#include "shifter/agent/env_text.h"

#include <algorithm>

namespace agent {
namespace {

using base::ErrorCode;
using base::Side;

bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool is_end(char c) { return c == '\n' || c == '\r'; }
bool begins_key(char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_'; }
bool is_key(char c) { return begins_key(c) || (c >= '0' && c <= '9') || c == '.' || c == '-'; }

// Reads one file from its first to its last byte.
class Reader {
 public:
  Reader(std::string_view bytes, std::vector<EnvText::Entry>& entries)
      : bytes_(bytes), entries_(entries) {}

  // A fault in words, or nothing.
  std::string read() {
    // A byte order mark would become part of the first key.
    if (bytes_.substr(0, 3) == "\xEF\xBB\xBF") at_ = 3;
    while (at_ < bytes_.size()) {
      if (std::string fault = read_line(); !fault.empty()) {
        return "line " + std::to_string(line_) + ": " + fault;
      }
    }
    return {};
  }

 private:
  bool has(size_t at) const { return at < bytes_.size(); }
  void skip_blanks() {
    while (has(at_) && is_blank(bytes_[at_])) ++at_;
  }
  // To the next line; counts it.
  void skip_line() {
    const size_t end = bytes_.find('\n', at_);
    at_ = end == std::string_view::npos ? bytes_.size() : end + 1;
    ++line_;
  }
  std::string_view word() {
    const size_t from = at_;
    if (has(at_) && begins_key(bytes_[at_])) {
      while (has(at_) && is_key(bytes_[at_])) ++at_;
    }
    return bytes_.substr(from, at_ - from);
  }

  std::string read_line() {
    skip_blanks();
    std::string_view key = word();
    if (key == "export" && has(at_) && is_blank(bytes_[at_])) {
      skip_blanks();
      key = word();
    }
    skip_blanks();
    if (key.empty() || !has(at_) || bytes_[at_] != '=') {
      skip_line();
      return {};
    }
    ++at_;
    EnvText::Entry entry{std::string(key), line_, at_, 0};
    skip_blanks();
    const bool quoted = has(at_) && (bytes_[at_] == '"' || bytes_[at_] == '\'');
    std::string fault = quoted ? read_quoted(entry) : (read_plain(entry), std::string());
    entries_.push_back(std::move(entry));
    if (fault.empty()) skip_line();
    return fault;
  }

  // Ends at a comment that has a blank before it, or with the line.
  void read_plain(EnvText::Entry& entry) {
    size_t end = at_;
    size_t last = at_;  // behind the last byte that is no blank
    while (has(end) && !is_end(bytes_[end])) {
      if (bytes_[end] == '#' && end > entry.value_at && is_blank(bytes_[end - 1])) break;
      if (!is_blank(bytes_[end])) last = end + 1;
      ++end;
    }
    if (last > at_) {
      entry.value_at = at_;
      entry.value_length = last - at_;
    }
    at_ = end;
  }

  // May go over several lines.
  std::string read_quoted(EnvText::Entry& entry) {
    const char quote = bytes_[at_++];
    entry.value_at = at_;
    int lines = 0;
    while (has(at_) && bytes_[at_] != quote) {
      if (bytes_[at_] == '\\' && has(at_ + 1)) ++at_;
      if (bytes_[at_] == '\n') ++lines;
      ++at_;
    }
    if (!has(at_)) return "the quote of " + entry.key + " is not closed";
    entry.value_length = at_ - entry.value_at;
    line_ += lines;
    ++at_;
    return {};
  }

  std::string_view bytes_;
  std::vector<EnvText::Entry>& entries_;
  size_t at_ = 0;
  int line_ = 1;
};

bool is_plain(std::string_view value) {
  return !value.empty() && value.size() <= 512 &&
         std::all_of(value.begin(), value.end(), [](char c) {
           return is_key(c) || c == ':' || c == '/' || c == '@' || c == '+';
         });
}

}  // namespace

base::Result<EnvText> EnvText::parse(std::string bytes) {
  if (bytes.size() > kBytesMax) {
    return base::fail(ErrorCode::bad_input, Side::client,
                      "an env file has at most " + std::to_string(kBytesMax) + " bytes");
  }
  if (const size_t nul = bytes.find('\0'); nul != std::string::npos) {
    return base::fail(ErrorCode::bad_input, Side::client, "byte " + std::to_string(nul) + " is 0");
  }
  EnvText text;
  text.bytes_ = std::move(bytes);
  if (std::string fault = Reader(text.bytes_, text.entries_).read(); !fault.empty()) {
    return base::fail(ErrorCode::bad_input, Side::client, std::move(fault));
  }
  return text;
}

std::optional<std::string> EnvText::value(std::string_view key) const {
  for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry) {
    if (entry->key == key) return bytes_.substr(entry->value_at, entry->value_length);
  }
  return std::nullopt;
}

base::Result<std::string> EnvText::with(std::string_view key, std::string_view value) const {
  const std::string name(key);
  if (!is_plain(value)) {
    return base::fail(ErrorCode::refused, Side::client,
                      name + ": not a value that is written into an env file");
  }
  const Entry* found = nullptr;
  for (const Entry& entry : entries_) {
    if (entry.key != key) continue;
    if (found != nullptr) {
      return base::fail(ErrorCode::refused, Side::client,
                        name + " is there twice, in lines " + std::to_string(found->line) +
                            " and " + std::to_string(entry.line) + ": leave one");
    }
    found = &entry;
  }
  if (found == nullptr) {
    return base::fail(ErrorCode::not_found, Side::client,
                      name + " is not there: add " + name + "=");
  }
  std::string bytes = bytes_;
  bytes.replace(found->value_at, found->value_length, value);
  return bytes;
}

}  // namespace agent

#include "tests/simulation/message_reader.h"

#include <algorithm>
#include <charconv>

namespace simulation {
namespace {

bool same(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; };
    return lower(x) == lower(y);
  });
}

bool parse_number(std::string_view text, int base, uint64_t& value) {
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value, base);
  return !text.empty() && error == std::errc() && at == end;
}

}  // namespace

const std::string* Head::find(std::string_view name) const {
  const std::string* found = nullptr;
  for (const auto& [key, value] : fields) {
    if (!same(key, name)) continue;
    if (found != nullptr) return nullptr;
    found = &value;
  }
  return found;
}

int Head::count(std::string_view name) const {
  return static_cast<int>(std::count_if(fields.begin(), fields.end(),
                                        [&](const auto& one) { return same(one.first, name); }));
}

void MessageReader::begin(bool is_answer, bool bodiless) {
  *this = MessageReader();
  is_answer_ = is_answer;
  bodiless_ = bodiless;
}

size_t MessageReader::feed(std::string_view bytes, std::string& content) {
  if (done_ || fault_ != nullptr || bytes.empty()) return 0;
  begun_ = true;
  if (!head_done_) {
    const size_t before = text_.size();
    text_.append(bytes);
    const size_t end = text_.find("\r\n\r\n", before < 3 ? 0 : before - 3);
    if (end == std::string::npos) {
      if (text_.size() > (256 << 10)) fault_ = "a head without an end";
      return bytes.size();
    }
    const size_t used = end + 4 - before;
    text_.resize(end + 2);
    finish_head();
    return used;
  }
  switch (framing_) {
    case Framing::none:
      done_ = true;
      return 0;
    case Framing::length: {
      const size_t take = static_cast<size_t>(std::min<uint64_t>(left_, bytes.size()));
      content.append(bytes.substr(0, take));
      left_ -= take;
      if (left_ == 0) done_ = true;
      return take;
    }
    case Framing::until_close:
      content.append(bytes);
      return bytes.size();
    case Framing::chunked:
      return feed_chunked(bytes, content);
  }
  return 0;
}

void MessageReader::finish_head() {
  size_t at = text_.find("\r\n");
  head_.start = text_.substr(0, at);
  at += 2;
  while (at < text_.size()) {
    const size_t end = text_.find("\r\n", at);
    const std::string_view line = std::string_view(text_).substr(at, end - at);
    const size_t colon = line.find(": ");
    if (colon == std::string_view::npos || colon == 0) {
      fault_ = "a line that is no field";
      return;
    }
    head_.fields.emplace_back(line.substr(0, colon), line.substr(colon + 2));
    at = end + 2;
  }
  text_.clear();
  const std::string& start = head_.start;
  if (is_answer_) {
    uint64_t status = 0;
    if (!start.starts_with("HTTP/1.1 ") || start.size() < 13 || start[12] != ' ' ||
        !parse_number(std::string_view(start).substr(9, 3), 10, status)) {
      fault_ = "a status line that is none";
      return;
    }
    head_.status = static_cast<int>(status);
  } else {
    const size_t first = start.find(' ');
    const size_t second = start.rfind(' ');
    const std::string_view version = std::string_view(start).substr(second + 1);
    if (first == second || (version != "HTTP/1.1" && version != "HTTP/1.0")) {
      fault_ = "a request line that is none";
      return;
    }
    head_.method = start.substr(0, first);
    head_.target = start.substr(first + 1, second - first - 1);
    head_.minor = version == "HTTP/1.1" ? 1 : 0;
  }
  head_done_ = true;
  if (!read_framing()) fault_ = "framing that two peers may read differently";
}

bool MessageReader::read_framing() {
  const std::string* length = head_.find("Content-Length");
  const std::string* coding = head_.find("Transfer-Encoding");
  if (head_.count("Content-Length") > 1 || head_.count("Transfer-Encoding") > 1) return false;
  if (length != nullptr && !parse_number(*length, 10, length_)) return false;
  const bool none = is_answer_ && (bodiless_ || (head_.status >= 100 && head_.status < 200) ||
                                   head_.status == 204 || head_.status == 304);
  if (coding != nullptr) {
    if (length != nullptr || *coding != "chunked" || head_.minor == 0) return false;
    framing_ = none ? Framing::none : Framing::chunked;
  } else if (length != nullptr) {
    framing_ = none ? Framing::none : Framing::length;
  } else {
    framing_ = is_answer_ && !none ? Framing::until_close : Framing::none;
  }
  left_ = length_;
  if (framing_ == Framing::none || (framing_ == Framing::length && left_ == 0)) done_ = true;
  return true;
}

size_t MessageReader::feed_chunked(std::string_view bytes, std::string& content) {
  size_t used = 0;
  while (used < bytes.size() && !done_ && fault_ == nullptr) {
    if (part_ == Part::data) {
      const size_t take = static_cast<size_t>(std::min<uint64_t>(left_, bytes.size() - used));
      content.append(bytes.substr(used, take));
      used += take;
      left_ -= take;
      if (left_ == 0) part_ = Part::data_end;
      continue;
    }
    text_ += bytes[used++];
    if (!text_.ends_with("\r\n")) {
      if (text_.size() > 64) fault_ = "a chunk line without an end";
      continue;
    }
    text_.resize(text_.size() - 2);
    if (part_ == Part::size) {
      if (!parse_number(text_, 16, left_)) fault_ = "a chunk size that is none";
      part_ = left_ == 0 ? Part::trailer : Part::data;
    } else if (part_ == Part::data_end) {
      if (!text_.empty()) fault_ = "a chunk longer than it said";
      part_ = Part::size;
    } else if (text_.empty()) {
      done_ = true;
    } else {
      fault_ = "a trailer nobody asked for";
    }
    text_.clear();
  }
  return used;
}

bool MessageReader::end() {
  if (head_done_ && framing_ == Framing::until_close) done_ = true;
  return done_;
}

}  // namespace simulation

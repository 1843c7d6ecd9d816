#include "tests/support/standin/request.h"

#include <strings.h>

#include <algorithm>
#include <charconv>

namespace standin {
namespace {

constexpr size_t kLineMax = 65'536;
constexpr size_t kHeadersMax = 100;
constexpr size_t kBeginningMax = 65'536;

bool is_same(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r')) {
    text.remove_suffix(1);
  }
  return text;
}

std::string_view take_line(std::string_view& rest) {
  const size_t end = rest.find('\n');
  std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

int parse_request_line(std::string_view line, Request& request) {
  const size_t first = line.find(' ');
  const size_t last = line.rfind(' ');
  if (first == std::string_view::npos || last == first) return 400;
  request.method = line.substr(0, first);
  request.target = trim(line.substr(first + 1, last - first - 1));
  request.version = line.substr(last + 1);
  if (line.size() > kLineMax) return 414;
  if (!request.version.starts_with("HTTP/")) return 400;
  if (request.version != "HTTP/1.1" && request.version != "HTTP/1.0") return 505;
  std::string_view target = request.target;
  if (target.starts_with("http://")) {
    const size_t slash = target.find('/', 7);
    target = slash == std::string_view::npos ? "/" : target.substr(slash);
  }
  const size_t question = target.find('?');
  request.path = target.substr(0, question);
  if (question != std::string_view::npos) request.query = target.substr(question + 1);
  return 0;
}

}  // namespace

std::optional<std::string_view> Request::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (is_same(key, name)) return value;
  }
  return std::nullopt;
}

std::string Request::parameter(std::string_view name, std::string_view otherwise) const {
  std::string_view rest = query;
  while (!rest.empty()) {
    const size_t end = rest.find('&');
    const std::string_view pair = rest.substr(0, end);
    if (pair.size() > name.size() && pair.starts_with(name) && pair[name.size()] == '=') {
      return std::string(pair.substr(name.size() + 1));
    }
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  return std::string(otherwise);
}

int64_t Request::number(std::string_view name, int64_t otherwise) const {
  const std::string text = parameter(name);
  int64_t value = otherwise;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

bool Request::is_keep_alive() const {
  const std::string_view connection = header("Connection").value_or("");
  if (version == "HTTP/1.0") return is_same(connection, "keep-alive");
  return !is_same(connection, "close");
}

size_t find_head_end(std::string_view bytes) {
  const size_t end = bytes.find("\r\n\r\n");
  return end == std::string_view::npos ? end : end + 4;
}

int parse_head(std::string_view head, Request& request) {
  std::string_view rest = head;
  const int fault = parse_request_line(take_line(rest), request);
  if (fault != 0) return fault;
  while (!rest.empty()) {
    const std::string_view line = take_line(rest);
    if (line.empty()) break;
    if (line.size() > kLineMax || request.headers.size() == kHeadersMax) return 431;
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0) return 400;
    request.headers.emplace_back(line.substr(0, colon), trim(line.substr(colon + 1)));
  }
  return 0;
}

BodyReader::BodyReader(const Request& request) {
  const auto coding = request.header("Transfer-Encoding");
  if (coding && is_same(*coding, "chunked")) {
    is_chunked_ = true;
    declared_ = -1;
    state_ = State::reading;
    return;
  }
  const std::string_view length = request.header("Content-Length").value_or("0");
  const auto [end, error] =
      std::from_chars(length.data(), length.data() + length.size(), declared_);
  if (error != std::errc() || end != length.data() + length.size() || declared_ < 0) {
    state_ = State::broken;
    return;
  }
  left_ = declared_;
  if (left_ > 0) state_ = State::reading;
}

size_t BodyReader::feed(std::string_view bytes) {
  const size_t all = bytes.size();
  while (!bytes.empty() && state_ == State::reading) {
    if (left_ > 0) {
      const size_t count = std::min(bytes.size(), static_cast<size_t>(left_));
      take(bytes.substr(0, count));
      bytes.remove_prefix(count);
      left_ -= static_cast<int64_t>(count);
      if (left_ == 0 && !is_chunked_) state_ = State::done;
      continue;
    }
    const size_t end = bytes.find('\n');
    const size_t count = end == std::string_view::npos ? bytes.size() : end + 1;
    line_.append(bytes.substr(0, count));
    bytes.remove_prefix(count);
    if (line_.size() > kLineMax) state_ = State::broken;
    if (end == std::string_view::npos) continue;
    std::string line;
    line.swap(line_);
    take_chunk_line(trim(std::string_view(line).substr(0, line.size() - 1)));
  }
  return all - bytes.size();
}

void BodyReader::take(std::string_view bytes) {
  size_ += static_cast<int64_t>(bytes.size());
  for (char c : bytes) hash_ = (hash_ ^ static_cast<uint8_t>(c)) * 0x100000001b3;
  if (beginning_.size() < kBeginningMax) {
    beginning_.append(bytes.substr(0, kBeginningMax - beginning_.size()));
  }
}

// A chunk's size, the empty line after its data, or a line of the trailer.
void BodyReader::take_chunk_line(std::string_view line) {
  if (in_trailer_) {
    if (line.empty()) state_ = State::done;
    return;
  }
  if (line.empty()) return;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), left_, 16);
  const bool ends_well = end == line.data() + line.size() || *end == ';';
  if (error != std::errc() || !ends_well || left_ < 0) {
    state_ = State::broken;
    return;
  }
  if (left_ == 0) in_trailer_ = true;
}

}  // namespace standin

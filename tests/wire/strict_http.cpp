#include "tests/wire/strict_http.h"

#include <strings.h>

#include <cctype>
#include <cstdio>
#include <cstdlib>

namespace wire {
namespace {

bool is_token(std::string_view text) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  for (const char byte : text) {
    if (!std::isalnum(static_cast<unsigned char>(byte)) &&
        kMarks.find(byte) == std::string_view::npos) {
      return false;
    }
  }
  return !text.empty();
}

bool is_value(std::string_view text) {
  for (const char byte : text) {
    const auto code = static_cast<unsigned char>(byte);
    if (code == 0x7f || (code < 0x20 && byte != '\t')) return false;
  }
  return text.empty() ||
         (text.front() != ' ' && text.front() != '\t' && text.back() != ' ' && text.back() != '\t');
}

bool is_number(std::string_view text) {
  for (const char byte : text) {
    if (byte < '0' || byte > '9') return false;
  }
  return !text.empty() && text.size() < 19 && (text.size() == 1 || text[0] != '0');
}

// Takes a head off `raw`. "more": not whole yet.
std::string take_head(std::string_view& raw, Message& message) {
  const size_t end = raw.find("\r\n\r\n");
  std::string_view head = raw.substr(0, end);
  if (end == std::string_view::npos) return "more";
  raw.remove_prefix(end + 4);
  const size_t line_end = head.find("\r\n");
  message.start = head.substr(0, line_end);
  if (!is_value(message.start)) return "start line: " + visible(message.start);
  for (size_t next = line_end; next != std::string_view::npos; next = head.find("\r\n")) {
    head.remove_prefix(next + 2);
    const std::string_view line = head.substr(0, head.find("\r\n"));
    const size_t colon = line.find(": ");
    if (colon == std::string_view::npos) return "no field: " + visible(line);
    const std::string_view value = line.substr(colon + 2);
    if (!is_token(line.substr(0, colon)) || !is_value(value)) return "field: " + visible(line);
    message.fields.emplace_back(line.substr(0, colon), value);
  }
  return "";
}

std::string check_hops(const Message& message, bool upgrades) {
  for (const char* name : {"Keep-Alive", "TE", "Trailer", "Proxy-Connection", "Proxy-Authenticate",
                           "Proxy-Authorization", "HTTP2-Settings", "Expect"}) {
    if (message.has(name)) return std::string(name) + " was passed on";
  }
  if (!upgrades && message.has("Upgrade")) return "Upgrade without an upgrade";
  if (upgrades && message.value("Upgrade") != "websocket") return "an upgrade to something else";
  return "";
}

std::string check_start(std::string_view start) {
  const size_t first = start.find(' ');
  const size_t last = start.rfind(' ');
  if (first == last) return "start line: " + visible(start);
  const std::string_view target = start.substr(first + 1, last - first - 1);
  const bool good = is_token(start.substr(0, first)) && start.substr(last + 1) == "HTTP/1.1" &&
                    (target == "*" || target.starts_with('/')) &&
                    target.find(' ') == std::string_view::npos;
  return good ? "" : "start line: " + visible(start);
}

// Takes a chunked body off `raw`; "more" when it is not whole.
std::string take_chunks(std::string_view& raw, std::string& body) {
  while (true) {
    const size_t line = raw.find("\r\n");
    if (line == std::string_view::npos) return "more";
    const std::string size_text(raw.substr(0, line));
    char* end = nullptr;
    const size_t size = std::strtoul(size_text.c_str(), &end, 16);
    const bool good = !size_text.empty() && std::isxdigit(static_cast<unsigned char>(raw[0])) &&
                      *end == '\0' && line <= 16;
    if (!good) return "chunk line: " + visible(size_text);
    if (raw.size() < line + 2 + size + 2) return "more";
    body += raw.substr(line + 2, size);
    if (raw.substr(line + 2 + size, 2) != "\r\n") return "chunk without its end";
    raw.remove_prefix(line + 2 + size + 2);
    if (size == 0) return "";
  }
}

// The body, all of it, and nothing behind.
std::string take_request_body(std::string_view raw, Message& message, bool streaming) {
  size_t length = 0;
  if (message.has("Transfer-Encoding")) {
    if (message.value("Transfer-Encoding") != "chunked") return "coding";
    if (std::string fault = take_chunks(raw, message.body); !fault.empty()) {
      return fault == "more" ? "incomplete" : fault;
    }
    return raw.empty() ? "" : "behind the last chunk: " + visible(raw);
  }
  if (message.has("Content-Length")) {
    if (!is_number(message.value("Content-Length"))) return "length";
    length = std::strtoul(message.value("Content-Length").c_str(), nullptr, 10);
  }
  message.body = raw;
  if (raw.size() == length) return "";
  if (raw.size() < length && streaming) return "incomplete";
  return std::to_string(raw.size()) + " bytes behind the head instead of " +
         std::to_string(length) + ": " + visible(raw);
}

std::string check_answer(const Message& message) {
  const std::string_view start = message.start;
  const bool line = start.size() >= 13 && start.starts_with("HTTP/1.1 ") && start[12] == ' ' &&
                    is_number(start.substr(9, 3));
  if (!line) return "status line: " + visible(start);
  const int status = message.status();
  const bool framed = message.has("Content-Length") || message.has("Transfer-Encoding");
  if (message.all("Content-Length").size() + message.all("Transfer-Encoding").size() > 1) {
    return "two framing fields";
  }
  if (message.has("Content-Length") && !is_number(message.value("Content-Length"))) {
    return "length: " + message.value("Content-Length");
  }
  if (message.has("Transfer-Encoding") && message.value("Transfer-Encoding") != "chunked") {
    return "coding: " + message.value("Transfer-Encoding");
  }
  if (framed && (status < 200 || status == 204)) return "a bodiless answer with a body's length";
  if (status >= 200 && message.all("Date").size() != 1) return "not one Date";
  if (message.all("Connection").size() > 1) return "two Connection fields";
  const std::string connection = message.value("Connection");
  if (connection != (status == 101 ? "Upgrade" : connection.empty() ? "" : "close")) {
    return "Connection: " + connection;
  }
  return check_hops(message, status == 101);
}

// Takes the body that belongs to `message`; "more" when it is not whole.
std::string take_body(std::string_view& raw, Message& message, bool to_head, bool ended,
                      bool http10) {
  const int status = message.status();
  if (to_head || status < 200 || status == 204 || status == 304) return "";
  if (message.has("Transfer-Encoding")) {
    return http10 ? "chunked to a 1.0 client" : take_chunks(raw, message.body);
  }
  if (message.has("Content-Length")) {
    const size_t length = std::strtoul(message.value("Content-Length").c_str(), nullptr, 10);
    if (raw.size() < length) return "more";
    message.body = raw.substr(0, length);
    raw.remove_prefix(length);
    return "";
  }
  if (!http10) return "an answer without framing";
  if (!ended) return "more";
  message.body = raw;
  raw = {};
  return "";
}

}  // namespace

bool same_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}

int Message::status() const { return start.size() < 12 ? 0 : std::atoi(start.c_str() + 9); }

std::vector<std::string> Message::all(std::string_view name) const {
  std::vector<std::string> values;
  for (const auto& [key, value] : fields) {
    if (same_name(key, name)) values.push_back(value);
  }
  return values;
}

std::string Message::value(std::string_view name) const {
  const std::vector<std::string> values = all(name);
  return values.empty() ? "" : values.front();
}

std::string read_forwarded(std::string_view raw, Message& message, bool streaming) {
  if (const std::string fault = take_head(raw, message); !fault.empty()) return fault;
  if (std::string fault = check_start(message.start); !fault.empty()) return fault;
  if (message.all("Host").size() != 1) return "not one Host";
  const bool chunked = message.has("Transfer-Encoding");
  if (chunked && !streaming) return "Transfer-Encoding on a buffered route";
  if (message.all("Content-Length").size() + message.all("Transfer-Encoding").size() > 1) {
    return "two framing fields";
  }
  if (message.all("Connection").size() != 1) return "not one Connection";
  const std::string connection = message.value("Connection");
  if (connection != "close" && connection != "Upgrade") return "Connection: " + connection;
  const bool upgrades = connection == "Upgrade";
  if (std::string fault = check_hops(message, upgrades); !fault.empty()) return fault;
  for (const auto& [name, value] : message.fields) {
    if (name.find('_') != std::string::npos) return "a name with an underscore: " + name;
  }
  if (upgrades) {
    message.body = raw;
    return "";
  }
  return take_request_body(raw, message, streaming);
}

Answers read_answers(std::string_view raw, const std::vector<bool>& heads, bool ended,
                     bool http10) {
  Answers answers;
  while (!raw.empty()) {
    std::string_view rest = raw;
    Message message;
    answers.fault = take_head(rest, message);
    if (answers.fault.empty()) answers.fault = check_answer(message);
    const size_t index = answers.whole.size();
    const bool to_head = index < heads.size() && heads[index];
    if (answers.fault.empty()) answers.fault = take_body(rest, message, to_head, ended, http10);
    if (!answers.fault.empty()) break;
    raw = rest;
    const int status = message.status();
    (status < 200 && status != 101 ? answers.interim : answers.whole).push_back(message);
    if (status == 101) {
      answers.switched = true;
      break;
    }
  }
  if (answers.fault == "more") answers.fault.clear();
  answers.rest = raw;
  return answers;
}

std::string visible(std::string_view bytes, size_t most) {
  std::string text;
  for (const char byte : bytes.substr(0, most)) {
    if (byte == '\r') {
      text += "\\r";
    } else if (byte == '\n') {
      text += "\\n";
    } else if (std::isprint(static_cast<unsigned char>(byte))) {
      text += byte;
    } else {
      char code[8];
      std::snprintf(code, sizeof code, "\\x%02x", static_cast<unsigned char>(byte));
      text += code;
    }
  }
  if (bytes.size() > most) text += "… (" + std::to_string(bytes.size()) + " bytes)";
  return text;
}

}  // namespace wire

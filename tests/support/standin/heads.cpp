// How answers look on the wire.
#include <array>
#include <cstdio>
#include <ctime>

#include "tests/support/standin/site.h"

namespace standin {
namespace {

std::string_view reason_of(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 206:
      return "PARTIAL CONTENT";
    case 303:
      return "SEE OTHER";
    case 304:
      return "NOT MODIFIED";
    case 400:
      return "BAD REQUEST";
    case 404:
      return "NOT FOUND";
    case 414:
      return "REQUEST URI TOO LONG";
    case 416:
      return "REQUESTED RANGE NOT SATISFIABLE";
    case 431:
      return "REQUEST HEADER FIELDS TOO LARGE";
    case 500:
      return "INTERNAL SERVER ERROR";
    case 505:
      return "HTTP VERSION NOT SUPPORTED";
    default:
      return "UNKNOWN";
  }
}

std::string status_line(std::string_view version, int status) {
  std::string line(version);
  line.append(" ").append(std::to_string(status)).append(" ").append(reason_of(status));
  return line.append("\r\n");
}

std::string length_line(const Answer& answer) {
  if (answer.events > 0 || answer.status == 304) return {};
  return "Content-Length: " + std::to_string(answer.content().size()) + "\r\n";
}

}  // namespace

std::string event_text(int number) { return "data: " + std::to_string(number) + "\n\n"; }

std::string http_date() {
  thread_local time_t at = 0;
  thread_local std::array<char, 40> text{};
  const time_t now = time(nullptr);
  if (now != at) {
    at = now;
    tm parts{};
    gmtime_r(&now, &parts);
    strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  }
  return text.data();
}

std::string json_text(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out.append({'\\', c});
    } else if (byte < 0x20 || byte >= 0x7f) {
      std::array<char, 8> escaped{};
      snprintf(escaped.data(), escaped.size(), "\\u%04x", byte);  // bytes, not characters
      out.append(escaped.data());
    } else {
      out.push_back(c);
    }
  }
  return out + '"';
}

std::string prefork_head(const Answer& answer) {
  return status_line("HTTP/1.0", answer.status) +
         "Server: Werkzeug/2.2.2 Python/3.11.2\r\nDate: " + http_date() + "\r\n" +
         length_line(answer) + answer.fields + "Connection: close\r\n\r\n";
}

std::string event_head(const Answer& answer, bool keep_alive) {
  return status_line("HTTP/1.1", answer.status) + answer.fields + length_line(answer) +
         (answer.events > 0 ? "Transfer-Encoding: chunked\r\n" : "") + "Date: " + http_date() +
         (keep_alive ? "\r\n\r\n" : "\r\nConnection: close\r\n\r\n");
}

}  // namespace standin

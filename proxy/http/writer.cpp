#include "proxy/http/writer.h"

#include <charconv>
#include <cstring>

namespace http {
namespace {

// Makes room for `size` bytes at the end and says where they go.
char* grow(std::string& out, size_t size) {
  const size_t at = out.size();
  out.resize(at + size);
  return out.data() + at;
}

char* put(char* at, std::string_view text) {
  if (!text.empty()) std::memcpy(at, text.data(), text.size());
  return at + text.size();
}

char* put_two_digits(char* at, int value) {
  *at++ = static_cast<char>('0' + value / 10);
  *at++ = static_cast<char>('0' + value % 10);
  return at;
}

}  // namespace

void write_request_line(Method method, std::string_view target, std::string& out) {
  const std::string_view name = text_of(method);
  char* at = grow(out, name.size() + 1 + target.size() + 11);
  at = put(at, name);
  *at++ = ' ';
  at = put(at, target);
  put(at, " HTTP/1.1\r\n");
}

void write_status_line(int status, int minor, std::string& out) {
  const std::string_view reason = reason_of(status);
  char* at = grow(out, 9 + 4 + reason.size() + 2);
  at = put(at, minor == 0 ? "HTTP/1.0 " : "HTTP/1.1 ");
  *at++ = static_cast<char>('0' + status / 100);
  at = put_two_digits(at, status % 100);
  *at++ = ' ';
  at = put(at, reason);
  put(at, "\r\n");
}

void write_field(std::string_view name, std::string_view value, std::string& out) {
  char* at = grow(out, name.size() + value.size() + 4);
  at = put(at, name);
  *at++ = ':';
  *at++ = ' ';
  at = put(at, value);
  *at++ = '\r';
  *at++ = '\n';
}

void write_field(std::string_view name, uint64_t value, std::string& out) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  write_field(name, std::string_view(digits, static_cast<size_t>(end - digits)), out);
}

void write_chunk_line(size_t bytes, std::string& out) {
  char digits[16];
  const auto end = std::to_chars(digits, digits + sizeof digits, bytes, 16).ptr;
  out.append(digits, static_cast<size_t>(end - digits));
  out += "\r\n";
}

std::string_view DateText::at(base::WallTime now) {
  using namespace std::chrono;
  const auto second = floor<seconds>(now);
  constexpr size_t kLength = 29;
  if (second.time_since_epoch().count() == second_) return {text_, kLength};
  second_ = second.time_since_epoch().count();

  constexpr std::string_view kDays = "SunMonTueWedThuFriSat";
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  const auto day = floor<days>(second);
  const year_month_day date{day};
  const hh_mm_ss time{second - day};
  char* at = text_;
  at = put(at, kDays.substr(weekday{day}.c_encoding() * 3, 3));
  at = put(at, ", ");
  at = put_two_digits(at, static_cast<int>(static_cast<unsigned>(date.day())));
  *at++ = ' ';
  at = put(at, kMonths.substr((static_cast<unsigned>(date.month()) - 1) * 3, 3));
  *at++ = ' ';
  const int year = static_cast<int>(date.year());
  at = put_two_digits(at, year / 100);
  at = put_two_digits(at, year % 100);
  *at++ = ' ';
  at = put_two_digits(at, static_cast<int>(time.hours().count()));
  *at++ = ':';
  at = put_two_digits(at, static_cast<int>(time.minutes().count()));
  *at++ = ':';
  at = put_two_digits(at, static_cast<int>(time.seconds().count()));
  put(at, " GMT");
  return {text_, kLength};
}

}  // namespace http

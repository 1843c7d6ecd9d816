#include "proxy/http/head_scanner.h"

#include <algorithm>
#include <cstring>

#include "proxy/http/bytes.h"

namespace http {
namespace {

using enum base::ErrorCode;

constexpr int kEmptyLinesMax = 2;

bool is_crlf(const char* at, const char* end) {
  return end - at >= 2 && at[0] == '\r' && at[1] == '\n';
}

std::string_view between(const char* begin, const char* end) {
  return {begin, static_cast<size_t>(end - begin)};
}

void refuse(base::ErrorCode code, const char* what, Scan& result) {
  result.state = Scan::State::faulty;
  result.fault = {code, what};
}

// `at` is the first control byte of a line that is not well-formed as far as it is here.
// Returns false if it may yet become well-formed.
bool refuse_control(const char* at, const char* end, Scan& result) {
  if (*at == '\n') {
    refuse(bad_message, "LF without CR", result);
  } else if (*at != '\r') {
    refuse(bad_message, "control byte in the head", result);
  } else if (at + 1 == end) {
    return false;
  } else if (at[1] != '\n') {
    refuse(bad_message, "CR without LF", result);
  } else {
    return false;
  }
  return true;
}

// Behind the empty lines that may stand before a request line (RFC 9112 2.2).
const char* skip_empty_lines(const char* at, const char* end) {
  for (int i = 0; i < kEmptyLinesMax && is_crlf(at, end); ++i) at += 2;
  return at;
}

}  // namespace

void HeadScanner::scan(std::string_view bytes, size_t seen, std::vector<Field>& fields,
                       Scan& result) const {
  const std::string_view allowed = bytes.substr(0, limits_.head_bytes);
  if (seen == 0 || is_worth_reading(allowed, std::min(seen, allowed.size()), fields, result)) {
    scan_all(allowed, fields, result);
  }
  if (result.state == Scan::State::incomplete && bytes.size() > allowed.size()) {
    refuse(head_too_large, "head too large", result);
  }
}

void HeadScanner::scan_all(std::string_view bytes, std::vector<Field>& fields, Scan& result) const {
  result.clear();
  fields.clear();
  const char* const begin = bytes.data();
  const char* const end = begin + bytes.size();
  const char* const start = kind_ == HeadKind::request ? skip_empty_lines(begin, end) : begin;
  if (start == end) return;
  if (!may_start(*start) && *start != '\r') {
    return refuse(bad_message, "byte that starts no message", result);
  }
  ControlScan controls(start, end);
  const char* const line_end = controls.next_fault();
  if (line_end == start || !is_crlf(line_end, end)) {
    judge_start_line(start, start, end, result);
    return;
  }
  const std::string_view line = between(start, line_end);
  if (kind_ == HeadKind::request) {
    Judgement found = read_request_line(line, result.start_line);
    if (found || result.start_line.received_target.size() > limits_.target_bytes) {
      // Being too long came earlier than whatever else is wrong.
      const Judgement longer = judge_request_line_length(line, limits_.target_bytes);
      if (longer) found = longer;
    }
    if (found) return refuse(found->code, found->what, result);
  } else if (const Judgement found = read_status_line(line, result.start_line)) {
    return refuse(found->code, found->what, result);
  }
  controls.next();  // the LF
  const char* const rest = read_fields(line_end + 2, end, controls, fields, result);
  if (!is_crlf(rest, end)) return judge_field_line(rest, rest, end, result);
  result.state = Scan::State::complete;
  result.start = static_cast<size_t>(start - begin);
  result.head_bytes = static_cast<size_t>(rest + 2 - begin);
}

bool HeadScanner::may_start(char byte) const {
  return kind_ == HeadKind::request ? is(kTokenByte, byte) : byte == 'H';
}

// Looks at the bytes since `seen` only. False: the head is not complete, and `result` says
// whether it is faulty.
bool HeadScanner::is_worth_reading(std::string_view bytes, size_t seen, std::vector<Field>& fields,
                                   Scan& result) const {
  const char* const begin = bytes.data();
  const char* const end = begin + bytes.size();
  const char* const fresh = begin + seen;
  const char* const start = kind_ == HeadKind::request ? skip_empty_lines(begin, end) : begin;
  if (fresh <= start) return true;
  result.state = Scan::State::incomplete;
  const bool line_ends = std::memchr(fresh, '\n', bytes.size() - seen) != nullptr;
  const void* const last = memrchr(start, '\n', static_cast<size_t>(fresh - start));
  if (last == nullptr) {
    if (line_ends) return true;
    judge_start_line(start, fresh - 1, end, result);
    return false;
  }
  const char* const line = static_cast<const char*>(last) + 1;
  if (!line_ends) {
    judge_field_line(line, std::max(line, fresh - 1), end, result);
    return false;
  }
  const char* const rest = read_fields(line, end, ControlScan(line, end), fields, result);
  if (is_crlf(rest, end)) return true;
  judge_field_line(rest, rest, end, result);
  return false;
}

// Reads whole, well-formed field lines and returns where the first other line begins.
const char* HeadScanner::read_fields(const char* at, const char* end, ControlScan controls,
                                     std::vector<Field>& fields, Scan& result) const {
  const size_t fields_max = limits_.fields;
  size_t count = result.fields;
  bool underscored = false;
  FieldIndex index = result.index;
  for (;;) {
    const char* const line_end = controls.next_fault();
    if (!is_crlf(line_end, end)) break;
    controls.next();  // the LF
    bool has_underscore = false;
    // It does not pass the CR, which is no tchar.
    const char* const colon = find_name_end(at, end, has_underscore);
    if (*colon != ':' || colon == at) break;
    if (static_cast<size_t>(line_end - at) > limits_.line_bytes) break;
    if (count < fields_max) {
      const char* value = colon + 1;
      while (is_blank(*value)) ++value;
      const char* value_end = line_end;
      while (value_end != value && is_blank(value_end[-1])) --value_end;
      const std::string_view name = between(at, colon);
      const KnownName known = known_name(name);
      index.add(known.id, count);
      underscored |= has_underscore;
      fields.push_back(
          {name, between(value, value_end), known.id, known.hop_by_hop, has_underscore});
    }
    ++count;
    at = line_end + 2;
  }
  result.fields = count;
  result.underscored = underscored;
  result.index = index;
  return at;
}

// A start line that is not whole and well-formed; the bytes before `from` were judged before.
void HeadScanner::judge_start_line(const char* line, const char* from, const char* end,
                                   Scan& result) const {
  const char* const control = find_control(from, end);
  if (control == line) {
    if (*line == '\r' && line + 1 == end && kind_ == HeadKind::request) return;
    return refuse(bad_message, "no start line", result);
  }
  if (kind_ == HeadKind::request) {
    const Judgement found = judge_request_line_length(between(line, control), limits_.target_bytes);
    if (found) return refuse(found->code, found->what, result);
  }
  if (control != end) refuse_control(control, end, result);
}

// The same for a field line.
void HeadScanner::judge_field_line(const char* line, const char* from, const char* end,
                                   Scan& result) const {
  const char* const control = find_control(from, end);
  if (static_cast<size_t>(control - line) > limits_.line_bytes) {
    return refuse(head_too_large, "field line too long", result);
  }
  if (control == end || refuse_control(control, end, result)) return;
  if (!is_crlf(control, end) || control == line) return;
  const char* const what = is_blank(*line) ? "folded field line" : "malformed field line";
  refuse(bad_message, what, result);
}

}  // namespace http

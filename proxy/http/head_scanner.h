// Our own reading of a head: lines, the start line, fields. Strict, in one pass, without
// allocation. Inside proxy/http only.
//
// What it finds does not depend on how the bytes arrived: a fault is always that of the earliest
// byte which makes the head unacceptable, and it is found as soon as that byte is here.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "proxy/base/error.h"
#include "proxy/http/field_names.h"
#include "proxy/http/message.h"
#include "proxy/http/start_line.h"

namespace http {

enum class HeadKind : uint8_t { request, response };

struct ScanLimits {
  size_t head_bytes;
  size_t line_bytes;    // of a field line, without its CRLF
  size_t target_bytes;  // requests
  size_t fields;        // what is beyond is counted, not kept
};

// What the fields of one head hold, by id.
struct FieldIndex {
  std::array<uint16_t, kFieldIds> count{};
  std::array<uint16_t, kFieldIds> first{};  // where in the vector, if count > 0
  bool underscored = false;                 // some name has a "_"

  bool has(FieldId id) const { return count[static_cast<size_t>(id)] != 0; }
  unsigned times(FieldId id) const { return count[static_cast<size_t>(id)]; }
  size_t at(FieldId id) const { return first[static_cast<size_t>(id)]; }
};

struct Scan {
  enum class State : uint8_t { incomplete, complete, faulty } state = State::incomplete;
  size_t start = 0;       // complete: where the start line begins
  size_t head_bytes = 0;  // complete: behind the empty line
  size_t fields = 0;      // complete: how many there are
  StartLine start_line;   // complete
  FieldIndex index;       // complete
  Fault fault;            // faulty
};

class HeadScanner {
 public:
  HeadScanner(HeadKind kind, const ScanLimits& limits) : kind_(kind), limits_(limits) {}

  // `seen` as in HeadParser. `fields` is overwritten.
  void scan(std::string_view bytes, size_t seen, std::vector<Field>& fields, Scan& result) const;

 private:
  void scan_all(std::string_view bytes, std::vector<Field>& fields, Scan& result) const;
  bool is_worth_reading(std::string_view bytes, size_t seen, std::vector<Field>& fields,
                        Scan& result) const;
  const char* read_fields(const char* at, const char* end, std::vector<Field>& fields,
                          Scan& result) const;
  void judge_start_line(const char* line, const char* from, const char* end, Scan& result) const;
  void judge_field_line(const char* line, const char* from, const char* end, Scan& result) const;

  HeadKind kind_;
  ScanLimits limits_;
};

}  // namespace http

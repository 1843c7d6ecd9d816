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
#include "proxy/http/bytes.h"
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
class FieldIndex {
 public:
  void clear() { seen_ = repeated_ = 0; }
  void add(FieldId id, size_t at) {
    const uint64_t bit = bit_of(id);
    repeated_ |= seen_ & bit;
    seen_ |= bit;
    last_[static_cast<size_t>(id)] = static_cast<uint16_t>(at);
  }
  bool has(FieldId id) const { return (seen_ & bit_of(id)) != 0; }
  bool has_several(FieldId id) const { return (repeated_ & bit_of(id)) != 0; }
  // Where in the vector the last of that name is. Needs: has(id).
  size_t last(FieldId id) const { return last_[static_cast<size_t>(id)]; }

 private:
  static_assert(kFieldIds <= 64);
  static constexpr uint64_t bit_of(FieldId id) { return uint64_t{1} << static_cast<unsigned>(id); }
  uint64_t seen_ = 0;
  uint64_t repeated_ = 0;
  std::array<uint16_t, kFieldIds> last_;
};

struct Scan {
  enum class State : uint8_t { incomplete, complete, faulty } state = State::incomplete;
  size_t start = 0;          // complete: where the start line begins
  size_t head_bytes = 0;     // complete: behind the empty line
  size_t fields = 0;         // complete: how many there are
  StartLine start_line;      // complete
  FieldIndex index;          // complete
  bool underscored = false;  // complete: some name has a "_"
  Fault fault;               // faulty

  void clear() {
    state = State::incomplete;
    fields = 0;
    start_line = {};
    index.clear();
    underscored = false;
  }
};

class HeadScanner {
 public:
  HeadScanner(HeadKind kind, const ScanLimits& limits) : kind_(kind), limits_(limits) {}

  // `seen` as in HeadParser. `fields` is overwritten.
  void scan(std::string_view bytes, size_t seen, std::vector<Field>& fields, Scan& result) const;

 private:
  bool may_start(char byte) const;
  void scan_all(std::string_view bytes, std::vector<Field>& fields, Scan& result) const;
  bool is_worth_reading(std::string_view bytes, size_t seen, std::vector<Field>& fields,
                        Scan& result) const;
  const char* read_fields(const char* at, const char* end, ControlScan controls,
                          std::vector<Field>& fields, Scan& result) const;
  void judge_start_line(const char* line, const char* from, const char* end, Scan& result) const;
  void judge_field_line(const char* line, const char* from, const char* end, Scan& result) const;

  HeadKind kind_;
  ScanLimits limits_;
};

}  // namespace http

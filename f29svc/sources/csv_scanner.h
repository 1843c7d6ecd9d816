// Splits a stream into records of fields: `;` (or another delimiter), quotes, any line end.
// Fields are views that live until the next record.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "f29svc/sources/rcv.h"

namespace f29 {

struct CsvRecord {
  static constexpr size_t kFieldsMost = 128;
  std::array<std::string_view, kFieldsMost> fields;
  size_t count = 0;            // may be above kFieldsMost; those beyond are not kept
  bool filled_beyond = false;  // one of those beyond was not empty
  bool is_unclosed = false;    // a quote was never closed: the line was split without quotes
  bool is_too_long = false;    // more than kRecordMost bytes: cut, and useless
  int64_t line = 0;            // 1-based, of its first byte
};

class CsvScanner {
 public:
  static constexpr size_t kRecordMost = size_t{64} << 10;

  explicit CsvScanner(ByteSource& bytes);
  // Up to 4 KiB from the start, for looking at what the file is. Removes a UTF-8 mark.
  base::Result<std::string_view> peek();
  void set_delimiter(char delimiter) { delimiter_ = delimiter; }
  // False: the end.
  base::Result<bool> next(CsvRecord& record);

 private:
  base::Result<> fill();
  // The end of the record (after its line end), null: it does not end in what is there.
  const char* split_plain(const char* from, const char* end, CsvRecord& record);
  const char* split_with_quotes(const char* from, const char* end, CsvRecord& record);
  const char* split_quoted(const char* from, const char* end, CsvRecord& record);
  const char* split_ignoring_quotes(const char* from, const char* end, CsvRecord& record);
  static void put(CsvRecord& record, std::string_view field) {
    if (record.count < CsvRecord::kFieldsMost) {
      record.fields[record.count] = field;
    } else if (!field.empty()) {
      record.filled_beyond = true;
    }
    ++record.count;
  }

  ByteSource& bytes_;
  std::vector<char> buffer_;
  size_t begin_ = 0;
  size_t end_ = 0;
  bool is_over_ = false;
  bool met_quote_ = false;
  char delimiter_ = ';';
  int64_t line_ = 1;
  std::string unquoted_;  // contents of fields with doubled quotes
};

}  // namespace f29

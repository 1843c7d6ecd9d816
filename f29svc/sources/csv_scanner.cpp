#include "f29svc/sources/csv_scanner.h"

#include <algorithm>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace f29 {
namespace {

constexpr size_t kBuffer = size_t{256} << 10;

// Bit i: byte i is a delimiter, a line feed or a quote.
struct Marks {
  uint32_t stops = 0;
  uint32_t quotes = 0;
};

#if defined(__SSE2__)
constexpr ptrdiff_t kBlock = 16;
Marks marks_of(const char* at, char delimiter) {
  __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
  __m128i delimiters = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(delimiter));
  __m128i line_ends = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\n'));
  __m128i quotes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
  return {static_cast<uint32_t>(_mm_movemask_epi8(_mm_or_si128(delimiters, line_ends))),
          static_cast<uint32_t>(_mm_movemask_epi8(quotes))};
}
#else
constexpr ptrdiff_t kBlock = 8;
Marks marks_of(const char* at, char delimiter) {
  Marks marks;
  for (uint32_t i = 0; i < 8; ++i) {
    if (at[i] == delimiter || at[i] == '\n') marks.stops |= 1u << i;
    if (at[i] == '"') marks.quotes |= 1u << i;
  }
  return marks;
}
#endif

std::string_view without_return(const char* from, const char* to) {
  if (to > from && to[-1] == '\r') --to;
  return {from, static_cast<size_t>(to - from)};
}

}  // namespace

// The tail of the buffer is never read past end_ by blocks: kBlock bytes of room follow it.
CsvScanner::CsvScanner(ByteSource& bytes) : bytes_(bytes), buffer_(kBuffer + kBlock) {}

base::Result<> CsvScanner::fill() {
  if (begin_ != 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  while (end_ < kBuffer && !is_over_) {
    auto count = bytes_.read(buffer_.data() + end_, kBuffer - end_);
    if (!count) return base::fail(count.error());
    is_over_ = *count == 0;
    end_ += *count;
  }
  // Every record ends in a line feed: the last one gets it if it has none.
  if (is_over_ && end_ != 0 && buffer_[end_ - 1] != '\n') buffer_[end_++] = '\n';
  return {};
}

base::Result<std::string_view> CsvScanner::peek() {
  if (auto filled = fill(); !filled) return base::fail(filled.error());
  std::string_view start(buffer_.data(), end_);
  if (start.starts_with("\xEF\xBB\xBF")) begin_ = 3;
  return start.substr(begin_, 4096);
}

const char* CsvScanner::split_plain(const char* from, const char* end, CsvRecord& record) {
  record.count = 0;
  const char* field = from;
  for (const char* block = from; block < end; block += kBlock) {
    Marks marks = marks_of(block, delimiter_);
    if (end - block < kBlock) {
      uint32_t real = (1u << static_cast<uint32_t>(end - block)) - 1;  // what follows is stale
      marks.stops &= real;
      marks.quotes &= real;
    }
    for (uint32_t stops = marks.stops; stops != 0; stops &= stops - 1) {
      uint32_t bit = static_cast<uint32_t>(__builtin_ctz(stops));
      if ((marks.quotes & ((1u << bit) - 1)) != 0) break;
      const char* stop = block + bit;
      if (*stop == '\n') {
        put(record, without_return(field, stop));
        return stop + 1;
      }
      put(record, {field, static_cast<size_t>(stop - field)});
      field = stop + 1;
    }
    if (marks.quotes != 0) {
      met_quote_ = true;
      return nullptr;
    }
  }
  return nullptr;
}

const char* CsvScanner::split_ignoring_quotes(const char* from, const char* end,
                                              CsvRecord& record) {
  record.count = 0;
  const char* field = from;
  for (const char* at = from; at < end; ++at) {
    if (*at == '\n') {
      put(record, without_return(field, at));
      return at + 1;
    }
    if (*at != delimiter_) continue;
    put(record, {field, static_cast<size_t>(at - field)});
    field = at + 1;
  }
  return nullptr;
}

const char* CsvScanner::split_quoted(const char* from, const char* end, CsvRecord& record) {
  record.count = 0;
  unquoted_.clear();
  unquoted_.reserve(static_cast<size_t>(end - from));  // views into it must stay
  const char* at = from;
  while (at < end) {
    if (*at != '"') {
      const char* field = at;
      while (at < end && *at != delimiter_ && *at != '\n') ++at;
      if (at == end) return nullptr;
      put(record, *at == '\n' ? without_return(field, at)
                              : std::string_view(field, static_cast<size_t>(at - field)));
    } else {
      size_t start = unquoted_.size();
      for (++at; at < end; ++at) {
        if (*at != '"') {
          unquoted_ += *at;
        } else if (at + 1 < end && at[1] == '"') {
          unquoted_ += *at++;
        } else {
          break;
        }
      }
      // Whatever stands between the closing quote and the delimiter belongs to the field.
      for (++at; at < end && *at != delimiter_ && *at != '\n'; ++at) {
        if (*at != '\r') unquoted_ += *at;
      }
      if (at >= end) return nullptr;
      put(record, std::string_view(unquoted_).substr(start));
    }
    if (*at++ == '\n') return at;
    if (at == end) return nullptr;
  }
  return nullptr;
}

base::Result<bool> CsvScanner::next(CsvRecord& record) {
  record.filled_beyond = record.is_unclosed = record.is_too_long = false;
  record.line = line_;
  for (;;) {
    const char* from = buffer_.data() + begin_;
    const char* end = buffer_.data() + end_;
    met_quote_ = false;
    const char* past = split_plain(from, end, record);
    if (met_quote_) past = split_with_quotes(from, end, record);
    if (past != nullptr) {
      line_ += met_quote_ ? std::count(from, past, '\n') : 1;
      begin_ += static_cast<size_t>(past - from);
      record.is_too_long = static_cast<size_t>(past - from) > kRecordMost;
      return true;
    }
    if (is_over_ && begin_ == end_) return false;
    if (is_over_ || end_ - begin_ > kRecordMost) {
      return base::fail(base::ErrorCode::bad_input, base::Side::client, "row_too_long");
    }
    if (auto filled = fill(); !filled) return base::fail(filled.error());
  }
}

const char* CsvScanner::split_with_quotes(const char* from, const char* end, CsvRecord& record) {
  // A quote that is not closed within one record's size must not swallow the rest of the file.
  const char* near_end = std::min(end, from + kRecordMost);
  const char* past = split_quoted(from, near_end, record);
  bool can_grow = near_end == end && !is_over_;
  if (past != nullptr || can_grow) return past;
  past = split_ignoring_quotes(from, near_end, record);
  record.is_unclosed = past != nullptr;
  return past;
}

}  // namespace f29

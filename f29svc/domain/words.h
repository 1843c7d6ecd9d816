// Text of files that may be UTF-8 or Windows-1252 and came through a spreadsheet.
#pragma once

#include <string>
#include <string_view>

namespace f29 {

bool is_utf8(std::string_view text);
// Without spaces, tabs and carriage returns at both ends.
std::string_view trim_more(std::string_view text);
inline std::string_view trimmed(std::string_view text) {
  // Most fields need none.
  bool is_clean = text.empty() || (text.front() > ' ' && text.back() > ' ');
  return is_clean ? text : trim_more(text);
}
// Trimmed, as UTF-8 (bytes that are no UTF-8 are read as Windows-1252), control characters as
// spaces. Keeps the memory of `into`.
void to_clean_utf8(std::string_view text, std::string& into);
// For comparing words: lower case, without accents, everything but letters and digits as one space.
std::string plain_words(std::string_view text);

}  // namespace f29

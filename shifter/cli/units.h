// Figures and tables as people read them. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cli {

std::string seconds_text(int64_t seconds);  // "9 s", "2 min 5 s", "3 h 12 min", "4 d 2 h"
std::string percent_text(double share);     // 0.125 → "12.5 %", 1 → "100 %"
std::string rate_text(double per_second);   // "0.4/s", "12.3/s", "1240/s"
std::string latency_text(int64_t us);       // "4.2 ms", "310 ms", "1.25 s"
// Without control characters, whatever a client or a file put there.
std::string printable(std::string_view text);

// Columns on a terminal: code points, since nothing here is wider than one.
size_t width_of(std::string_view text);
std::string clip(std::string_view text, size_t columns);
enum class Align : unsigned char { left, right };
std::string padded(std::string_view text, size_t columns, Align align);

using Row = std::vector<std::string>;
// The first row is the heading. A column of figures only is aligned to the right.
std::string table_text(const std::vector<Row>& rows);

}  // namespace cli

#include "shifter/cli/units.h"

#include <algorithm>
#include <cstdio>

namespace cli {
namespace {

std::string formatted(const char* format, double value, const char* unit) {
  char text[48];
  std::snprintf(text, sizeof text, format, value);
  return std::string(text) + unit;
}

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U; }

// A number, or a number of percent.
bool is_figure(std::string_view cell) {
  if (cell.ends_with(" %")) cell.remove_suffix(2);
  return std::all_of(cell.begin(), cell.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::string seconds_text(int64_t seconds) {
  const auto two = [](int64_t large, const char* name, int64_t small, const char* small_name) {
    std::string text = std::to_string(large) + " " + name;
    if (small > 0) text += " " + std::to_string(small) + " " + small_name;
    return text;
  };
  if (seconds < 60) return std::to_string(std::max<int64_t>(0, seconds)) + " s";
  if (seconds < 3600) return two(seconds / 60, "min", seconds % 60, "s");
  if (seconds < 86'400) return two(seconds / 3600, "h", seconds % 3600 / 60, "min");
  return two(seconds / 86'400, "d", seconds % 86'400 / 3600, "h");
}

std::string percent_text(double share) {
  const double percent = share * 100;
  return percent >= 99.95 ? "100 %" : formatted("%.1f", percent, " %");
}

std::string rate_text(double per_second) {
  return formatted(per_second < 99.95 ? "%.1f" : "%.0f", per_second, "/s");
}

std::string latency_text(int64_t us) {
  const double ms = static_cast<double>(us) / 1000;
  if (ms < 9.95) return formatted("%.1f", ms, " ms");
  if (ms < 999.5) return formatted("%.0f", ms, " ms");
  return formatted(ms < 9995 ? "%.2f" : "%.1f", ms / 1000, " s");
}

std::string printable(std::string_view text) {
  std::string clean;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool c1 =
        byte == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0;
    clean += byte < 0x20 || byte == 0x7f || c1 ? '?' : text[i];
    if (c1) ++i;
  }
  return clean;
}

size_t width_of(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return !is_continuation(c); }));
}

std::string clip(std::string_view text, size_t columns) {
  size_t at = 0;
  for (size_t seen = 0; at < text.size(); ++at) {
    if (is_continuation(text[at])) continue;
    if (seen++ == columns) break;
  }
  return std::string(text.substr(0, at));
}

std::string padded(std::string_view text, size_t columns, Align align) {
  const size_t width = width_of(text);
  const std::string space(columns > width ? columns - width : 0, ' ');
  return align == Align::left ? std::string(text) + space : space + std::string(text);
}

std::string table_text(const std::vector<Row>& rows) {
  std::vector<size_t> widths;
  std::vector<Align> aligns;
  for (const Row& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(row[i]));
  }
  for (size_t i = 0; i < widths.size(); ++i) {
    const bool figures = std::all_of(rows.begin() + 1, rows.end(), [&](const Row& row) {
      return i >= row.size() || is_figure(row[i]);
    });
    aligns.push_back(figures && i > 0 ? Align::right : Align::left);
  }
  std::string text;
  for (const Row& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      line += (i > 0 ? "  " : "") + padded(row[i], widths[i], aligns[i]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

}  // namespace cli

#include "proxy/base/yaml_values.h"

#include <algorithm>
#include <charconv>
#include <numeric>
#include <vector>

#include "proxy/base/yaml.h"

namespace base {
namespace {

struct Unit {
  std::string_view name;
  int64_t factor;
};
constexpr Unit kDurations[] = {
    {"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
constexpr Unit kSizes[] = {
    {"B", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", int64_t{1} << 40}};

// A whole, non-negative number with a unit; `bare` is the factor when there is none.
template <size_t N>
std::optional<int64_t> parse_with_unit(std::string_view text, const Unit (&units)[N],
                                       int64_t bare) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number < 0) return std::nullopt;
  const std::string_view unit = text.substr(static_cast<size_t>(end - text.data()));
  int64_t factor = unit.empty() ? bare : 0;
  for (const Unit& known : units) {
    if (known.name == unit) factor = known.factor;
  }
  int64_t value = 0;
  if (factor == 0 || __builtin_mul_overflow(number, factor, &value)) return std::nullopt;
  return value;
}

// Changes of one character that make b out of a.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row.back();
}

}  // namespace

std::optional<int64_t> parse_integer(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<int64_t> parse_size(std::string_view text) {
  return parse_with_unit(text, kSizes, 1);
}

std::optional<bool> parse_switch(std::string_view text) {
  if (text == "on" || text == "true" || text == "yes") return true;
  if (text == "off" || text == "false" || text == "no") return false;
  return std::nullopt;
}

std::optional<Millis> parse_duration(std::string_view text) {
  const std::optional<int64_t> ms = parse_with_unit(text, kDurations, 1'000);
  if (!ms) return std::nullopt;
  return Millis(*ms);
}

std::string duration_text(Millis value) {
  const int64_t ms = value.count();
  for (size_t i = std::size(kDurations); i-- > 0;) {
    const Unit& unit = kDurations[i];
    if (ms != 0 && ms % unit.factor == 0) {
      return std::to_string(ms / unit.factor) + std::string(unit.name);
    }
  }
  return std::to_string(ms) + (ms == 0 ? "s" : "ms");
}

std::optional<std::string> nearest_word(std::string_view given,
                                        const std::vector<std::string>& words) {
  // Of a short word so many letters may be wrong that at least one is right.
  const size_t most = std::min(std::max<size_t>(2, given.size() / 3), (given.size() + 1) / 2);
  const std::string* nearest = nullptr;
  size_t least = most + 1;
  for (const std::string& word : words) {
    const size_t distance = edit_distance(given, word);
    if (distance < least) {
      least = distance;
      nearest = &word;
    }
  }
  if (nearest == nullptr) return std::nullopt;
  return *nearest;
}

}  // namespace base

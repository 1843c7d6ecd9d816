#include "f29svc/domain/money.h"

#include <cstdlib>

#include "proxy/base/check.h"

namespace f29 {
namespace {

__extension__ using Wide = __int128;

constexpr int64_t kPowers[] = {1,       10,        100,        1'000,       10'000,
                               100'000, 1'000'000, 10'000'000, 100'000'000, 1'000'000'000};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::optional<int64_t> narrow(Wide value) {
  if (value > INT64_MAX || value < INT64_MIN) return std::nullopt;
  return static_cast<int64_t>(value);
}

// numerator / denominator, half away from zero. Needs: denominator above 0.
Wide round_half_up(Wide numerator, Wide denominator) {
  bool negative = numerator < 0;
  Wide size = negative ? -numerator : numerator;
  Wide quotient = size / denominator;
  if ((size % denominator) * 2 >= denominator) ++quotient;
  return negative ? -quotient : quotient;
}

}  // namespace

Pesos operator+(Pesos a, Pesos b) {
  int64_t sum = 0;
  CHECK(!__builtin_add_overflow(a.value(), b.value(), &sum));
  return Pesos{sum};
}

Pesos operator-(Pesos a, Pesos b) {
  int64_t difference = 0;
  CHECK(!__builtin_sub_overflow(a.value(), b.value(), &difference));
  return Pesos{difference};
}

Pesos operator-(Pesos a) { return Pesos{} - a; }
Pesos& operator+=(Pesos& a, Pesos b) { return a = a + b; }
Pesos& operator-=(Pesos& a, Pesos b) { return a = a - b; }

std::optional<Pesos> checked_add(Pesos a, Pesos b) {
  int64_t sum = 0;
  if (__builtin_add_overflow(a.value(), b.value(), &sum)) return std::nullopt;
  return Pesos{sum};
}

std::optional<Pesos> parse_pesos(std::string_view text) {
  bool negative = !text.empty() && text.front() == '-';
  if (negative) text.remove_prefix(1);
  if (text.empty() || text.size() > 15) return std::nullopt;
  int64_t value = 0;
  for (char c : text) {
    if (!is_digit(c)) return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return Pesos{negative ? -value : value};
}

std::optional<Decimal> Decimal::parse(std::string_view text, int scale_most) {
  bool negative = !text.empty() && text.front() == '-';
  if (negative) text.remove_prefix(1);
  int64_t units = 0;
  int digits = 0;
  int scale = 0;
  bool point = false;
  for (char c : text) {
    if (c == '.' || c == ',') {
      if (point || digits == 0) return std::nullopt;
      point = true;
      continue;
    }
    if (!is_digit(c) || ++digits > 18) return std::nullopt;
    if (point && ++scale > kScaleMost) return std::nullopt;
    units = units * 10 + (c - '0');
  }
  if (digits == 0 || (point && scale == 0)) return std::nullopt;
  if (units / kPowers[scale] > kAmountMost) return std::nullopt;
  // Zeros at the end say nothing: 0.1250 has three decimals.
  int said = scale;
  for (int64_t rest = units; said > scale_most; --said, rest /= 10) {
    if (rest % 10 != 0) return std::nullopt;
    units = rest / 10;
  }
  return Decimal{negative ? -units : units, said};
}

bool Decimal::is_whole() const { return units_ % kPowers[scale_] == 0; }

std::string Decimal::text() const {
  int64_t size = std::abs(units_);
  std::string text = units_ < 0 ? "-" : "";
  text += std::to_string(size / kPowers[scale_]);
  int64_t fraction = size % kPowers[scale_];
  if (fraction == 0) return text;
  std::string digits = std::to_string(fraction);
  text += '.' + std::string(static_cast<size_t>(scale_) - digits.size(), '0') + digits;
  text.erase(text.find_last_not_of('0') + 1);
  return text;
}

std::strong_ordering operator<=>(const Decimal& a, const Decimal& b) {
  Wide left = static_cast<Wide>(a.units()) * kPowers[b.scale()];
  Wide right = static_cast<Wide>(b.units()) * kPowers[a.scale()];
  return left <=> right;
}

bool operator==(const Decimal& a, const Decimal& b) { return (a <=> b) == 0; }

std::optional<Pesos> multiply_half_up(Pesos amount, Decimal factor) {
  return multiply_half_up(Decimal{amount.value(), 0}, factor);
}

std::optional<Pesos> percent_half_up(Pesos base, Decimal rate) {
  Wide product = static_cast<Wide>(base.value()) * rate.units();
  auto value = narrow(round_half_up(product, static_cast<Wide>(kPowers[rate.scale()]) * 100));
  if (!value) return std::nullopt;
  return Pesos{*value};
}

std::optional<Decimal> divide_half_up(Decimal numerator, Decimal denominator, int decimals) {
  if (denominator.is_zero() || decimals < 0 || decimals > Decimal::kScaleMost) return std::nullopt;
  Wide top = static_cast<Wide>(numerator.units()) * kPowers[denominator.scale()];
  Wide bottom = static_cast<Wide>(denominator.units()) * kPowers[numerator.scale()];
  if (bottom < 0) {
    top = -top;
    bottom = -bottom;
  }
  if (__builtin_mul_overflow(top, static_cast<Wide>(kPowers[decimals]), &top)) return std::nullopt;
  auto units = narrow(round_half_up(top, bottom));
  if (!units) return std::nullopt;
  return Decimal{*units, decimals};
}

std::optional<Pesos> multiply_half_up(Decimal a, Decimal b) {
  Wide product = static_cast<Wide>(a.units()) * b.units();
  auto value =
      narrow(round_half_up(product, static_cast<Wide>(kPowers[a.scale()]) * kPowers[b.scale()]));
  if (!value) return std::nullopt;
  return Pesos{*value};
}

std::string grouped(Pesos amount) {
  std::string text = std::to_string(amount.value());
  size_t first = text.front() == '-' ? 1 : 0;
  for (size_t at = text.size(); at > first + 3;) {
    at -= 3;
    text.insert(at, 1, '.');
  }
  return text;
}

}  // namespace f29

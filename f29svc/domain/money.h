// Whole pesos and exact decimals. No binary floating point anywhere in the tax service.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace f29 {

// Every amount that a source delivers is at most 15 digits, so a handful of them never overflow.
inline constexpr int64_t kAmountMost = 999'999'999'999'999;

class Pesos {
 public:
  constexpr Pesos() = default;
  explicit constexpr Pesos(int64_t value) : value_(value) {}
  constexpr int64_t value() const { return value_; }
  friend constexpr auto operator<=>(Pesos, Pesos) = default;

 private:
  int64_t value_ = 0;
};

// Within one document the operands are bounded by kAmountMost; an overflow is our own mistake and
// ends the process. Sums over many documents go through Sum.
Pesos operator+(Pesos a, Pesos b);
Pesos operator-(Pesos a, Pesos b);
Pesos operator-(Pesos a);
Pesos& operator+=(Pesos& a, Pesos b);
Pesos& operator-=(Pesos& a, Pesos b);

std::optional<Pesos> checked_add(Pesos a, Pesos b);

// A sum over any number of documents. Remembers an overflow instead of wrapping.
class Sum {
 public:
  void add(Pesos amount) { overflowed_ |= __builtin_add_overflow(total_, amount.value(), &total_); }
  Pesos total() const { return Pesos{total_}; }
  bool overflowed() const { return overflowed_; }

 private:
  int64_t total_ = 0;
  bool overflowed_ = false;
};

// "1000", "-5": digits only, at most 15 of them.
std::optional<Pesos> parse_pesos(std::string_view text);

// units / 10^scale, scale 0 to 9. Keeps the scale it was written with; compares by value.
class Decimal {
 public:
  static constexpr int kScaleMost = 9;

  constexpr Decimal() = default;
  constexpr Decimal(int64_t units, int scale) : units_(units), scale_(static_cast<int8_t>(scale)) {}
  // Accepts a point or a comma, at most 15 significant digits, at most `scale_most` decimals.
  static std::optional<Decimal> parse(std::string_view text, int scale_most = kScaleMost);

  constexpr int64_t units() const { return units_; }
  constexpr int scale() const { return scale_; }
  constexpr bool is_zero() const { return units_ == 0; }
  bool is_whole() const;
  // With a point, without trailing zeros: "0.125", "20.5", "10".
  std::string text() const;

 private:
  int64_t units_ = 0;
  int8_t scale_ = 0;
};
std::strong_ordering operator<=>(const Decimal& a, const Decimal& b);
bool operator==(const Decimal& a, const Decimal& b);

// Half-up (away from zero). Empty on overflow or division by zero.
std::optional<Pesos> multiply_half_up(Pesos amount, Decimal factor);
std::optional<Pesos> percent_half_up(Pesos base, Decimal rate);
// numerator / denominator with `decimals` decimals.
std::optional<Decimal> divide_half_up(Decimal numerator, Decimal denominator, int decimals);
// The quotient times a decimal, to whole pesos: UTM quantity times UTM.
std::optional<Pesos> multiply_half_up(Decimal a, Decimal b);

// The amount grouped for people: "1.216.000".
std::string grouped(Pesos amount);

}  // namespace f29

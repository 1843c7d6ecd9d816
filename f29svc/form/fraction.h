// Exact fractions of 128 bits. Every operation says when it would overflow.
#pragma once

#include <cstdint>
#include <optional>

namespace f29 {

__extension__ using Int128 = __int128;

struct Fraction {
  Int128 top = 0;
  Int128 bottom = 1;  // above 0, without a common divisor
};

std::optional<Fraction> reduced(Int128 top, Int128 bottom);  // empty: bottom is 0
std::optional<Fraction> plus(const Fraction& a, const Fraction& b);
std::optional<Fraction> negated(const Fraction& a);
std::optional<Fraction> times(const Fraction& a, const Fraction& b);
std::optional<Fraction> divided(const Fraction& a, const Fraction& b);
std::optional<Fraction> rounded(const Fraction& a);  // half away from zero
std::optional<bool> is_less(const Fraction& a, const Fraction& b);

}  // namespace f29

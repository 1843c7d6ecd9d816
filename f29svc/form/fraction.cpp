#include "f29svc/form/fraction.h"

namespace f29 {
namespace {

constexpr Int128 kLeast = static_cast<Int128>(1) << 127;

Int128 common_divisor(Int128 a, Int128 b) {
  while (b != 0) {
    Int128 rest = a % b;
    a = b;
    b = rest;
  }
  return a < 0 ? -a : a;
}

std::optional<Int128> product(Int128 a, Int128 b) {
  Int128 value = 0;
  if (__builtin_mul_overflow(a, b, &value)) return std::nullopt;
  return value;
}

}  // namespace

std::optional<Fraction> reduced(Int128 top, Int128 bottom) {
  // The least value has no opposite; nothing a form can hold comes near it.
  if (bottom == 0 || top == kLeast || bottom == kLeast) return std::nullopt;
  if (bottom < 0) {
    top = -top;
    bottom = -bottom;
  }
  if (bottom == 1) return Fraction{top, 1};
  Int128 divisor = common_divisor(top, bottom);
  return Fraction{top / divisor, bottom / divisor};
}

std::optional<Fraction> plus(const Fraction& a, const Fraction& b) {
  auto left = product(a.top, b.bottom);
  auto right = product(b.top, a.bottom);
  auto bottom = product(a.bottom, b.bottom);
  Int128 top = 0;
  if (!left || !right || !bottom || __builtin_add_overflow(*left, *right, &top)) {
    return std::nullopt;
  }
  return reduced(top, *bottom);
}

std::optional<Fraction> negated(const Fraction& a) { return Fraction{-a.top, a.bottom}; }

std::optional<Fraction> times(const Fraction& a, const Fraction& b) {
  auto top = product(a.top, b.top);
  auto bottom = product(a.bottom, b.bottom);
  if (!top || !bottom) return std::nullopt;
  return reduced(*top, *bottom);
}

std::optional<Fraction> divided(const Fraction& a, const Fraction& b) {
  auto top = product(a.top, b.bottom);
  auto bottom = product(a.bottom, b.top);
  if (!top || !bottom) return std::nullopt;
  return reduced(*top, *bottom);
}

std::optional<Fraction> rounded(const Fraction& a) {
  Int128 size = a.top < 0 ? -a.top : a.top;
  Int128 whole = size / a.bottom;
  Int128 rest = size % a.bottom;
  if (rest >= a.bottom - rest) ++whole;
  return Fraction{a.top < 0 ? -whole : whole, 1};
}

std::optional<bool> is_less(const Fraction& a, const Fraction& b) {
  auto left = product(a.top, b.bottom);
  auto right = product(b.top, a.bottom);
  if (!left || !right) return std::nullopt;
  return *left < *right;
}

}  // namespace f29

// The Chilean tax id: a number of one to eight digits and a check digit (0-9 or K).
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace f29 {

class Rut {
 public:
  constexpr Rut() = default;
  explicit constexpr Rut(uint32_t number) : number_(number) {}
  constexpr uint32_t number() const { return number_; }
  constexpr bool is_empty() const { return number_ == 0; }
  char check_digit() const;
  std::string text() const;  // canonical: "99990100-K"; empty for none
  bool is_company() const { return number_ >= 50'000'000; }
  friend constexpr auto operator<=>(Rut, Rut) = default;

 private:
  uint32_t number_ = 0;
};

// 11 - (sum of digits times 2..7 from the right, mod 11); 11 is 0 and 10 is K.
char rut_check_digit(uint32_t number);

struct RutReading {
  Rut rut;
  bool right_digit = true;  // the check digit fits
  bool leading_zeros = false;
  bool dots = false;
};
// Any usual writing: dots, spaces around, leading zeros, small k. Empty: not a RUT at all.
std::optional<RutReading> read_rut(std::string_view text);
// Only right ones, in any writing.
std::optional<Rut> parse_rut(std::string_view text);

inline constexpr Rut kTreasury{60'805'000};       // issuer of every import declaration (914)
inline constexpr Rut kForeigner{55'555'555};      // generic foreign receiver
inline constexpr Rut kFinalConsumer{66'666'666};  // generic final consumer

}  // namespace f29

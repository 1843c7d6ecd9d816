// What stands in one box of the form.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "f29svc/domain/money.h"

namespace f29 {

struct BoxValue {
  enum class Kind : uint8_t { amount, decimal, text };
  Kind kind = Kind::amount;
  int64_t amount = 0;  // pesos, counts, marks (0 or 1)
  Decimal decimal;     // rates and volumes
  std::string text;    // dates and ids

  static BoxValue of(Pesos pesos) { return {Kind::amount, pesos.value(), {}, {}}; }
  static BoxValue of(int64_t number) { return {Kind::amount, number, {}, {}}; }
  static BoxValue of(Decimal decimal) { return {Kind::decimal, 0, decimal, {}}; }
  static BoxValue of(std::string text) { return {Kind::text, 0, {}, std::move(text)}; }

  bool is_empty() const {
    return kind == Kind::amount    ? amount == 0
           : kind == Kind::decimal ? decimal.is_zero()
                                   : text.empty();
  }
  std::string plain() const;  // "1216000", "0.125", "22/01/2019"
  friend bool operator==(const BoxValue& a, const BoxValue& b) { return a.plain() == b.plain(); }
};

// By code, so that every output has one order. A missing box is 0.
using Boxes = std::map<int, BoxValue>;
int64_t amount_in(const Boxes& boxes, int code);

}  // namespace f29

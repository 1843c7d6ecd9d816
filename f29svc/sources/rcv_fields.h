// Single fields of a register file: amounts, folios, days, references, with what is odd about them.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "f29svc/domain/document.h"

namespace f29 {

// What a file that went through a spreadsheet or an old exporter shows. Bits.
enum Odd : uint32_t {
  kOddNone = 0,
  kOddNull = 1u << 0,       // the literal null
  kOddThousands = 1u << 1,  // 1.000.000
  kOddDashDate = 1u << 2,   // 05-06-2026
  kOddNegative = 1u << 3,
  kOddComma = 1u << 4,  // a decimal comma
  kOddBad = 1u << 5,    // cannot be used
};

// Empty, null and "-" are 0. Negative ones are given as their size.
int64_t read_amount(std::string_view field, uint32_t& odd);
// 0: none.
int64_t read_folio(std::string_view field, uint32_t& odd);
// A small number such as a type or a code; 0: none.
int read_code(std::string_view field, uint32_t& odd);
// dd/mm/yyyy, also with dashes, a time behind it, or as yyyy-mm-dd. None: empty or null.
Date read_day(std::string_view field, uint32_t& odd);
// "10370-10371" are two folios, "1057539-304-SE26" is one reference.
void read_references(std::string_view type, std::string_view folio, std::vector<Reference>& into);
// "Total Oper. del mes Boleta Electr.(39)" → 39; 0: none.
int read_type_in_parentheses(std::string_view label);

}  // namespace f29

// The rows of the code table; form.h is what others use.
#pragma once

#include <span>
#include <string_view>

#include "f29svc/form/form.h"

namespace f29 {

struct CodeRow {
  int code;
  int16_t lines[3];
  BoxKind kind;
  char sign;
  std::string_view label;
  bool identity;
};
std::span<const CodeRow> code_rows();

struct FormulaRow {
  int code;
  std::string_view text;
};
// The form's formulas and the helpers, which have codes from kHelperFirst on and are never shown.
std::span<const FormulaRow> formula_rows();

inline constexpr int kHelperFirst = 10'000;
inline constexpr int kHelperRoom = 10'001;  // what special credits may be taken from
inline constexpr int kHelperPaper = 10'002;        // VAT credit of documents on paper, for 511
inline constexpr int kHelperFinalConsumer = 10'003;      // setting final_consumer, 0 or 1

}  // namespace f29

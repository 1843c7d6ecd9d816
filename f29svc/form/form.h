// The form itself: every code with its label, sign, kind, formula and line in each version. Keyed
// on the code, never on the line.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "f29svc/domain/box_value.h"
#include "f29svc/domain/period.h"

namespace f29 {

enum class BoxKind : uint8_t {
  text,
  rut,
  id,
  period,
  number,
  checkbox,
  date,
  unknown,
  echo,  // mostly identity
  count,
  net,
  debit,
  credit,
  info,
  total,
  tax,
  withholding,
  base,
  rate,
  ppm,
  surcharge,
  remanente,
  volume,
  component,
};
std::string_view kind_text(BoxKind kind);

enum class FormVersion : uint8_t { v122, v144, v150 };
std::string_view version_text(FormVersion version);  // "V150"
FormVersion version_of(Period period);

struct BoxInfo {
  int code;
  int16_t lines[3];  // by FormVersion; 0: not in that version
  BoxKind kind;
  char sign;                 // '+', '-', '=' or ' '
  std::string_view label;    // Spanish, our own words
  std::string_view formula;  // empty: not computed; see form/formula.h
  bool identity;             // not a box of the declaration: names, ids, echoes, unknown ones
};

std::span<const BoxInfo> all_boxes();        // ordered by code
const BoxInfo* find_box(int code);           // null: unknown
int line_of(int code, FormVersion version);  // 0: none
bool may_be_negative(int code);              // 538, 537, 596, 743, 745
// Boxes that nobody may give: totals, 77, 89, 504.
bool is_only_computed(const BoxInfo& box);

// A value as a person or a file writes it, checked against the box: whole pesos, rates with at
// most three decimals, marks. The error says what is wrong.
struct ReadValue {
  std::optional<BoxValue> value;
  std::string_view error;  // when there is no value
};
ReadValue read_box_value(const BoxInfo& box, std::string_view text);

}  // namespace f29

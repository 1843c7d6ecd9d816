// What a row of a register file may show, with its words. Odd rows are kept with a warning, faulty
// ones are rejected with an error.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "f29svc/domain/finding.h"

namespace f29 {

enum class RowFact : uint8_t {
  // Kept.
  trailing_delimiter,
  extra_columns,
  rut_leading_zeros,
  literal_null,
  row_number_gap,
  row_number_missing,
  decimal_comma,
  bad_rate,
  negative_amount,
  thousands_separator,
  dash_date,
  total_mismatch,
  total_missing,
  boleta_in_detail,
  empty_name,
  wrong_check_digit_kept,
  duplicate_copy_total_zero,
  duplicate_document,
  in_two_sections,
  import_issuer,
  class_contradicts,
  withheld_over_vat,
  unclosed_quote_kept,
  // Rejected.
  blank_row,
  too_few_columns,
  too_many_columns,
  row_too_long,
  missing_document_type,
  unknown_document_type,
  bad_rut,
  rut_check_digit,
  missing_folio,
  bad_number_or_date,
  unknown_purchase_type,
  unknown_sale_type,
  negative_invoice,
  orphan_continuation,
  too_many_taxes,
  duplicate_conflict,
};
inline constexpr size_t kRowFacts = static_cast<size_t>(RowFact::duplicate_conflict) + 1;

struct RowFactText {
  RowFact fact;
  std::string_view code;
  Severity severity;
  std::string_view message;
  std::string_view advice;
};
const RowFactText& text_of(RowFact fact);

// The findings of one file: after the first thousand of a kind only a number is kept, so that a
// file in which every row is odd costs no time.
class RowFindings {
 public:
  RowFindings(Findings& findings, std::string file) : findings_(findings), file_(std::move(file)) {}
  ~RowFindings();
  RowFindings(const RowFindings&) = delete;
  RowFindings& operator=(const RowFindings&) = delete;

  // `column` is 1-based, 0: the row. `more` is appended to the message.
  void add(RowFact fact, int64_t line, int column = 0, const std::string& more = {});
  // Will the words of the next one be looked at?
  bool wants(RowFact fact) const;

 private:
  Findings& findings_;
  std::string file_;
  std::array<int64_t, kRowFacts> counts_{};
};

}  // namespace f29

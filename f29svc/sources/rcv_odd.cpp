#include "f29svc/sources/rcv_odd.h"

namespace f29 {
namespace {

using enum RowFact;
constexpr auto kWarning = Severity::warning;
constexpr auto kError = Severity::error;

constexpr RowFactText kTexts[] = {
    {trailing_delimiter, "trailing_delimiter", kWarning, "one delimiter too many at the end",
     "nothing: the row is used"},
    {extra_columns, "extra_columns", kWarning, "more fields than the header names, all empty",
     "nothing: the row is used"},
    {rut_leading_zeros, "rut_leading_zeros", kWarning, "the RUT has leading zeros",
     "nothing: they are dropped"},
    {literal_null, "literal_null", kWarning, "the word null stands for an empty field",
     "nothing: it is read as empty"},
    {row_number_gap, "row_number_gap", kWarning, "Nro skips", "make sure that no row was deleted"},
    {row_number_missing, "row_number_missing", kWarning, "Nro is empty but the row has amounts",
     "make sure that the row belongs here"},
    {decimal_comma, "decimal_comma", kWarning, "a rate has a decimal comma",
     "nothing: it is read as a point"},
    {bad_rate, "bad_rate", kWarning, "a rate cannot be read", "nothing: rates are for information"},
    {negative_amount, "negative_amount", kWarning,
     "amounts of a note are negative; the register has them positive",
     "nothing: the size is used; download the file again if it was edited"},
    {thousands_separator, "thousands_separator", kWarning,
     "numbers have separators of thousands, as after a spreadsheet",
     "nothing: they are read as whole numbers"},
    {dash_date, "dash_date", kWarning, "dates have dashes, as after a spreadsheet",
     "nothing: they are read as day-month-year"},
    {total_mismatch, "total_mismatch", kWarning, "the parts do not add up to Monto Total",
     "compare with the document; the parts are used"},
    {total_missing, "total_missing", kWarning, "Monto Total is empty",
     "nothing: the parts are used"},
    {boleta_in_detail, "boleta_in_detail", kWarning,
     "a receipt in the detail; only the summary (RESUMEN) counts",
     "give the RESUMEN file of the sales"},
    {empty_name, "empty_name", kWarning, "Razon Social is empty",
     "nothing: the RUT identifies the party"},
    {wrong_check_digit_kept, "rut_check_digit", kWarning,
     "the check digit of the RUT is wrong; kept as asked (lenient)", "correct the RUT"},
    {duplicate_copy_total_zero, "duplicate_copy_total_zero", kWarning,
     "a copy with total 0 of a document met before", "nothing: the copy is dropped"},
    {duplicate_document, "duplicate_document", kWarning,
     "the same document with the same amounts was met before",
     "nothing: it is counted once; look for a file given twice"},
    {in_two_sections, "in_two_sections", kWarning, "the document is also in another section",
     "see which section holds at the tax authority"},
    {import_issuer, "import_issuer", kWarning,
     "an import declaration that is not issued by 60805000-0", "check type and RUT"},
    {class_contradicts, "class_contradicts", kWarning,
     "Tipo Compra and the VAT columns contradict each other; the type holds",
     "correct the row in the register"},
    {withheld_over_vat, "withheld_over_vat", kWarning, "more VAT withheld than the document has",
     "check the withheld amount"},
    {unclosed_quote_kept, "unclosed_quote", kWarning,
     "a quote is never closed; the line was read without quotes", "check the row"},
    {blank_row, "blank_row", kError, "a row with a number and nothing else",
     "delete the row or download the file again"},
    {too_few_columns, "too_few_columns", kError, "fewer fields than the header names",
     "download the file again"},
    {too_many_columns, "too_many_columns", kError,
     "more fields than the header names, and not all empty", "download the file again"},
    {row_too_long, "row_too_long", kError, "a row of more than 64 KiB", "download the file again"},
    {missing_document_type, "missing_document_type", kError, "the document type is missing",
     "complete the row from the document"},
    {unknown_document_type, "unknown_document_type", kError, "no such document type",
     "correct the type"},
    {bad_rut, "bad_rut", kError, "not a RUT", "correct the RUT"},
    {rut_check_digit, "rut_check_digit", kError, "the check digit of the RUT is wrong",
     "correct the RUT, or set lenient"},
    {missing_folio, "missing_folio", kError, "the folio is missing or 0",
     "complete the row from the document"},
    {bad_number_or_date, "bad_number_or_date", kError, "a number or a date cannot be read",
     "correct the field"},
    {unknown_purchase_type, "unknown_purchase_type", kError, "no such Tipo Compra",
     "correct the type of the purchase"},
    {unknown_sale_type, "unknown_sale_type", kError, "no such Tipo Venta",
     "correct the type of the sale"},
    {negative_invoice, "negative_invoice", kError,
     "a negative amount in a document that is not a credit note", "correct the amount or the type"},
    {orphan_continuation, "orphan_continuation", kError, "a continuation row without its document",
     "put the row back below its document"},
    {too_many_taxes, "too_many_taxes", kError, "more than 64 other taxes in one document",
     "check the file"},
    {duplicate_conflict, "duplicate_conflict", kError,
     "the same document with other amounts was met before",
     "find out which one holds and remove the other"},
};

constexpr bool is_ordered() {
  for (size_t i = 0; i < kRowFacts; ++i) {
    if (static_cast<size_t>(kTexts[i].fact) != i) return false;
  }
  return true;
}
static_assert(sizeof kTexts / sizeof *kTexts == kRowFacts && is_ordered());

}  // namespace

const RowFactText& text_of(RowFact fact) { return kTexts[static_cast<size_t>(fact)]; }

bool RowFindings::wants(RowFact fact) const {
  int64_t most =
      text_of(fact).severity == Severity::error ? 10 * Findings::kKeptMost : Findings::kKeptMost;
  return counts_[static_cast<size_t>(fact)] < most;
}

void RowFindings::add(RowFact fact, int64_t line, int column, const std::string& more) {
  bool is_wanted = wants(fact);
  ++counts_[static_cast<size_t>(fact)];
  if (!is_wanted) return;
  const RowFactText& text = text_of(fact);
  std::string message(text.message);
  if (!more.empty()) message += ": " + more;
  findings_.add(text.code, text.severity, {file_, line, column, {}}, std::move(message),
                std::string(text.advice));
}

RowFindings::~RowFindings() {
  for (const RowFactText& text : kTexts) {
    int64_t most =
        text.severity == Severity::error ? 10 * Findings::kKeptMost : Findings::kKeptMost;
    int64_t left = counts_[static_cast<size_t>(text.fact)] - most;
    if (left > 0) findings_.count_more(text.code, text.severity, file_, left);
  }
}

}  // namespace f29

#include "f29svc/sources/rcv_rows.h"

#include <algorithm>
#include <utility>

#include "f29svc/domain/words.h"
#include "f29svc/sources/rcv_fields.h"

namespace f29 {
namespace {

using enum Column;

Side side_of(RcvKind kind) {
  return kind == RcvKind::sale || kind == RcvKind::summary_sale ? Side::sale : Side::purchase;
}

Section section_of(RcvKind kind) {
  switch (kind) {
    case RcvKind::purchase_pending:
      return Section::pending;
    case RcvKind::purchase_not_included:
      return Section::not_included;
    case RcvKind::purchase_claimed:
      return Section::claimed;
    case RcvKind::summary_sale:
    case RcvKind::summary_purchase:
      return Section::summary;
    default:
      return Section::registered;
  }
}

}  // namespace

uint32_t RcvRows::print_of(const Document& document) {
  uint64_t mixed = static_cast<uint64_t>(document.issued.year * 512 + document.issued.month * 32 +
                                         document.issued.day);
  for (Pesos amount : {document.net, document.exempt, document.total, document.vat()}) {
    mixed = (mixed ^ static_cast<uint64_t>(amount.value())) * 0x9E3779B97F4A7C15ULL;
    mixed ^= mixed >> 29;
  }
  return static_cast<uint32_t>(mixed ^ (mixed >> 32));
}

RcvRows::RcvRows(const RcvOptions& options, const RcvHeader& header, DocumentIndex& seen,
                 const DocumentSink& sink, Findings& findings)
    : options_(options),
      header_(header),
      seen_(seen),
      sink_(sink),
      found_(findings, options.name),
      side_(side_of(header.kind)),
      section_(section_of(header.kind)) {
  counts_.kind = header.kind;
}

void RcvRows::reject(RowFact fact, int column, const std::string& more) {
  found_.add(fact, record_->line, column, more);
  ++counts_.rejected;
  last_was_rejected_ = true;
}

void RcvRows::note_odd() {
  if (odd_ == kOddNone) return;
  if ((odd_ & kOddNull) != 0) found_.add(RowFact::literal_null, record_->line);
  if ((odd_ & kOddThousands) != 0) found_.add(RowFact::thousands_separator, record_->line);
  if ((odd_ & kOddDashDate) != 0) found_.add(RowFact::dash_date, record_->line);
  if ((odd_ & kOddComma) != 0) found_.add(RowFact::decimal_comma, record_->line);
  if ((odd_ & kOddNegative) != 0) found_.add(RowFact::negative_amount, record_->line);
  odd_ = kOddNone;
}

void RcvRows::take(const CsvRecord& record) {
  record_ = &record;
  if (record.count <= 1 && trimmed(record.fields[0]).empty()) return;  // an empty line
  if (!has_shape()) return;
  odd_ = kOddNone;
  if (section_ == Section::summary) {
    take_summary();
  } else if (is_continuation()) {
    take_continuation();
  } else {
    take_document();
  }
}

bool RcvRows::has_shape() {
  const CsvRecord& record = *record_;
  size_t kept = std::min(record.count, CsvRecord::kFieldsMost);
  auto is_filled = [](std::string_view text) { return !trimmed(text).empty(); };
  ++counts_.rows;
  if (record.is_too_long) {
    reject(RowFact::row_too_long);
    return false;
  }
  check_number();  // of rejected rows too: the next one follows them
  if (record.count < header_.count) {
    reject(RowFact::too_few_columns, 0,
           std::to_string(record.count) + " of " + std::to_string(header_.count));
    return false;
  }
  if (record.is_unclosed) found_.add(RowFact::unclosed_quote_kept, record.line);
  if (record.count > header_.count) {
    bool filled = record.filled_beyond;
    for (size_t i = header_.count; i < kept; ++i) filled |= is_filled(record.fields[i]);
    if (filled) {
      reject(RowFact::too_many_columns, static_cast<int>(header_.count) + 1,
             std::to_string(record.count) + " instead of " + std::to_string(header_.count));
      return false;
    }
    bool is_one = record.count == header_.count + 1;
    found_.add(is_one ? RowFact::trailing_delimiter : RowFact::extra_columns, record.line);
  }
  if (is_filled(field(type)) || is_filled(field(total))) return true;
  // Nothing but perhaps a number: a spreadsheet's empty row, or one whose cells were deleted.
  size_t filled_fields = 0;
  for (size_t i = 0; i < header_.count; ++i) filled_fields += is_filled(record.fields[i]);
  if (filled_fields == 0) {
    --counts_.rows;
    return false;
  }
  if (filled_fields == 1 && is_filled(field(number))) {
    reject(RowFact::blank_row);
    return false;
  }
  return true;
}

void RcvRows::check_number() {
  int16_t place = header_.place[static_cast<size_t>(number)];
  if (place < 0 || static_cast<size_t>(place) >= record_->count) return;
  uint32_t odd = 0;
  int64_t found_number = read_folio(field(number), odd);
  if (odd != kOddNone || found_number == 0) return;
  bool is_gap = found_number != number_before_ + 1;
  if (is_gap && found_.wants(RowFact::row_number_gap)) {
    found_.add(RowFact::row_number_gap, record_->line, column_of(number),
               "from " + std::to_string(number_before_) + " to " + std::to_string(found_number));
  } else if (is_gap) {
    found_.add(RowFact::row_number_gap, record_->line);
  }
  number_before_ = found_number;
}

// Without a number of its own and without amounts, except perhaps another tax.
bool RcvRows::is_continuation() const {
  if (!trimmed(field(number)).empty() || !trimmed(field(total)).empty()) return false;
  return !trimmed(field(other_code)).empty() || trimmed(field(net)).empty();
}

void RcvRows::take_continuation() {
  uint32_t odd = 0;
  RcvRow& row = *pending_;
  const Document& document = row.document;
  bool is_same = row.is_used && !last_was_rejected_ &&
                 read_code(field(type), odd) == document.type &&
                 read_folio(field(folio), odd) == document.folio;
  if (is_same) {
    auto party = read_rut(field(rut));
    is_same = party && party->rut == document.counterparty;
  }
  if (!is_same) {
    bool was_rejected = last_was_rejected_;
    found_.add(RowFact::orphan_continuation, record_->line, 0,
               was_rejected ? "its document was rejected" : "");
    ++counts_.rejected;
    return;
  }
  if (!read_other_tax(row)) return;
  note_odd();
}

void RcvRows::take_document() {
  flush();
  last_was_rejected_ = false;
  if (header_.has(number) && trimmed(field(number)).empty()) {
    found_.add(RowFact::row_number_missing, record_->line);
  }
  RcvRow& row = *reading_;
  row.clear();
  Document& document = row.document;
  document.side = side_;
  document.section = section_;
  document.company = options_.company;
  document.file = options_.file;
  document.line = static_cast<uint32_t>(record_->line);
  if (!read_identity(row) || !read_amounts(row)) return;
  note_odd();
  row.is_used = true;
  std::swap(pending_, reading_);
}

void RcvRows::check_total(const RcvRow& row) {
  const Document& document = row.document;
  if (!document.has_total) {
    found_.add(RowFact::total_missing, document.line);
    return;
  }
  int64_t difference = total_difference(row);
  if (difference == 0) return;
  found_.add(RowFact::total_mismatch, document.line, column_of(total),
             std::to_string(document.total.value()) + " instead of " +
                 std::to_string(document.total.value() - difference) + ", difference " +
                 std::to_string(difference));
}

void RcvRows::flush() {
  RcvRow& row = *pending_;
  if (!row.is_used) return;
  row.is_used = false;
  Document& document = row.document;
  bool has_key = document.folio != 0 && !is_receipt(document.type);
  // A row with total 0 that never arrived is a copy of another one, before or after it.
  bool may_be_copy =
      has_key && document.total == Pesos{} && document.received.is_none() && document.has_total;
  if (build_parts(row)) found_.add(RowFact::class_contradicts, document.line);
  if (row.withheld() > row.vat) found_.add(RowFact::withheld_over_vat, document.line);
  check_total(row);
  if (may_be_copy && copies_.size() < kCopiesMost) {
    copies_.push_back(document);
    return;
  }
  // It goes out one row later, when its place in the table of keys has come near.
  deliver_ready();
  std::swap(ready_, pending_);
  ready_->is_used = true;
  seen_.prefetch(key_of(ready_->document));
}

void RcvRows::deliver_ready() {
  if (!ready_->is_used) return;
  ready_->is_used = false;
  deliver(ready_->document, false);
}

void RcvRows::deliver(const Document& document, bool is_late) {
  if (is_receipt(document.type) || document.folio == 0) {
    ++counts_.documents;
    sink_(document);
    return;
  }
  DocumentKey key = key_of(document);
  DocumentIndex::Seen now{document.line, print_of(document), document.file, document.section};
  auto before = seen_.insert(key, now);
  if (before && is_late) {
    found_.add(RowFact::duplicate_copy_total_zero, document.line);
    ++counts_.copies;
    return;
  }
  if (before && before->section == document.section) {
    meet_again(document, *before);
    return;
  }
  if (before) {
    found_.add(RowFact::in_two_sections, document.line, 0,
               key.text() + " is " + std::string(section_text(before->section)) + " too");
    if (document.section == Section::registered) seen_.replace(key, now);
  }
  ++counts_.documents;
  sink_(document);
}

void RcvRows::meet_again(const Document& document, const DocumentIndex::Seen& before) {
  bool is_same = before.print == print_of(document);
  std::string more;
  RowFact fact = is_same ? RowFact::duplicate_document : RowFact::duplicate_conflict;
  if (found_.wants(fact)) {
    more = key_of(document).text();
    if (before.file == document.file) more += ", line " + std::to_string(before.line);
  }
  found_.add(fact, document.line, 0, more);
  if (is_same) {
    ++counts_.copies;
  } else {
    ++counts_.rejected;
  }
}

RcvCounts RcvRows::finish() {
  flush();
  deliver_ready();
  for (const Document& document : copies_) deliver(document, true);
  copies_.clear();
  return counts_;
}

}  // namespace f29

#include <algorithm>
#include <array>

#include "f29svc/reconcile/reconcile.h"

namespace f29 {

namespace {

constexpr std::array<std::string_view, kReconcileStatuses> kStatuses = {"match",
                                                                        "amount_diff",
                                                                        "type_diff",
                                                                        "period_diff",
                                                                        "duplicate_in_books",
                                                                        "missing_in_books",
                                                                        "missing_in_rcv",
                                                                        "pending_in_rcv",
                                                                        "claimed_in_rcv",
                                                                        "not_an_rcv_document",
                                                                        "totals_only",
                                                                        "ignored"};

}  // namespace

std::string_view status_text(ReconcileStatus status) {
  return kStatuses[static_cast<size_t>(status)];
}

std::optional<ReconcileStatus> parse_status(std::string_view text) {
  const auto found = std::find(kStatuses.begin(), kStatuses.end(), text);
  if (found == kStatuses.end()) return std::nullopt;
  return static_cast<ReconcileStatus>(found - kStatuses.begin());
}

std::string_view field_text(AmountField field) {
  constexpr std::array<std::string_view, 5> kFields = {"", "net", "exempt", "tax", "total"};
  return kFields[static_cast<size_t>(field)];
}

std::string_view note_text(ReconcileNote note) {
  constexpr std::array<std::string_view, 8> kNotes = {
      "",
      "the amounts differ within the tolerance",
      "the books have only a draft of it",
      "the books have cancelled it",
      "it is booked in another month",
      "added by hand to the return, outside the register",
      "added by hand, and in the register: the addition does not count",
      "it is booked in another month, too"};
  return kNotes[static_cast<size_t>(note)];
}

bool is_register_type(int type) {
  return is_known_type(type) && type != 50 && type != 52 && type != 70 && type != 71;
}

int64_t Reconciled::tax_at_risk() const {
  const bool is_open =
      status == ReconcileStatus::pending_in_rcv || status == ReconcileStatus::claimed_in_rcv;
  return is_open && in_books ? books.tax() : 0;
}

void ReconcileTotals::add(const Reconciled& one) {
  // Amounts have at most 15 digits, and no month has ten thousand documents of that size; a sum
  // that does not fit stays at its bound instead of turning over.
  const auto plus = [](int64_t& to, int64_t value) {
    if (__builtin_add_overflow(to, value, &to)) to = value < 0 ? INT64_MIN / 4 : INT64_MAX / 4;
  };
  documents += one.count;
  plus(books.net, one.books.net);
  plus(books.exempt, one.books.exempt);
  plus(books.total, one.books.total);
  plus(reg.net, one.reg.net);
  plus(reg.exempt, one.reg.exempt);
  plus(reg.total, one.reg.total);
}

}  // namespace f29

// Books against register: which document stands where, and what differs. A pure function of the
// documents that were added. One thread.
//
// A document is known by side, type, issuer and folio; the issuer is the company for sales and for
// a 46 that it issues as a buyer and the notes over it, else the counterparty. Tax on both sides is
// total - net - exempt, and a difference is books - register; a side without the document is 0.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "f29svc/domain/document.h"
#include "f29svc/domain/period.h"

namespace f29 {

enum class ReconcileStatus : uint8_t {
  match,
  amount_diff,
  type_diff,           // same counterparty, folio and total under another type
  period_diff,         // booked in another month
  duplicate_in_books,  // posted more than once
  missing_in_books,    // or only as a draft, or cancelled there and alive at the tax authority
  missing_in_rcv,
  pending_in_rcv,       // no credit before it is accepted
  claimed_in_rcv,       // no credit at all
  not_an_rcv_document,  // fees, delivery notes
  totals_only,          // receipts: the register has only their sums
  ignored,              // drafts, what was cancelled on both sides, other months' documents
};
inline constexpr int kReconcileStatuses = 12;
std::string_view status_text(ReconcileStatus status);
std::optional<ReconcileStatus> parse_status(std::string_view text);

enum class AmountField : uint8_t { none, net, exempt, tax, total };
std::string_view field_text(AmountField field);

enum class ReconcileNote : uint8_t {
  none,
  within_tolerance,    // the amounts differ by no more than the tolerance
  only_a_draft,        // the books have it, not posted
  cancelled_in_books,  // the books have cancelled it
  other_month,         // booked in another month, and not in this register
  manual,              // added by hand to the return, not in the register
  manual_too,          // added by hand, and in the register: the addition does not count
  other_period_too,    // another amount, and booked in another month
};
std::string_view note_text(ReconcileNote note);

struct Amounts {
  int64_t net = 0;
  int64_t exempt = 0;
  int64_t total = 0;
  int64_t tax() const { return total - net - exempt; }
  friend bool operator==(const Amounts&, const Amounts&) = default;
};

struct Reconciled {
  DocumentKey key;  // folio 0: totals of a type
  ReconcileStatus status = ReconcileStatus::match;
  AmountField field = AmountField::none;  // the one that differs most
  ReconcileNote note = ReconcileNote::none;
  bool in_books = false;     // posted there, or typed as an addition
  bool in_register = false;  // in any section of it
  bool is_manual = false;
  Rut counterparty;
  int64_t count = 1;  // documents that this row stands for
  Amounts books;      // of all its moves together
  Amounts reg;
  uint16_t books_type = 0;
  Date books_date;
  Date accepted_on;                // pending: the day on which it is accepted if nobody claims it
  std::string_view name;           // lives as long as the report
  std::span<const int64_t> moves;  // ids in the books; likewise

  int64_t diff_total() const { return books.total - reg.total; }
  int64_t diff_tax() const { return books.tax() - reg.tax(); }
  // Credit that the books claim and the register does not grant (yet).
  int64_t tax_at_risk() const;
};

// Plain sums of the rows: every amount is positive in its own document's direction.
struct ReconcileTotals {
  int64_t documents = 0;
  Amounts books;
  Amounts reg;
  void add(const Reconciled& one);
  int64_t diff_total() const { return books.total - reg.total; }
  int64_t diff_tax() const { return books.tax() - reg.tax(); }
};

class ReconcileReport {
 public:
  ReconcileReport();
  ~ReconcileReport();
  ReconcileReport(ReconcileReport&&) noexcept;
  ReconcileReport& operator=(ReconcileReport&&) noexcept;

  // Purchases first, by type, issuer and folio; totals at the end of their side.
  std::span<const Reconciled> documents() const { return documents_; }
  const ReconcileTotals& of(ReconcileStatus status) const {
    return by_status_[static_cast<size_t>(status)];
  }
  ReconcileTotals all() const;
  // Was there a register of that side?
  bool has_register(Side side) const { return has_register_[static_cast<size_t>(side)]; }
  bool has_books(Side side) const { return has_books_[static_cast<size_t>(side)]; }

 private:
  friend class Reconciler;
  struct Memory;
  std::unique_ptr<Memory> memory_;  // of rows, names and moves
  std::span<const Reconciled> documents_;
  ReconcileTotals by_status_[kReconcileStatuses];
  bool has_register_[2] = {false, false};
  bool has_books_[2] = {false, false};
};

class Reconciler {
 public:
  // `tolerance`: pesos by which every amount may differ and still match.
  Reconciler(Period period, int64_t tolerance);
  ~Reconciler();
  // Of the books (Section::books, drafts and cancelled ones too), of the register (every other
  // section), or an addition of the inputs (Section::manual).
  void add(const Document& document);
  // Call once; the reconciler is empty afterwards.
  ReconcileReport run();

 private:
  struct Work;
  std::unique_ptr<Work> work_;
};

// May a document of this type stand in the register at all?
bool is_register_type(int type);

}  // namespace f29

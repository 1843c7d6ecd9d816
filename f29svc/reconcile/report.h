// A reconciliation as JSON, CSV and findings; the ledger's remanente against box 504.
#pragma once

#include <optional>
#include <ostream>
#include <string>

#include "f29svc/domain/finding.h"
#include "f29svc/domain/money.h"
#include "f29svc/exports/json_writer.h"
#include "f29svc/reconcile/reconcile.h"

namespace f29 {

// The ledger's balance of the credit carried over, and what the return says of it.
struct LedgerCheck {
  Pesos balance;
  Pesos box_504;
  Pesos difference() const { return box_504 - balance; }
};

// Sums by status, and of everything.
struct StatusTotals {
  ReconcileTotals all;
  ReconcileTotals by_status[kReconcileStatuses];
  void add(const Reconciled& one);
};
StatusTotals totals_of(const ReconcileReport& report);

// One object.
void write_reconciled(JsonWriter& json, const Reconciled& one, Period period);
void write_totals(JsonWriter& json, const StatusTotals& totals);
// null without a check; with a difference, the entry that would set it right.
void write_ledger(JsonWriter& json, const std::optional<LedgerCheck>& ledger);

void write_reconciled_head(std::ostream& csv);
void write_reconciled_row(std::ostream& csv, const Reconciled& one);

// What is to be done: a warning for each status that is no match, and the ledger's difference as a
// note. A side without a register, or without books, is a warning of its own.
void report_findings(const ReconcileReport& report, const std::optional<LedgerCheck>& ledger,
                     Findings& findings);
void add_status_findings(const StatusTotals& totals, const std::optional<LedgerCheck>& ledger,
                         Findings& findings);

// Tells two reports apart: SHA-256 of every row.
std::string digest_of(const ReconcileReport& report, const std::optional<LedgerCheck>& ledger);

}  // namespace f29

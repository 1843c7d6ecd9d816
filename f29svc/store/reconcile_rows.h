// Reconciliations in the store: the head of every run, the rows of the newest, and which documents
// were compared.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "f29svc/reconcile/report.h"
#include "f29svc/store/database.h"
#include "f29svc/store/records.h"

namespace f29 {

struct ReconcileRun {
  int64_t id = 0;
  std::string digest;   // of every row
  std::string sources;  // the imports and inputs that were compared
  std::optional<LedgerCheck> ledger;
  int64_t marked = 0;  // documents that were compared
  std::string actor;
  std::string made_at;
};

// What a run would compare now: equal texts, equal documents.
base::Result<std::string> sources_text(Database& database, int64_t company_id, Period period);

base::Result<std::optional<ReconcileRun>> newest_run(Database& database, int64_t company_id,
                                                     Period period);
// Replaces the rows and marks of the run before; `run` gets its id and how many were marked. Within
// a transaction.
base::Result<> write_run(Database& database, int64_t company_id, Period period,
                         const ReconcileReport& report, ReconcileRun& run);
// The run saw other imports, with the same outcome.
base::Result<> touch_run(Database& database, const ReconcileRun& run);

// In the report's order; texts and moves live only during the call.
using OnReconciled = std::function<void(const Reconciled& one)>;
base::Result<> read_run_rows(Database& database, int64_t run_id, const OnReconciled& on_row);

// Notes in Odoo: each text once on each document.
base::Result<bool> was_noted(Database& database, int64_t company_id, int64_t move,
                             const std::string& digest);
base::Result<> put_noted(Database& database, int64_t company_id, int64_t move,
                         const std::string& digest);

}  // namespace f29

// One transaction on one period of one company, alone on it. Everything that changes a period goes
// through here; without commit() nothing has happened.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "f29svc/domain/document.h"
#include "f29svc/domain/finding.h"
#include "f29svc/domain/return.h"
#include "f29svc/store/database.h"
#include "f29svc/store/records.h"

namespace f29 {

class PeriodWork {
 public:
  // Made by Store::work. `release` gives connection and period back.
  using Release = std::function<void(std::unique_ptr<Database>)>;
  PeriodWork(std::unique_ptr<Database> database, const CompanyRecord& company, Period period,
             Release release);
  ~PeriodWork();
  PeriodWork(const PeriodWork&) = delete;
  PeriodWork& operator=(const PeriodWork&) = delete;

  // Within the transaction: makes the period if asked to (else not_found), and reads its returns.
  base::Result<> open(bool make);

  const CompanyRecord& company() const { return company_; }
  Period period() const { return period_; }
  const std::vector<ReturnRecord>& returns() const { return returns_; }
  const ReturnRecord& current() const { return returns_.back(); }
  // conflict "period_closed" where the current return is sent or paid.
  base::Result<> check_open() const;

  // For the rows that have functions of their own, within this transaction.
  Database& database() { return *database_; }

  // ---- imports. Needs: check_open().
  base::Result<> begin_import(const std::string& name, const std::string& sha256,
                              const std::string& actor);
  // Errors show at finish_import.
  void add(const Document& document);
  // Replaces what was current in the slot, and takes the return back to draft. Gives the current
  // import instead, marked, and keeps nothing of this one, where its bytes are the same.
  base::Result<ImportRecord> finish_import(const std::string& slot, const ImportRecord& counts,
                                           const std::vector<Finding>& findings);

  // ---- inputs
  base::Result<int> put_inputs(const std::string& body, const std::string& actor);
  base::Result<std::optional<InputsRecord>> inputs();

  // ---- returns
  base::Result<std::vector<ImportRecord>> sources();  // current imports, by slot
  base::Result<> documents_of(const ImportRecord& import, uint16_t file, const DocumentSink& sink);
  base::Result<std::vector<Finding>> findings_of(const ImportRecord& import);
  // Box 77 of the month before, out of its newest return that was sent or paid.
  base::Result<std::optional<Pesos>> previous_77();
  base::Result<Return> load(const ReturnRecord& record, bool with_provenance = true);
  // The current return becomes `tax_return`, state and all; its version stays.
  base::Result<> save(const Return& tax_return, int inputs_revision, const std::string& actor);
  // conflict where the table of states does not allow it. `sent` makes an earlier version
  // `rectified`. Of an earlier version only its payment may still be noted.
  base::Result<> move_to(int version, ReturnState to, const Closing& closing,
                         const std::string& actor, const std::string& note);
  // The validated return waits to be filed; `digest` is that of its export. Conflict in any other
  // state. Whatever changes the return takes it out again.
  base::Result<> set_ready(const std::string& digest, const std::string& actor);
  base::Result<> clear_ready();
  // A new version, draft, of a period that is closed. Conflict where it is not.
  base::Result<> rectify(const std::string& actor, const std::string& note);

  base::Result<> commit();

 private:
  base::Result<> read_returns();
  base::Result<> add_version(int version, const std::string& actor, const std::string& note);
  base::Result<> set_state(ReturnRecord& record, ReturnState to, const std::string& actor,
                           const std::string& note);
  base::Result<> not_ready(ReturnRecord& record);
  base::Result<> back_to_draft(const std::string& actor, const std::string& note);
  base::Result<> clear_return(int64_t return_id);
  base::Result<> purge_replaced();
  std::vector<SqlValue> key() const;

  std::unique_ptr<Database> database_;
  CompanyRecord company_;
  Period period_;
  Release release_;
  std::vector<ReturnRecord> returns_;
  ImportRecord import_;
  std::unique_ptr<Database::Bulk> bulk_;
  base::Result<> bulk_state_;
  int64_t seq_ = 0;
  std::string detail_;
};

}  // namespace f29

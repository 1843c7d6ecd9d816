// What the tax service does with its store, whoever asks: an HTTP client or a command. Any thread.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "f29svc/api/refusal.h"
#include "f29svc/compute/mapping.h"
#include "f29svc/domain/inputs.h"
#include "f29svc/sources/odoo/rpc.h"
#include "f29svc/sources/rcv.h"
#include "f29svc/store/flow_rows.h"
#include "f29svc/store/reconcile_rows.h"
#include "f29svc/store/store.h"

namespace f29 {

struct ServiceOptions {
  Mapping mapping;
  std::vector<Date> holidays;
  std::optional<OdooOptions> odoo;
  std::map<Rut, int64_t> odoo_companies;  // where one Odoo has several with the same RUT
  bool odoo_notes = false;                // may reconciliations be noted on its documents?
};

struct Imported {
  ImportRecord record;
  std::vector<Finding> findings;
};

struct Validated {
  bool valid = false;
  ReturnRecord record;
  std::vector<Finding> findings;  // of this look
};

struct RanReconciliation {
  ReconcileRun run;
  bool repeated = false;  // the same outcome as before: nothing was kept
};

// A payment with what the rules of postponement say about it.
struct Flow {
  Rut company;
  FlowRecord record;
  std::vector<std::string> why_not;  // it cannot be postponed; empty: it can
  bool is_late = false;              // open after its day
};

struct Differences {
  Return before;
  Return after;
};

struct Outage {
  OutageRecord outage;
  std::vector<QueuedReturn> queue;
};

// A document of the books with what was found, as a note in Odoo.
struct OdooNote {
  int64_t move = 0;
  ReconcileStatus status = ReconcileStatus::match;
  std::string text;
  std::string result;  // "would_post", "posted", "already", "failed"
};
struct OdooNotes {
  bool is_dry_run = true;
  std::vector<OdooNote> notes;
};

// Counted since the program started; read by /metrics.
struct ServiceCounters {
  std::atomic<int64_t> imports_done{0};
  std::atomic<int64_t> imports_repeated{0};
  std::atomic<int64_t> imports_refused{0};
  std::atomic<int64_t> rows{0};
  std::atomic<int64_t> rows_rejected{0};
  std::atomic<int64_t> documents{0};
  std::atomic<int64_t> computations_done{0};
  std::atomic<int64_t> computations_refused{0};
  std::atomic<int64_t> odoo_reads_done{0};
  std::atomic<int64_t> odoo_reads_failed{0};
};

class TaxService {
 public:
  // Told what the log should know of an error that its client does not see.
  using Tell = std::function<void(std::string_view event, const base::Error& error)>;
  TaxService(Store& store, ServiceOptions options, Tell tell);

  Store& store() { return store_; }
  const ServiceCounters& counters() const { return counters_; }
  const std::vector<Date>& holidays() const { return options_.holidays; }

  // A register file, or a JSON list of moves. `name` as the user calls it: what it says about
  // company and period must be so.
  Outcome<Imported> import_rcv(Rut company, Period period, const std::string& name,
                               std::string_view bytes, const std::string& actor);
  // The same from a stream, in bounded memory. `digest` tells a repetition; empty: none is told.
  Outcome<Imported> import_rcv(Rut company, Period period, const std::string& name,
                               ByteSource& bytes, const std::string& digest,
                               const std::string& actor);
  Outcome<Imported> import_documents(Rut company, Period period, const std::string& name,
                                     std::string_view text, const std::string& actor);
  Outcome<Imported> import_odoo(Rut company, Period period, const std::string& actor);

  // YAML or JSON; refused with every fault.
  Outcome<int> put_inputs(Rut company, Period period, const std::string& body,
                          const std::string& actor);
  // Without its provenance, which the store has.
  Outcome<Return> compute(Rut company, Period period, const std::string& actor);
  // Checks the stored return again; `validated` if nothing is wrong.
  Outcome<Validated> validate(Rut company, Period period, const std::string& actor);
  // An amount below 0: what the return says.
  Outcome<ReturnRecord> move_to(Rut company, Period period, int version, ReturnState to,
                                const Closing& closing, const std::string& actor);
  Outcome<ReturnRecord> rectify(Rut company, Period period, const std::string& actor,
                                const std::string& reason);
  // What version `against` (0: the one before) has otherwise.
  Outcome<Differences> differences(Rut company, Period period, int version, int against);

  // ---- reconciliation: service_reconcile.cpp. Of a closed period too: no return changes.
  Outcome<RanReconciliation> reconcile(Rut company, Period period, const std::string& actor);
  // A note on every compared document in Odoo, each text once. Refused (409) unless the config
  // allows it, but for a dry run.
  Outcome<OdooNotes> note_in_odoo(Rut company, Period period, bool is_dry_run);

  // ---- payments and the queue: service_flow.cpp
  Outcome<Flow> flow(Rut company, Period period, Date today);
  Outcome<std::vector<Flow>> flows(Rut company, Period from, Period to, Date today);
  Outcome<Flow> plan_flow(Rut company, Period period, Date today, const std::string& actor);
  Outcome<Flow> defer_flow(Rut company, Period period, int months, Date today,
                           const std::string& actor);
  // An amount below 0: what is open.
  Outcome<Flow> pay_flow(Rut company, Period period, const Closing& payment, Date today,
                         const std::string& actor);
  Outcome<ReturnRecord> set_ready(Rut company, Period period, int version, bool is_ready,
                                  const std::string& actor);
  Outcome<Outage> outage();
  Outcome<Outage> set_outage(bool is_on, const std::string& reason, const std::string& actor);

  Outcome<Return> load(Rut company, Period period, int version, bool with_provenance = true);

 private:
  Outcome<std::unique_ptr<PeriodWork>> work(Rut company, Period period, bool make);
  base::Result<Flow> flow_of(PeriodWork& work, Date today);
  base::Result<> plan(PeriodWork& work, const std::string& actor, const std::string& note);
  base::Result<> close_flow(PeriodWork& work, int version, const Closing& closing,
                            const std::string& actor);
  Outcome<Inputs> inputs_of(PeriodWork& work, Period period, int* revision);
  Outcome<Imported> finish_import(PeriodWork& work, const std::string& slot,
                                  const ImportRecord& counts, Findings& findings);
  Outcome<Imported> counted(Outcome<Imported> outcome);
  Refusal told(std::string_view event, const base::Error& error) const;

  Store& store_;
  const ServiceOptions options_;
  Tell tell_;
  ServiceCounters counters_;
};

}  // namespace f29

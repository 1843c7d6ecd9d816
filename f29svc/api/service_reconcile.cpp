// Books against register, out of the store and back into it.
#include "f29svc/api/service.h"
#include "f29svc/compute/compute.h"

namespace f29 {

Outcome<RanReconciliation> TaxService::reconcile(Rut company, Period period,
                                                 const std::string& actor) {
  auto work = store_.work(company, period, false);
  if (!work) return refuse(told("store_failed", work.error()));
  auto inputs = inputs_of(**work, period, nullptr);
  if (!inputs) return refuse(inputs.error());
  Reconciler reconciler(period, inputs->settings.tolerance);
  auto sources = (*work)->sources();
  if (!sources) return refuse(told("store_failed", sources.error()));
  for (const ImportRecord& import : *sources) {
    auto read = (*work)->documents_of(import, 0,
                                      [&](const Document& document) { reconciler.add(document); });
    if (!read) return refuse(told("store_failed", read.error()));
  }
  for (const Addition& addition : inputs->additions) {
    reconciler.add(document_of(addition, company));
  }
  RanReconciliation ran;
  ran.run.actor = actor;
  if (inputs->ledger_remanente && (*work)->current().state != ReturnState::draft) {
    auto made = (*work)->load((*work)->current(), false);
    if (!made) return refuse(told("store_failed", made.error()));
    ran.run.ledger = {*inputs->ledger_remanente, Pesos{amount_in(made->boxes, 504)}};
  }
  const ReconcileReport report = reconciler.run();
  ran.run.digest = digest_of(report, ran.run.ledger);
  Database& database = (*work)->database();
  const int64_t id = (*work)->company().id;
  auto text = sources_text(database, id, period);
  if (!text) return refuse(told("store_failed", text.error()));
  auto before = newest_run(database, id, period);
  if (!before) return refuse(told("store_failed", before.error()));
  base::Result<> done;
  if (*before && (*before)->digest == ran.run.digest) {
    ran.run = **before;
    ran.repeated = true;
    if (ran.run.sources == *text) return ran;
    ran.run.sources = *text;
    done = touch_run(database, ran.run);
  } else {
    ran.run.sources = *text;
    done = write_run(database, id, period, report, ran.run);
  }
  if (done) done = (*work)->commit();
  if (!done) return refuse(told("store_failed", done.error()));
  return ran;
}

Outcome<Differences> TaxService::differences(Rut company, Period period, int version, int against) {
  if (against == 0) against = version - 1;
  if (against < 1 || against == version) {
    return refuse(422, "bad_version", "there is no earlier version to compare with");
  }
  auto before = load(company, period, against, false);
  if (!before) return refuse(before.error());
  auto after = load(company, period, version, false);
  if (!after) return refuse(after.error());
  return Differences{std::move(*before), std::move(*after)};
}

}  // namespace f29

#include "f29svc/api/service.h"

#include <algorithm>

#include "f29svc/compute/compute.h"
#include "f29svc/compute/inputs_yaml.h"
#include "f29svc/compute/validate.h"
#include "f29svc/sources/rcv.h"
#include "f29svc/sources/rcv_odd.h"

namespace f29 {

namespace {

bool is_register(const ImportRecord& import) { return import.slot != "books"; }

Side side_of(const ImportRecord& import) {
  return import.slot.starts_with("compra") || import.slot.ends_with("compra") ? Side::purchase
                                                                              : Side::sale;
}

// Feeds the stored documents of a period to its computation: registers first, then the books, which
// add nothing to a side that has a register.
class Feeding {
 public:
  Feeding(PeriodWork& work, Computation& computation) : work_(work), computation_(computation) {}

  base::Result<> all() {
    auto sources = work_.sources();
    if (!sources) return base::fail(sources.error());
    std::stable_partition(sources->begin(), sources->end(), is_register);
    for (const ImportRecord& one : *sources) {
      if (is_register(one)) has_register_[static_cast<size_t>(side_of(one))] = true;
    }
    for (const ImportRecord& one : *sources) {
      if (auto done = feed(one); !done) return done;
    }
    return {};
  }

 private:
  base::Result<> feed(const ImportRecord& import) {
    auto findings = work_.findings_of(import);
    if (!findings) return base::fail(findings.error());
    for (Finding& finding : *findings) computation_.findings().add(std::move(finding));
    const uint16_t file = computation_.add_file(import.name);
    RowFindings rows(computation_.findings(), import.name);
    int64_t left_out = 0;
    auto done = work_.documents_of(import, file, [&](const Document& document) {
      if (document.section == Section::books) {
        if (has_register_[static_cast<size_t>(document.side)]) {
          ++left_out;
          return;
        }
      } else {
        look_for_other_section(document, rows);
      }
      computation_.add(document);
    });
    if (done && left_out > 0) {
      computation_.findings().add(
          "documents_not_added", Severity::note, {import.name, 0, 0, {}},
          std::to_string(left_out) + " documents add nothing: their side has a register file",
          "nothing; reconcile compares them");
    }
    return done;
  }
  void look_for_other_section(const Document& document, RowFindings& rows) {
    if (document.folio == 0) return;
    const DocumentKey key = key_of(document);
    DocumentIndex::Seen now;
    now.line = document.line;
    now.section = document.section;
    const auto before = seen_.insert(key, now);
    if (!before || before->section == document.section) return;
    rows.add(RowFact::in_two_sections, document.line, 0,
             key.text() + " is " + std::string(section_text(before->section)) + " too");
    if (document.section == Section::registered) seen_.replace(key, now);
  }

  PeriodWork& work_;
  Computation& computation_;
  DocumentIndex seen_;
  bool has_register_[2] = {false, false};
};

}  // namespace

TaxService::TaxService(Store& store, ServiceOptions options, Tell tell)
    : store_(store), options_(std::move(options)), tell_(std::move(tell)) {}

Refusal TaxService::told(std::string_view event, const base::Error& error) const {
  Refusal refusal = refusal_of(error);
  if (refusal.status >= 500) tell_(event, error);
  return refusal;
}

Outcome<std::unique_ptr<PeriodWork>> TaxService::work(Rut company, Period period, bool make) {
  auto work = store_.work(company, period, make);
  if (!work) return refuse(told("store_failed", work.error()));
  if (auto open = (*work)->check_open(); !open) return refuse(refusal_of(open.error()));
  return std::move(*work);
}

Outcome<Inputs> TaxService::inputs_of(PeriodWork& work, Period period, int* revision) {
  auto stored = work.inputs();
  if (!stored) return refuse(told("store_failed", stored.error()));
  if (!*stored) return Inputs();
  if (revision != nullptr) *revision = (*stored)->revision;
  base::YamlFile file = base::YamlFile::from_text("inputs", (*stored)->body);
  Inputs inputs = read_inputs(file.top(), period);
  std::vector<std::string> faults;
  for (const base::ConfigFault& fault : file.faults()) faults.push_back(fault.text());
  if (!faults.empty()) return refuse(422, "bad_inputs", "the inputs cannot be used", faults);
  return inputs;
}

Outcome<int> TaxService::put_inputs(Rut company, Period period, const std::string& body,
                                    const std::string& actor) {
  base::YamlFile file = base::YamlFile::from_text("inputs", body);
  read_inputs(file.top(), period);
  std::vector<std::string> faults;
  for (const base::ConfigFault& fault : file.faults()) faults.push_back(fault.text());
  if (!faults.empty()) return refuse(422, "bad_inputs", "the inputs cannot be used", faults);
  auto work = this->work(company, period, true);
  if (!work) return refuse(work.error());
  auto revision = (*work)->put_inputs(body, actor);
  if (!revision) return refuse(told("store_failed", revision.error()));
  if (auto done = (*work)->commit(); !done) return refuse(told("store_failed", done.error()));
  return *revision;
}

Outcome<Return> TaxService::compute(Rut company, Period period, const std::string& actor) {
  auto compute = [&]() -> Outcome<Return> {
    auto work = this->work(company, period, false);
    if (!work) return refuse(work.error());
    int revision = 0;
    auto inputs = inputs_of(**work, period, &revision);
    if (!inputs) return refuse(inputs.error());
    if (!inputs->previous_77 && !inputs->opening_504) {
      auto previous = (*work)->previous_77();
      if (!previous) return refuse(told("store_failed", previous.error()));
      inputs->previous_77 = *previous;
    }
    Computation computation({company, period, true, options_.holidays}, options_.mapping, *inputs);
    if (auto fed = Feeding(**work, computation).all(); !fed) {
      return refuse(told("store_failed", fed.error()));
    }
    auto made = computation.finish();
    if (!made) return refuse(422, "bad_inputs", made.error().detail);
    made->version = (*work)->current().version;
    auto saved = (*work)->save(*made, revision, actor);
    // What was planned follows the new amount.
    if (saved && !(*work)->current().flow.empty()) saved = plan(**work, actor, "computed again");
    if (saved) saved = (*work)->commit();
    if (!saved) return refuse(told("store_failed", saved.error()));
    made->name = (*work)->company().name;
    made->provenance = {};
    return std::move(*made);
  };
  auto outcome = compute();
  ++(outcome ? counters_.computations_done : counters_.computations_refused);
  return outcome;
}

Outcome<Validated> TaxService::validate(Rut company, Period period, const std::string& actor) {
  auto work = this->work(company, period, false);
  if (!work) return refuse(work.error());
  Validated validated;
  if ((*work)->current().state == ReturnState::draft) {
    return refuse(409, "not_computed", "the return is a draft: compute it first");
  }
  auto stored = (*work)->load((*work)->current());
  if (!stored) return refuse(told("store_failed", stored.error()));
  Findings findings;
  check_boxes(*stored, findings);
  check_sums(*stored, stored->iva_debito, stored->iva_credito, findings);
  findings.finish();
  validated.valid = findings.errors() == 0 && !stored->has_errors();
  validated.findings = findings.take();
  if (validated.valid && (*work)->current().state == ReturnState::computed) {
    auto moved =
        (*work)->move_to((*work)->current().version, ReturnState::validated, {}, actor, "checked");
    if (moved) moved = (*work)->commit();
    if (!moved) return refuse(told("store_failed", moved.error()));
  }
  validated.record = (*work)->current();
  return validated;
}

Outcome<ReturnRecord> TaxService::move_to(Rut company, Period period, int version, ReturnState to,
                                          const Closing& closing, const std::string& actor) {
  auto work = store_.work(company, period, false);
  if (!work) return refuse(told("store_failed", work.error()));
  Closing full = closing;
  if (version >= 1 && version <= (*work)->current().version) {
    const ReturnRecord& record = (*work)->returns()[static_cast<size_t>(version - 1)];
    if (full.amount < Pesos{}) full.amount = record.to_pay;
    if (to == ReturnState::paid && full.on < record.sent_on) {
      return refuse(422, "bad_date", "it was sent later, on " + record.sent_on.text());
    }
  }
  std::string note = full.on.text();
  if (!full.folio.empty()) note += ", folio " + full.folio;
  if (to == ReturnState::paid) note += ", paid " + std::to_string(full.amount.value());
  if (!full.payment.empty()) note += ", " + full.payment;
  auto moved = (*work)->move_to(version, to, full, actor, note);
  if (moved && to == ReturnState::paid) moved = close_flow(**work, version, full, actor);
  if (!moved) return refuse(told("store_failed", moved.error()));
  if (auto done = (*work)->commit(); !done) return refuse(told("store_failed", done.error()));
  return (*work)->returns()[static_cast<size_t>(version - 1)];
}

Outcome<ReturnRecord> TaxService::rectify(Rut company, Period period, const std::string& actor,
                                          const std::string& reason) {
  auto work = store_.work(company, period, false);
  if (!work) return refuse(told("store_failed", work.error()));
  auto made = (*work)->rectify(actor, reason);
  if (made) made = (*work)->commit();
  if (!made) return refuse(told("store_failed", made.error()));
  return (*work)->current();
}

Outcome<Return> TaxService::load(Rut company, Period period, int version, bool with_provenance) {
  auto stored = store_.load(company, period, version, with_provenance);
  if (!stored) return refuse(told("store_failed", stored.error()));
  return std::move(*stored);
}

}  // namespace f29

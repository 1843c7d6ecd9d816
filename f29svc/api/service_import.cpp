// Imports: a file or Odoo's books become the current documents of one slot of a period.
#include "f29svc/api/service.h"
#include "f29svc/sources/json_documents.h"
#include "f29svc/sources/odoo/odoo.h"
#include "f29svc/sources/rcv.h"
#include "proxy/base/mac.h"

namespace f29 {

namespace {

constexpr const char* kBooksSlot = "books";

std::vector<std::string> faults_of_name(const std::string& name, Rut company, Period period) {
  std::vector<std::string> faults;
  const auto said = read_rcv_name(name);
  if (!said) return faults;
  if (said->company != company) {
    faults.push_back(name + ": is of company " + said->company.text() + ", not " + company.text());
  }
  if (said->period != period) {
    faults.push_back(name + ": is of period " + said->period.text() + ", not " + period.text());
  }
  return faults;
}

Refusal unreadable(const std::string& name, const base::Error& error) {
  std::string why = "cannot be read";
  if (error.detail == "empty") why = "is empty";
  if (error.detail == "not_rcv") why = "is no register file";
  return {422, "unreadable_file", name + " " + why, {}};
}

}  // namespace

Outcome<Imported> TaxService::counted(Outcome<Imported> outcome) {
  if (!outcome) {
    ++counters_.imports_refused;
  } else if (outcome->record.is_repeated) {
    ++counters_.imports_repeated;
  } else {
    ++counters_.imports_done;
    counters_.rows += outcome->record.rows;
    counters_.rows_rejected += outcome->record.rejected;
    counters_.documents += outcome->record.documents;
  }
  return outcome;
}

Outcome<Imported> TaxService::finish_import(PeriodWork& work, const std::string& slot,
                                            const ImportRecord& counts, Findings& findings) {
  findings.finish();
  Imported imported;
  imported.findings = findings.take();
  auto record = work.finish_import(slot, counts, imported.findings);
  if (!record) return refuse(told("import_failed", record.error()));
  if (auto done = work.commit(); !done) return refuse(told("import_failed", done.error()));
  imported.record = std::move(*record);
  return imported;
}

Outcome<Imported> TaxService::import_rcv(Rut company, Period period, const std::string& name,
                                         std::string_view bytes, const std::string& actor) {
  MemorySource source(bytes);
  return import_rcv(company, period, name, source, base::sha256_hex(bytes), actor);
}

Outcome<Imported> TaxService::import_rcv(Rut company, Period period, const std::string& name,
                                         ByteSource& bytes, const std::string& digest,
                                         const std::string& actor) {
  auto import = [&]() -> Outcome<Imported> {
    auto faults = faults_of_name(name, company, period);
    if (!faults.empty()) return refuse(422, "wrong_file", "the file is another's", faults);
    auto work = this->work(company, period, true);
    if (!work) return refuse(work.error());
    auto inputs = inputs_of(**work, period, nullptr);
    if (!inputs) return refuse(inputs.error());
    auto begun = (*work)->begin_import(name, digest, actor);
    if (!begun) return refuse(told("import_failed", begun.error()));
    RcvOptions options;
    options.company = company;
    options.period = period;
    options.lenient = inputs->settings.lenient;
    options.name = name;
    DocumentIndex seen;
    Findings findings;
    auto counts = read_rcv(
        bytes, options, seen, [&](const Document& document) { (*work)->add(document); }, findings);
    if (!counts) return refuse(unreadable(name, counts.error()));
    ImportRecord record;
    record.rows = counts->rows;
    record.rejected = counts->rejected;
    record.copies = counts->copies;
    return finish_import(**work, std::string(rcv_kind_text(counts->kind)), record, findings);
  };
  return counted(import());
}

Outcome<Imported> TaxService::import_documents(Rut company, Period period, const std::string& name,
                                               std::string_view text, const std::string& actor) {
  auto import = [&]() -> Outcome<Imported> {
    auto work = this->work(company, period, true);
    if (!work) return refuse(work.error());
    auto inputs = inputs_of(**work, period, nullptr);
    if (!inputs) return refuse(inputs.error());
    auto begun = (*work)->begin_import(name, base::sha256_hex(text), actor);
    if (!begun) return refuse(told("import_failed", begun.error()));
    JsonOptions options;
    options.company = company;
    options.period = period;
    options.lenient = inputs->settings.lenient;
    options.name = name;
    Findings findings;
    auto delivered = read_json_documents(
        text, options, [&](const Document& document) { (*work)->add(document); }, findings);
    if (!delivered) {
      return refuse(422, "unreadable_file", name + ": " + delivered.error().detail);
    }
    ImportRecord record;
    record.rejected = findings.errors();
    record.rows = *delivered + record.rejected;
    return finish_import(**work, kBooksSlot, record, findings);
  };
  return counted(import());
}

// The network is read before the period is taken: a slow Odoo holds no lock.
Outcome<Imported> TaxService::import_odoo(Rut company, Period period, const std::string& actor) {
  auto import = [&]() -> Outcome<Imported> {
    if (!options_.odoo) return refuse(409, "no_odoo", "no Odoo is configured");
    auto rpc = OdooRpc::make(*options_.odoo);
    if (!rpc) return refuse(told("odoo_failed", rpc.error()));
    OdooRequest request{company, period};
    const auto known = options_.odoo_companies.find(company);
    if (known != options_.odoo_companies.end()) request.company_id = known->second;
    std::vector<Document> documents;
    Findings findings;
    auto counts = read_odoo(
        **rpc, request, [&](const Document& document) { documents.push_back(document); }, findings);
    ++(counts ? counters_.odoo_reads_done : counters_.odoo_reads_failed);
    if (!counts) return refuse(told("odoo_failed", counts.error()));
    auto work = this->work(company, period, true);
    if (!work) return refuse(work.error());
    auto begun = (*work)->begin_import(request.name, "", actor);
    if (!begun) return refuse(told("import_failed", begun.error()));
    for (const Document& document : documents) (*work)->add(document);
    ImportRecord record;
    record.rows = counts->moves;
    record.rejected = counts->rejected;
    return finish_import(**work, kBooksSlot, record, findings);
  };
  return counted(import());
}

}  // namespace f29

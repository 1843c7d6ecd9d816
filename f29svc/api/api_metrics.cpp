// What /metrics shows. Every series is there from the first scrape.
#include "f29svc/api/api.h"

namespace f29 {

using base::MetricFamily;

namespace {

MetricFamily family(const char* name, const char* help, MetricFamily::Type type) {
  MetricFamily made;
  made.name = name;
  made.help = help;
  made.type = type;
  return made;
}

void add(MetricFamily& to, int64_t value,
         std::vector<std::pair<std::string, std::string>> labels = {}) {
  base::MetricSample sample;
  sample.labels = std::move(labels);
  sample.value = static_cast<double>(value);
  to.samples.push_back(std::move(sample));
}

}  // namespace

std::vector<MetricFamily> Api::metrics() {
  using enum MetricFamily::Type;
  const ServiceCounters& counted = service_.counters();
  auto requests = family("f29_requests_total", "Answers of the API by status.", counter);
  for (size_t i = 0; i <= kCodes.size(); ++i) {
    add(requests, answered_[i],
        {{"code", i < kCodes.size() ? std::to_string(kCodes[i]) : "other"}});
  }
  auto imports = family("f29_imports_total", "Imports by how they ended.", counter);
  add(imports, counted.imports_done, {{"result", "done"}});
  add(imports, counted.imports_repeated, {{"result", "repeated"}});
  add(imports, counted.imports_refused, {{"result", "refused"}});
  auto rows = family("f29_imported_rows_total", "Rows and moves read by imports.", counter);
  add(rows, counted.rows);
  auto rejected = family("f29_rejected_rows_total", "Rows and moves refused by imports.", counter);
  add(rejected, counted.rows_rejected);
  auto documents = family("f29_imported_documents_total", "Documents kept by imports.", counter);
  add(documents, counted.documents);
  auto computations = family("f29_computations_total", "Computations by how they ended.", counter);
  add(computations, counted.computations_done, {{"result", "done"}});
  add(computations, counted.computations_refused, {{"result", "refused"}});
  auto odoo = family("f29_odoo_reads_total", "Reads of Odoo's books by how they ended.", counter);
  add(odoo, counted.odoo_reads_done, {{"result", "done"}});
  add(odoo, counted.odoo_reads_failed, {{"result", "failed"}});

  auto ever = family("sii_unmapped_taxes_total",
                     "Lines of the books met with a tax that no table knows, each once.", counter);
  auto now =
      family("f29_unmapped_taxes", "Such lines in the newest return of every period.", gauge);
  auto up = family("f29_store_up", "1 while the database answers.", gauge);
  std::lock_guard lock(mutex_);
  auto companies = service_.store().companies();
  if (companies) {
    for (const CompanyRecord& company : *companies) {
      auto& known = unmapped_[company.rut];
      if (auto value = service_.store().unmapped_ever(company.rut)) known.first = *value;
      if (auto value = service_.store().unmapped_now(company.rut)) known.second = *value;
    }
  }
  add(up, companies.has_value() ? 1 : 0);
  for (const auto& [company, known] : unmapped_) {
    add(ever, known.first, {{"company", company.text()}});
    add(now, known.second, {{"company", company.text()}});
  }
  if (unmapped_.empty()) {
    add(ever, 0, {{"company", "none"}});
    add(now, 0, {{"company", "none"}});
  }
  return {requests, imports, rows, rejected, documents, computations, odoo, ever, now, up};
}

}  // namespace f29

// Reconciliation: run it, read its report with filters, as JSON and as a table.
#include <algorithm>
#include <sstream>

#include "f29svc/api/asked.h"
#include "f29svc/exports/json_writer.h"
#include "f29svc/exports/writers.h"

namespace f29 {

namespace {

// Which rows of the report are asked for.
struct RowFilter {
  std::vector<ReconcileStatus> statuses;  // empty: all
  DocumentFilter documents;
  std::string text;  // lower case
  int64_t min_diff = 0;

  bool takes(const Reconciled& one) const;
};

std::string lower(std::string_view text) {
  std::string low(text);
  for (char& c : low) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return low;
}

bool RowFilter::takes(const Reconciled& one) const {
  if (!statuses.empty() &&
      std::find(statuses.begin(), statuses.end(), one.status) == statuses.end()) {
    return false;
  }
  if (documents.side && *documents.side != one.key.side) return false;
  if (documents.type != 0 && documents.type != one.key.type) return false;
  if (documents.folio >= 0 && documents.folio != one.key.folio) return false;
  if (!documents.issuer.is_empty() && documents.issuer.number() != one.key.issuer) return false;
  if (std::abs(one.diff_total()) < min_diff) return false;
  if (text.empty()) return true;
  return lower(one.name).find(text) != std::string::npos ||
         lower(one.counterparty.text()).find(text) != std::string::npos ||
         lower(Rut{one.key.issuer}.text()).find(text) != std::string::npos ||
         std::to_string(one.key.folio).find(text) != std::string::npos;
}

RowFilter filter_of(const Call& call, Asked& asked) {
  RowFilter filter;
  filter.documents = asked.documents();
  filter.text = lower(asked.words("text", 100));
  filter.min_diff = asked.number("min_diff", 0, 0, kAmountMost);
  std::istringstream list(query_of(call, "status"));
  for (std::string one; std::getline(list, one, ',');) {
    if (const auto status = parse_status(one)) {
      filter.statuses.push_back(*status);
    } else {
      asked.add_fault("status: no such one");
    }
  }
  return filter;
}

// The newest run of a period and the text of what a run would compare now.
struct Newest {
  ReconcileRun run;
  std::string sources;
};
Outcome<Newest> newest_of(Store& store, const Call& call) {
  auto company = store.company(call.company);
  if (!company) return refuse(refusal_of(company.error()));
  if (auto known = store.period(call.company, call.period); !known) {
    return refuse(refusal_of(known.error()));
  }
  std::optional<ReconcileRun> run;
  std::string sources;
  auto read = store.with([&](Database& database) -> base::Result<> {
    auto found = newest_run(database, company->id, call.period);
    if (!found) return base::fail(found.error());
    auto text = sources_text(database, company->id, call.period);
    if (!text) return base::fail(text.error());
    run = std::move(*found);
    sources = std::move(*text);
    return {};
  });
  if (!read) return refuse(refusal_of(read.error()));
  if (!run) return refuse(404, "not_reconciled", "reconcile it first");
  return Newest{std::move(*run), std::move(sources)};
}

void write_run_head(JsonWriter& json, const ReconcileRun& run, bool repeated, bool current) {
  json.key("run");
  json.open('{');
  json.member("run", run.id);
  json.member("at", run.made_at);
  json.member("actor", run.actor);
  json.member("repeated", repeated);
  json.member("current", current);
  json.member("marked", run.marked);
  json.member("digest", run.digest);
  json.close('}');
}

HttpResponse report_json(Store& store, const Call& call, const Newest& newest, bool repeated,
                         const RowFilter& filter, Page page) {
  StatusTotals all;
  StatusTotals filtered;
  int64_t total = 0;
  std::ostringstream rows;
  JsonWriter row_writer(rows);
  row_writer.open('[');
  auto read = store.with([&](Database& database) {
    return read_run_rows(database, newest.run.id, [&](const Reconciled& one) {
      all.add(one);
      if (!filter.takes(one)) return;
      filtered.add(one);
      if (page.holds(total++)) write_reconciled(row_writer, one, call.period);
    });
  });
  if (!read) return error_response(refusal_of(read.error()));
  row_writer.close(']');
  Findings findings;
  add_status_findings(all, newest.run.ledger, findings);
  std::ostringstream out;
  JsonWriter writer(out);
  writer.open('{');
  write_run_head(writer, newest.run, repeated, newest.run.sources == newest.sources);
  writer.key("totals");
  write_totals(writer, all);
  writer.key("filtered");
  write_totals(writer, filtered);
  writer.member("total", total);
  writer.member("offset", page.offset);
  write_ledger(writer, newest.run.ledger);
  write_findings(writer, findings.list());
  writer.close('}');
  std::string body = std::move(out).str();
  body.pop_back();
  return json(body + ",\"documents\":" + std::move(rows).str() + "}\n");
}

}  // namespace

HttpResponse Api::reconcile(const Call& call) {
  Asked asked(call);
  const Page page = asked.page();
  if (auto fault = asked.fault()) return error_response(*fault);
  auto ran = service_.reconcile(call.company, call.period, call.actor);
  if (!ran) return error_response(ran.error());
  const Newest newest{ran->run, ran->run.sources};
  return report_json(service_.store(), call, newest, ran->repeated, {}, page);
}

HttpResponse Api::reconciliation(const Call& call) {
  Asked asked(call);
  const RowFilter filter = filter_of(call, asked);
  const Page page = asked.page();
  if (auto fault = asked.fault()) return error_response(*fault);
  auto newest = newest_of(service_.store(), call);
  if (!newest) return error_response(newest.error());
  return report_json(service_.store(), call, *newest, false, filter, page);
}

HttpResponse Api::reconciliation_csv(const Call& call) {
  Asked asked(call);
  const RowFilter filter = filter_of(call, asked);
  if (auto fault = asked.fault()) return error_response(*fault);
  auto newest = newest_of(service_.store(), call);
  if (!newest) return error_response(newest.error());
  std::ostringstream out;
  write_reconciled_head(out);
  auto read = service_.store().with([&](Database& database) {
    return read_run_rows(database, newest->run.id, [&](const Reconciled& one) {
      if (filter.takes(one)) write_reconciled_row(out, one);
    });
  });
  if (!read) return error_response(refusal_of(read.error()));
  return {200, "text/csv; charset=utf-8", std::move(out).str(), {}};
}

}  // namespace f29

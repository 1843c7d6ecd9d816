// The form in its own order, a box down to its documents, the documents, the findings.
#include <algorithm>
#include <map>
#include <sstream>

#include "f29svc/api/asked.h"
#include "f29svc/exports/json_writer.h"
#include "f29svc/exports/writers.h"
#include "f29svc/form/form.h"
#include "f29svc/form/formula.h"

namespace f29 {

namespace {

void write_value(JsonWriter& json, std::string_view name, const Boxes& boxes, const BoxInfo& box) {
  json.key(name);
  const auto found = boxes.find(box.code);
  if (found == boxes.end()) {
    json.number(0);
  } else if (found->second.kind == BoxValue::Kind::amount) {
    json.number(found->second.amount);
  } else {
    json.text(found->second.plain());
  }
}

// What stands in a box, and how many sources it has; `given` is a value of the inputs.
void write_box(JsonWriter& json, const Return& made, const BoxInfo& box, int64_t sources,
               bool given) {
  json.member("code", box.code);
  json.member("line", line_of(box.code, version_of(made.period)));
  json.member("label", box.label);
  json.member("sign", box.sign == ' ' ? std::string_view{} : std::string_view(&box.sign, 1));
  json.member("kind", kind_text(box.kind));
  write_value(json, "value", made.boxes, box);
  json.member("formula", box.formula);
  json.member("given", given);
  json.member("sources", sources);
}

// The boxes of one line in the order of the form's table, which is by code.
std::map<int, std::vector<const BoxInfo*>> boxes_by_line(FormVersion version) {
  std::map<int, std::vector<const BoxInfo*>> lines;
  for (const BoxInfo& box : all_boxes()) {
    const int line = line_of(box.code, version);
    if (line != 0 && !box.identity) lines[line].push_back(&box);
  }
  return lines;
}

// The number of the version that a call means, and what the store knows of it.
struct Wanted {
  ReturnRecord record;
  CompanyRecord company;
};
Outcome<Wanted> wanted_of(Store& store, const Call& call, Asked& asked) {
  const auto version = static_cast<int>(asked.number("version", 0, 1, INT32_MAX));
  if (auto fault = asked.fault()) return refuse(*fault);
  auto company = store.company(call.company);
  if (!company) return refuse(refusal_of(company.error()));
  auto period = store.period(call.company, call.period);
  if (!period) return refuse(refusal_of(period.error()));
  if (version > period->returns.back().version) return refuse(404, "not_found", "no such version");
  const size_t at = version == 0 ? period->returns.size() - 1 : static_cast<size_t>(version - 1);
  return Wanted{period->returns[at], *company};
}

void write_key(JsonWriter& json, const DocumentKey& key) {
  json.member("side", side_text(key.side));
  json.member("type", static_cast<int>(key.type));
  json.member("type_text", type_text(key.type));
  json.member("issuer", Rut{key.issuer}.text());
  json.member("folio", key.folio);
}

void write_source(JsonWriter& json, const BoxSource& source) {
  json.open('{');
  json.member("rule", source.rule);
  if (!source.detail.empty()) json.member("detail", source.detail);
  json.key("amount");
  if (const auto amount = parse_pesos(source.amount)) {
    json.number(amount->value());
  } else {
    json.text(source.amount);
  }
  if (source.document) {
    json.key("document");
    json.open('{');
    write_key(json, *source.document);
    json.close('}');
    json.member("section", section_text(source.section));
    json.member("file", source.file);
    json.member("line", source.line);
  }
  json.close('}');
}

void write_uses(JsonWriter& json, const Return& made, const BoxInfo& box) {
  json.key("uses");
  json.open('[');
  if (auto formula = Formula::parse(box.formula); !box.formula.empty() && formula) {
    for (const int code : formula->boxes_used()) {
      const BoxInfo* used = find_box(code);
      if (used == nullptr || used->identity) continue;
      json.open('{');
      json.member("code", code);
      json.member("line", line_of(code, version_of(made.period)));
      json.member("label", used->label);
      write_value(json, "value", made.boxes, *used);
      json.close('}');
    }
  }
  json.close(']');
}

std::string_view book_state_text(BookState state) {
  return state == BookState::posted ? "posted" : state == BookState::draft ? "draft" : "cancelled";
}

std::string_view part_text(PartKind kind) {
  switch (kind) {
    case PartKind::vat:
      return "vat";
    case PartKind::withheld_vat:
      return "withheld_vat";
    case PartKind::fee_withheld:
      return "fee_withheld";
    case PartKind::other_tax:
      return "other_tax";
    case PartKind::unresolved:
      return "unresolved";
    case PartKind::boxed:
      return "boxed";
  }
  return {};
}

void write_document(JsonWriter& json, const Document& document,
                    const std::vector<std::string>& files) {
  json.open('{');
  write_key(json, key_of(document));
  json.member("counterparty", document.counterparty.text());
  json.member("name", document.name);
  json.member("section", section_text(document.section));
  json.member("state", book_state_text(document.state));
  json.member("count", document.count);
  json.member("issued", document.issued.text());
  json.member("received", document.received.text());
  json.member("acknowledged", document.acknowledged.text());
  json.member("claimed", document.claimed.text());
  json.member("accounted", document.accounted.text());
  json.member("net", document.net.value());
  json.member("exempt", document.exempt.value());
  json.member("vat", document.vat().value());
  json.member("total", document.total.value());
  json.member("file", document.file < files.size() ? files[document.file] : std::string());
  json.member("line", static_cast<int64_t>(document.line));
  json.member("move", document.source_id);
  json.key("parts");
  json.open('[');
  for (const Part& part : document.parts) {
    json.open('{');
    json.member("kind", part_text(part.kind));
    json.member("use", use_text(part.use));
    json.member("common_use", part.common_use);
    json.member("code", static_cast<int>(part.code));
    json.member("base", part.base.value());
    json.member("amount", part.amount.value());
    json.close('}');
  }
  json.close(']');
  json.close('}');
}

}  // namespace

HttpResponse Api::form(const Call& call) {
  Asked asked(call);
  auto wanted = wanted_of(service_.store(), call, asked);
  if (!wanted) return error_response(wanted.error());
  auto made = service_.load(call.company, call.period, wanted->record.version, false);
  if (!made) return error_response(made.error());
  std::map<int, int64_t> counts;
  std::map<int, int64_t> given;
  auto read = service_.store().with([&](Database& database) -> base::Result<> {
    auto counted = count_box_sources(database, wanted->record.id);
    if (!counted) return base::fail(counted.error());
    counts = std::move(*counted);
    return read_given_boxes(database, wanted->record.id, given);
  });
  if (!read) return error_response(refusal_of(read.error()));
  std::ostringstream out;
  JsonWriter json_out(out);
  json_out.open('{');
  json_out.member("company", made->company.text());
  json_out.member("name", made->name);
  json_out.member("period", made->period.text());
  json_out.member("version", made->version);
  json_out.member("state", state_text(made->state));
  json_out.member("folio", made->folio);
  json_out.member("form", version_text(version_of(made->period)));
  json_out.member("due", made->due.text());
  json_out.member("declaration", declaration_text(made->declaration));
  json_out.member("iva_debito", made->iva_debito.value());
  json_out.member("iva_credito", made->iva_credito.value());
  json_out.member("to_pay", wanted->record.to_pay.value());
  json_out.key("lines");
  json_out.open('[');
  for (const auto& [line, boxes] : boxes_by_line(version_of(made->period))) {
    json_out.open('{');
    json_out.member("line", line);
    json_out.key("boxes");
    json_out.open('[');
    for (const BoxInfo* box : boxes) {
      json_out.open('{');
      write_box(json_out, *made, *box, counts[box->code], given.contains(box->code));
      json_out.close('}');
    }
    json_out.close(']');
    json_out.close('}');
  }
  json_out.close(']');
  json_out.close('}');
  out << '\n';
  return json(std::move(out).str());
}

HttpResponse Api::box(const Call& call) {
  Asked asked(call);
  const Page page = asked.page();
  auto wanted = wanted_of(service_.store(), call, asked);
  if (!wanted) return error_response(wanted.error());
  const BoxInfo* box = find_box(call.code);
  if (box == nullptr || box->identity) {
    return error_response({404, "not_found", "no such box", {}});
  }
  auto made = service_.load(call.company, call.period, wanted->record.version, false);
  if (!made) return error_response(made.error());
  BoxSources sources;
  std::map<int, int64_t> given;
  auto read = service_.store().with([&](Database& database) -> base::Result<> {
    auto found = read_box_sources(database, wanted->record.id, call.code, page);
    if (!found) return base::fail(found.error());
    sources = std::move(*found);
    return read_given_boxes(database, wanted->record.id, given);
  });
  if (!read) return error_response(refusal_of(read.error()));
  std::ostringstream out;
  JsonWriter json_out(out);
  json_out.open('{');
  write_box(json_out, *made, *box, sources.total, given.contains(call.code));
  json_out.member("version", made->version);
  write_uses(json_out, *made, *box);
  json_out.member("total", sources.total);
  json_out.member("offset", page.offset);
  json_out.key("entries");
  json_out.open('[');
  for (const BoxSource& source : sources.page) write_source(json_out, source);
  json_out.close(']');
  json_out.close('}');
  out << '\n';
  return json(std::move(out).str());
}

HttpResponse Api::documents(const Call& call) {
  Asked asked(call);
  const Page page = asked.page();
  DocumentFilter filter = asked.documents();
  const std::string section = query_of(call, "section");
  for (int i = 0; i <= static_cast<int>(Section::manual); ++i) {
    if (section == section_text(static_cast<Section>(i))) filter.section = static_cast<Section>(i);
  }
  if (!section.empty() && !filter.section) asked.add_fault("section: no such one");
  if (auto fault = asked.fault()) return error_response(*fault);
  auto company = service_.store().company(call.company);
  if (!company) return error_response(refusal_of(company.error()));
  if (auto period = service_.store().period(call.company, call.period); !period) {
    return error_response(refusal_of(period.error()));
  }
  DocumentPage found;
  auto read = service_.store().with([&](Database& database) -> base::Result<> {
    auto got = read_document_page(database, *company, call.period, filter, page);
    if (!got) return base::fail(got.error());
    found = std::move(*got);
    return {};
  });
  if (!read) return error_response(refusal_of(read.error()));
  std::ostringstream out;
  JsonWriter json_out(out);
  json_out.open('{');
  json_out.member("total", found.total);
  json_out.member("offset", page.offset);
  json_out.key("sums");
  json_out.open('{');
  json_out.member("net", found.net.total().value());
  json_out.member("exempt", found.exempt.total().value());
  json_out.member("vat", found.vat.total().value());
  json_out.member("total", found.sum.total().value());
  json_out.close('}');
  json_out.key("documents");
  json_out.open('[');
  for (const Document& document : found.page) write_document(json_out, document, found.files);
  json_out.close(']');
  json_out.close('}');
  out << '\n';
  return json(std::move(out).str());
}

HttpResponse Api::findings(const Call& call) {
  Asked asked(call);
  const Page page = asked.page();
  const std::string severity = asked.one_of("severity", {"error", "warning", "note"});
  const std::string code = asked.words("code", 64);
  const int64_t box = asked.number("box", 0, 1, 99'999);
  auto wanted = wanted_of(service_.store(), call, asked);
  if (!wanted) return error_response(wanted.error());
  std::vector<Finding> all;
  auto read = service_.store().with([&](Database& database) -> base::Result<> {
    auto got = read_period_findings(database, wanted->company, call.period, wanted->record);
    if (!got) return base::fail(got.error());
    all = std::move(*got);
    return {};
  });
  if (!read) return error_response(refusal_of(read.error()));
  int64_t counts[3] = {0, 0, 0};
  for (const Finding& finding : all) ++counts[static_cast<size_t>(finding.severity)];
  std::erase_if(all, [&](const Finding& finding) {
    return (!severity.empty() && severity != severity_text(finding.severity)) ||
           (!code.empty() && code != finding.code) ||
           (box != 0 && finding.place.subject != "box " + std::to_string(box));
  });
  const auto total = static_cast<int64_t>(all.size());
  const auto first = std::min(page.offset, total);
  const auto last = std::min(first + page.limit, total);
  std::ostringstream out;
  JsonWriter json_out(out);
  json_out.open('{');
  json_out.member("version", wanted->record.version);
  json_out.member("state", state_text(wanted->record.state));
  json_out.key("counts");
  json_out.open('{');
  json_out.member("error", counts[2]);
  json_out.member("warning", counts[1]);
  json_out.member("note", counts[0]);
  json_out.close('}');
  json_out.member("total", total);
  json_out.member("offset", page.offset);
  write_findings(json_out, {all.begin() + first, all.begin() + last});
  json_out.close('}');
  out << '\n';
  return json(std::move(out).str());
}

}  // namespace f29

#include "f29svc/api/api_json.h"

#include <sstream>

#include "f29svc/exports/json_writer.h"
#include "f29svc/exports/writers.h"

namespace f29 {

namespace {

// One object; `fill` writes its members.
template <class Fill>
std::string object(const Fill& fill) {
  std::ostringstream out;
  JsonWriter json(out);
  json.open('{');
  fill(json);
  json.close('}');
  out << '\n';
  return std::move(out).str();
}

template <class List, class Write>
void list(JsonWriter& json, std::string_view name, const List& items, const Write& write) {
  json.key(name);
  json.open('[');
  for (const auto& item : items) write(json, item);
  json.close(']');
}

void write_import(JsonWriter& json, const ImportRecord& record) {
  json.open('{');
  json.member("slot", record.slot);
  json.member("name", record.name);
  json.member("sha256", record.sha256);
  json.member("actor", record.actor);
  json.member("at", record.made_at);
  json.member("current", record.replaced_at.empty());
  json.member("rows", record.rows);
  json.member("documents", record.documents);
  json.member("rejected", record.rejected);
  json.member("copies", record.copies);
  json.close('}');
}

void write_return_record(JsonWriter& json, const ReturnRecord& record) {
  json.open('{');
  json.member("version", record.version);
  json.member("state", state_text(record.state));
  json.member("folio", record.folio);
  json.member("due", record.due.text());
  json.member("declaration", declaration_text(record.declaration));
  json.member("iva_debito", record.iva_debito.value());
  json.member("iva_credito", record.iva_credito.value());
  json.member("inputs_revision", record.inputs_revision);
  json.member("computed_at", record.computed_at);
  json.member("sent_on", record.sent_on.text());
  json.member("paid_on", record.paid_on.text());
  json.member("paid_amount", record.paid_amount.value());
  json.member("payment", record.payment);
  json.member("ready", record.is_ready);
  list(json, "history", record.history, [](JsonWriter& entry, const StateRecord& state) {
    entry.open('{');
    entry.member("state", state_text(state.state));
    entry.member("actor", state.actor);
    entry.member("note", state.note);
    entry.member("at", state.made_at);
    entry.close('}');
  });
  json.close('}');
}

void write_period(JsonWriter& json, const PeriodRecord& period, const std::vector<Date>& holidays) {
  const ReturnRecord& record = period.returns.back();
  Date due = record.due;
  if (due.is_none()) {
    DueRules rules;
    rules.holidays = holidays;
    due = due_date(period.period, Declaration::normal, rules);
  }
  json.member("period", period.period.text());
  json.member("version", record.version);
  json.member("state", state_text(record.state));
  json.member("closed", is_closed(record.state));
  json.member("due", due.text());
  json.member("declaration", declaration_text(record.declaration));
  json.member("to_pay", record.to_pay.value());
  json.member("folio", record.folio);
  json.member("computed_at", record.computed_at);
  json.member("ready", record.is_ready);
  json.member("flow", record.flow.empty() ? std::string("none") : record.flow);
  json.key("findings");
  json.open('{');
  json.member("error", record.findings[2]);
  json.member("warning", record.findings[1]);
  json.member("note", record.findings[0]);
  json.close('}');
}

}  // namespace

HttpResponse error_response(const Refusal& refusal) {
  HttpResponse response;
  response.status = refusal.status;
  response.body = object([&](JsonWriter& json) {
    json.key("error");
    json.open('{');
    json.member("code", refusal.code);
    json.member("message", refusal.message);
    list(json, "faults", refusal.faults,
         [](JsonWriter& one, const std::string& fault) { one.text(fault); });
    json.close('}');
  });
  return response;
}

std::string json_of(const Imported& imported) {
  return object([&](JsonWriter& json) {
    json.key("import");
    write_import(json, imported.record);
    json.member("repeated", imported.record.is_repeated);
    write_findings(json, imported.findings);
  });
}

std::string json_of(const Validated& validated) {
  return object([&](JsonWriter& json) {
    json.member("valid", validated.valid);
    json.key("return");
    write_return_record(json, validated.record);
    write_findings(json, validated.findings);
  });
}

std::string json_of(const ReturnRecord& record) {
  return object([&](JsonWriter& json) {
    json.key("return");
    write_return_record(json, record);
  });
}

std::string json_of(const std::vector<CompanyRecord>& companies) {
  return object([&](JsonWriter& json) {
    list(json, "companies", companies, [](JsonWriter& one, const CompanyRecord& company) {
      one.open('{');
      one.member("company", company.rut.text());
      one.member("name", company.name);
      one.close('}');
    });
  });
}

std::string json_of(const std::vector<PeriodRecord>& periods, const std::vector<Date>& holidays) {
  return object([&](JsonWriter& json) {
    list(json, "periods", periods, [&](JsonWriter& one, const PeriodRecord& period) {
      one.open('{');
      write_period(one, period, holidays);
      one.close('}');
    });
  });
}

std::string json_of(const PeriodRecord& period, const std::vector<ImportRecord>& imports,
                    const std::vector<Date>& holidays) {
  return object([&](JsonWriter& json) {
    write_period(json, period, holidays);
    list(json, "returns", period.returns, write_return_record);
    list(json, "imports", imports, write_import);
  });
}

std::string json_of(const std::vector<ReturnRecord>& returns) {
  return object([&](JsonWriter& json) { list(json, "returns", returns, write_return_record); });
}

std::string json_of(const std::vector<InputsRecord>& inputs) {
  return object([&](JsonWriter& json) {
    list(json, "inputs", inputs, [](JsonWriter& one, const InputsRecord& record) {
      one.open('{');
      one.member("revision", record.revision);
      one.member("actor", record.actor);
      one.member("at", record.made_at);
      one.member("body", record.body);
      one.close('}');
    });
  });
}

}  // namespace f29

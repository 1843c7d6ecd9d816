#include "f29svc/store/record_rows.h"

#include "f29svc/store/document_text.h"
#include "f29svc/store/return_rows.h"

namespace f29 {

int64_t number_of(Period period) { return period.year() * 100 + period.month(); }
Period period_of(int64_t number) {
  return {static_cast<int>(number / 100), static_cast<int>(number % 100)};
}

base::Result<std::vector<ReturnRecord>> read_return_records(Database& database, int64_t company_id,
                                                            Period period) {
  std::vector<ReturnRecord> returns;
  auto done = database.query(
      "SELECT id, version, state, folio, iva_debito, iva_credito, declaration, due, "
      "inputs_revision, computed_at, sent_on, paid_on, paid_amount, payment, "
      "COALESCE((SELECT value FROM return_boxes WHERE return_id = r.id AND code = 94), "
      "(SELECT value FROM return_boxes WHERE return_id = r.id AND code = 91), ''), "
      "(SELECT count(*) FROM ready_returns WHERE return_id = r.id), "
      "COALESCE((SELECT state FROM flows WHERE return_id = r.id), ''), "
      "(SELECT count(*) FROM return_findings WHERE return_id = r.id AND severity = 0), "
      "(SELECT count(*) FROM return_findings WHERE return_id = r.id AND severity = 1), "
      "(SELECT count(*) FROM return_findings WHERE return_id = r.id AND severity = 2) "
      "FROM returns r WHERE company_id = :a AND period = :b ORDER BY version",
      {company_id, number_of(period)}, "iittiiiiitiiittitiii", [&](const SqlRow& row) {
        ReturnRecord& record = returns.emplace_back();
        record.id = row.number(0);
        record.version = static_cast<int>(row.number(1));
        record.state = parse_state(row.text(2)).value_or(ReturnState::draft);
        record.folio = row.text(3);
        record.iva_debito = Pesos{row.number(4)};
        record.iva_credito = Pesos{row.number(5)};
        record.declaration = static_cast<Declaration>(row.number(6));
        record.due = date_of(row.number(7));
        record.inputs_revision = static_cast<int>(row.number(8));
        record.computed_at = row.text(9);
        record.sent_on = date_of(row.number(10));
        record.paid_on = date_of(row.number(11));
        record.paid_amount = Pesos{row.number(12)};
        record.payment = row.text(13);
        record.to_pay = parse_pesos(row.text(14)).value_or(Pesos{});
        record.is_ready = row.number(15) != 0;
        record.flow = row.text(16);
        for (size_t i = 0; i < 3; ++i) record.findings[i] = row.number(17 + i);
      });
  for (ReturnRecord& record : returns) {
    if (!done) break;
    done = database.query(
        "SELECT state, actor, note, made_at FROM return_states WHERE return_id = :a ORDER BY seq",
        {record.id}, "tttt", [&](const SqlRow& row) {
          record.history.push_back({parse_state(row.text(0)).value_or(ReturnState::draft),
                                    row.text(1), row.text(2), row.text(3)});
        });
  }
  if (!done) return base::fail(done.error());
  return returns;
}

base::Result<std::vector<ImportRecord>> read_import_records(Database& database, int64_t company_id,
                                                            Period period, bool all) {
  std::vector<ImportRecord> list;
  auto done = database.query(
      "SELECT id, slot, name, sha256, actor, made_at, replaced_at, rows_read, documents, "
      "rejected, copies FROM imports WHERE company_id = :a AND period = :b AND slot <> '' " +
          std::string(all ? "ORDER BY id DESC" : "AND replaced_at = '' ORDER BY slot"),
      {company_id, number_of(period)}, "ittttttiiii", [&](const SqlRow& row) {
        list.push_back({row.number(0), row.text(1), row.text(2), row.text(3), row.text(4),
                        row.text(5), row.text(6), row.number(7), row.number(8), row.number(9),
                        row.number(10), false});
      });
  if (!done) return base::fail(done.error());
  return list;
}

base::Result<std::vector<InputsRecord>> read_inputs_records(Database& database, int64_t company_id,
                                                            Period period, int most) {
  std::vector<InputsRecord> list;
  auto done = database.query(
      "SELECT revision, body, actor, made_at FROM inputs WHERE company_id = :a AND period = :b "
      "ORDER BY revision DESC LIMIT :c",
      {company_id, number_of(period), most}, "ittt", [&](const SqlRow& row) {
        list.push_back({static_cast<int>(row.number(0)), row.text(1), row.text(2), row.text(3)});
      });
  if (!done) return base::fail(done.error());
  return list;
}

base::Result<Return> load_return(Database& database, const CompanyRecord& company, Period period,
                                 const ReturnRecord& record, bool with_provenance) {
  Return tax_return;
  tax_return.company = company.rut;
  tax_return.name = company.name;
  tax_return.period = period;
  tax_return.version = record.version;
  tax_return.folio = record.folio;
  tax_return.state = record.state;
  tax_return.iva_debito = record.iva_debito;
  tax_return.iva_credito = record.iva_credito;
  tax_return.declaration = record.declaration;
  tax_return.due = record.due;
  auto done =
      database.query("SELECT settings FROM returns WHERE id = :a", {record.id}, "t",
                     [&](const SqlRow& row) { tax_return.settings = read_settings(row.text(0)); });
  if (done) done = read_return_rows(database, record.id, tax_return, with_provenance);
  if (!done) return base::fail(done.error());
  return tax_return;
}

}  // namespace f29

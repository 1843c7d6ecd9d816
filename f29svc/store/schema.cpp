#include "f29svc/store/schema.h"

#include <algorithm>
#include <iterator>

namespace f29 {

using base::ErrorCode;

namespace {

// {id}: a key that the database counts. {rowless}: SQLite keeps the rows in the key's tree.
constexpr const char* kSteps[] = {
    // 1: companies, periods, what was imported, inputs, returns.
    R"(
CREATE TABLE companies (
  id {id}, rut BIGINT NOT NULL UNIQUE, name TEXT NOT NULL, made_at TEXT NOT NULL);

CREATE TABLE periods (
  company_id BIGINT NOT NULL REFERENCES companies (id), period BIGINT NOT NULL,
  made_at TEXT NOT NULL, PRIMARY KEY (company_id, period));

CREATE TABLE imports (
  id {id}, company_id BIGINT NOT NULL, period BIGINT NOT NULL,
  slot TEXT NOT NULL, name TEXT NOT NULL, sha256 TEXT NOT NULL, actor TEXT NOT NULL,
  made_at TEXT NOT NULL, replaced_at TEXT NOT NULL,
  rows_read BIGINT NOT NULL, documents BIGINT NOT NULL, rejected BIGINT NOT NULL,
  copies BIGINT NOT NULL,
  FOREIGN KEY (company_id, period) REFERENCES periods (company_id, period));
CREATE INDEX imports_of_period ON imports (company_id, period, slot);

CREATE TABLE documents (
  import_id BIGINT NOT NULL REFERENCES imports (id), seq BIGINT NOT NULL,
  side BIGINT NOT NULL, section BIGINT NOT NULL, type BIGINT NOT NULL,
  counterparty BIGINT NOT NULL, folio BIGINT NOT NULL, issued BIGINT NOT NULL,
  net BIGINT NOT NULL, exempt BIGINT NOT NULL, vat BIGINT NOT NULL, total BIGINT NOT NULL,
  line BIGINT NOT NULL, name TEXT NOT NULL, detail TEXT NOT NULL,
  PRIMARY KEY (import_id, seq)) {rowless};

CREATE TABLE import_findings (
  import_id BIGINT NOT NULL REFERENCES imports (id), seq BIGINT NOT NULL,
  code TEXT NOT NULL, severity BIGINT NOT NULL, file TEXT NOT NULL, line BIGINT NOT NULL,
  field BIGINT NOT NULL, subject TEXT NOT NULL, message TEXT NOT NULL, advice TEXT NOT NULL,
  PRIMARY KEY (import_id, seq)) {rowless};

CREATE TABLE inputs (
  company_id BIGINT NOT NULL, period BIGINT NOT NULL, revision BIGINT NOT NULL,
  body TEXT NOT NULL, actor TEXT NOT NULL, made_at TEXT NOT NULL,
  PRIMARY KEY (company_id, period, revision),
  FOREIGN KEY (company_id, period) REFERENCES periods (company_id, period));

CREATE TABLE returns (
  id {id}, company_id BIGINT NOT NULL, period BIGINT NOT NULL, version BIGINT NOT NULL,
  state TEXT NOT NULL, folio TEXT NOT NULL, iva_debito BIGINT NOT NULL,
  iva_credito BIGINT NOT NULL, declaration BIGINT NOT NULL, due BIGINT NOT NULL,
  settings TEXT NOT NULL, inputs_revision BIGINT NOT NULL, computed_at TEXT NOT NULL,
  UNIQUE (company_id, period, version),
  FOREIGN KEY (company_id, period) REFERENCES periods (company_id, period));

CREATE TABLE return_states (
  return_id BIGINT NOT NULL REFERENCES returns (id), seq BIGINT NOT NULL, state TEXT NOT NULL,
  actor TEXT NOT NULL, note TEXT NOT NULL, made_at TEXT NOT NULL,
  PRIMARY KEY (return_id, seq));

CREATE TABLE return_imports (
  return_id BIGINT NOT NULL REFERENCES returns (id),
  import_id BIGINT NOT NULL REFERENCES imports (id), PRIMARY KEY (return_id, import_id));

CREATE TABLE return_boxes (
  return_id BIGINT NOT NULL REFERENCES returns (id), code BIGINT NOT NULL,
  kind BIGINT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (return_id, code)) {rowless};

CREATE TABLE return_extras (
  return_id BIGINT NOT NULL REFERENCES returns (id), code TEXT NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY (return_id, code)) {rowless};

CREATE TABLE return_findings (
  return_id BIGINT NOT NULL REFERENCES returns (id), seq BIGINT NOT NULL,
  code TEXT NOT NULL, severity BIGINT NOT NULL, file TEXT NOT NULL, line BIGINT NOT NULL,
  field BIGINT NOT NULL, subject TEXT NOT NULL, message TEXT NOT NULL, advice TEXT NOT NULL,
  PRIMARY KEY (return_id, seq)) {rowless};

CREATE TABLE return_names (
  return_id BIGINT NOT NULL REFERENCES returns (id), what TEXT NOT NULL, seq BIGINT NOT NULL,
  name TEXT NOT NULL, PRIMARY KEY (return_id, what, seq)) {rowless};

CREATE TABLE return_documents (
  return_id BIGINT NOT NULL REFERENCES returns (id), seq BIGINT NOT NULL,
  side BIGINT NOT NULL, type BIGINT NOT NULL, issuer BIGINT NOT NULL, folio BIGINT NOT NULL,
  section BIGINT NOT NULL, file BIGINT NOT NULL, line BIGINT NOT NULL,
  PRIMARY KEY (return_id, seq)) {rowless};

CREATE TABLE return_entries (
  return_id BIGINT NOT NULL REFERENCES returns (id), seq BIGINT NOT NULL, doc BIGINT NOT NULL,
  amount_box BIGINT NOT NULL, count_box BIGINT NOT NULL, rule BIGINT NOT NULL,
  amount BIGINT NOT NULL, doc_count BIGINT NOT NULL, PRIMARY KEY (return_id, seq)) {rowless};

CREATE TABLE return_others (
  return_id BIGINT NOT NULL REFERENCES returns (id), seq BIGINT NOT NULL, box BIGINT NOT NULL,
  rule TEXT NOT NULL, detail TEXT NOT NULL, amount TEXT NOT NULL,
  PRIMARY KEY (return_id, seq)) {rowless}
)",
    // 2: taxes of the books that no table knows, counted once for ever.
    R"(
CREATE TABLE return_unmapped (
  return_id BIGINT NOT NULL REFERENCES returns (id), seq BIGINT NOT NULL,
  tax_id BIGINT NOT NULL, line_id BIGINT NOT NULL, xmlid TEXT NOT NULL, name TEXT NOT NULL,
  side BIGINT NOT NULL, type BIGINT NOT NULL, issuer BIGINT NOT NULL, folio BIGINT NOT NULL,
  source_id BIGINT NOT NULL, amount BIGINT NOT NULL, PRIMARY KEY (return_id, seq));

CREATE TABLE unmapped_seen (
  company_id BIGINT NOT NULL REFERENCES companies (id), mark TEXT NOT NULL,
  made_at TEXT NOT NULL, PRIMARY KEY (company_id, mark))
)",
    // 3: how a return was closed, what waits to be filed, payments, reconciliations.
    R"(
ALTER TABLE returns ADD COLUMN sent_on BIGINT NOT NULL DEFAULT 0;
ALTER TABLE returns ADD COLUMN paid_on BIGINT NOT NULL DEFAULT 0;
ALTER TABLE returns ADD COLUMN paid_amount BIGINT NOT NULL DEFAULT 0;
ALTER TABLE returns ADD COLUMN payment TEXT NOT NULL DEFAULT '';

CREATE TABLE ready_returns (
  return_id BIGINT PRIMARY KEY REFERENCES returns (id), digest TEXT NOT NULL,
  actor TEXT NOT NULL, made_at TEXT NOT NULL);

CREATE TABLE outages (
  id {id}, began_at TEXT NOT NULL, began_by TEXT NOT NULL, reason TEXT NOT NULL,
  ended_at TEXT NOT NULL, ended_by TEXT NOT NULL);

CREATE TABLE flows (
  return_id BIGINT PRIMARY KEY REFERENCES returns (id), state TEXT NOT NULL,
  amount BIGINT NOT NULL, due BIGINT NOT NULL, deferred_amount BIGINT NOT NULL,
  deferred_to BIGINT NOT NULL, paid_on BIGINT NOT NULL, paid_amount BIGINT NOT NULL,
  payment TEXT NOT NULL);

CREATE TABLE flow_states (
  return_id BIGINT NOT NULL REFERENCES returns (id), seq BIGINT NOT NULL, state TEXT NOT NULL,
  actor TEXT NOT NULL, note TEXT NOT NULL, made_at TEXT NOT NULL,
  PRIMARY KEY (return_id, seq));

CREATE TABLE reconciliations (
  id {id}, company_id BIGINT NOT NULL, period BIGINT NOT NULL, digest TEXT NOT NULL,
  sources TEXT NOT NULL, has_ledger BIGINT NOT NULL, ledger BIGINT NOT NULL,
  box_504 BIGINT NOT NULL, marked BIGINT NOT NULL, actor TEXT NOT NULL, made_at TEXT NOT NULL,
  FOREIGN KEY (company_id, period) REFERENCES periods (company_id, period));
CREATE INDEX reconciliations_of_period ON reconciliations (company_id, period);

CREATE TABLE reconciled (
  run_id BIGINT NOT NULL REFERENCES reconciliations (id), seq BIGINT NOT NULL,
  side BIGINT NOT NULL, type BIGINT NOT NULL, issuer BIGINT NOT NULL, folio BIGINT NOT NULL,
  status BIGINT NOT NULL, counterparty BIGINT NOT NULL, name TEXT NOT NULL,
  moves TEXT NOT NULL, present BIGINT NOT NULL,
  books_net BIGINT NOT NULL, books_exempt BIGINT NOT NULL, books_total BIGINT NOT NULL,
  register_net BIGINT NOT NULL, register_exempt BIGINT NOT NULL,
  register_total BIGINT NOT NULL, field BIGINT NOT NULL, books_type BIGINT NOT NULL,
  books_date BIGINT NOT NULL, accepted_on BIGINT NOT NULL, doc_count BIGINT NOT NULL,
  note BIGINT NOT NULL, PRIMARY KEY (run_id, seq)) {rowless};

CREATE TABLE document_marks (
  company_id BIGINT NOT NULL REFERENCES companies (id), side BIGINT NOT NULL,
  type BIGINT NOT NULL, issuer BIGINT NOT NULL, folio BIGINT NOT NULL, period BIGINT NOT NULL,
  status BIGINT NOT NULL, made_at TEXT NOT NULL,
  PRIMARY KEY (company_id, period, side, type, issuer, folio)) {rowless};

CREATE TABLE odoo_notes (
  company_id BIGINT NOT NULL REFERENCES companies (id), move BIGINT NOT NULL,
  digest TEXT NOT NULL, made_at TEXT NOT NULL, PRIMARY KEY (company_id, move, digest))
)",
};

void replace_all(std::string& text, std::string_view what, std::string_view with) {
  for (size_t at = text.find(what); at != text.npos; at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
}

base::Result<> run_step(Database& database, int step) {
  std::string sql = kSteps[step - 1];
  const bool postgresql = database.is_postgresql();
  replace_all(sql, "{id}",
              postgresql ? "BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY"
                         : "INTEGER PRIMARY KEY AUTOINCREMENT");
  replace_all(sql, "{rowless}", postgresql ? "" : "WITHOUT ROWID");
  for (size_t begin = 0; begin < sql.size();) {
    const size_t end = std::min(sql.find(';', begin), sql.size());
    if (auto done = database.run(sql.substr(begin, end - begin)); !done) return done;
    begin = end + 1;
  }
  return database.run("UPDATE schema_version SET version = :a", {step});
}

}  // namespace

int newest_schema() { return static_cast<int>(std::size(kSteps)); }

base::Result<int> schema_of(Database& database) {
  auto tables = database.number(
      database.is_postgresql()
          ? "SELECT count(*) FROM pg_catalog.pg_tables WHERE tablename = 'schema_version' "
            "AND schemaname = ANY (current_schemas(false))"
          : "SELECT count(*) FROM sqlite_master WHERE name = 'schema_version'");
  if (!tables) return base::fail(tables.error());
  if (*tables == 0) return 0;
  auto version = database.number("SELECT version FROM schema_version");
  if (!version) return base::fail(version.error());
  return static_cast<int>(*version);
}

base::Result<> migrate(Database& database, int version) {
  const int wanted = version == 0 ? newest_schema() : version;
  while (true) {
    if (auto begun = database.begin(); !begun) return begun;
    const Database::Undo undo(database);
    if (database.is_postgresql()) {  // two programs that start at once
      auto locked = database.run("SELECT pg_advisory_xact_lock(29)");
      if (!locked) return locked;
    }
    auto now = schema_of(database);
    if (!now) return base::fail(now.error());
    if (*now > newest_schema()) {
      return base::fail(ErrorCode::bad_config, base::Side::proxy,
                        "the database is of a newer program: schema " + std::to_string(*now));
    }
    if (*now >= wanted) return {};
    if (*now == 0) {
      auto made = database.run("CREATE TABLE schema_version (version BIGINT NOT NULL)");
      if (made) made = database.run("INSERT INTO schema_version VALUES (0)");
      if (!made) return made;
    }
    if (auto done = run_step(database, *now + 1); !done) return done;
    if (auto done = database.commit(); !done) return done;
  }
}

}  // namespace f29

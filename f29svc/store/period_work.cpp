#include "f29svc/store/period_work.h"

#include "f29svc/store/document_text.h"
#include "f29svc/store/form_rows.h"
#include "f29svc/store/record_rows.h"
#include "f29svc/store/return_rows.h"
#include "proxy/base/log.h"

namespace f29 {

using base::ErrorCode;

namespace {

base::Error conflict(std::string detail) {
  return {ErrorCode::conflict, base::Side::client, std::move(detail)};
}

constexpr const char* kDocumentColumns =
    "import_id:i seq:i side:i section:i type:i counterparty:i folio:i issued:i net:i exempt:i "
    "vat:i total:i line:i name:t detail:t";

}  // namespace

PeriodWork::PeriodWork(std::unique_ptr<Database> database, const CompanyRecord& company,
                       Period period, Release release)
    : database_(std::move(database)),
      company_(company),
      period_(period),
      release_(std::move(release)) {}

PeriodWork::~PeriodWork() {
  bulk_.reset();
  database_->rollback();
  release_(std::move(database_));
}

std::vector<SqlValue> PeriodWork::key() const { return {company_.id, number_of(period_)}; }

base::Result<> PeriodWork::open(bool make) {
  if (auto begun = database_->begin(); !begun) return begun;
  if (database_->is_postgresql()) {
    auto alone =
        database_->number("SELECT CASE WHEN pg_try_advisory_xact_lock(:a) THEN 1 ELSE 0 END",
                          {company_.id * 1'000'000 + number_of(period_)});
    if (!alone) return base::fail(alone.error());
    if (*alone == 0) return base::fail(conflict("busy"));
  }
  if (make) {
    auto made = database_->run(
        "INSERT INTO periods (company_id, period, made_at) VALUES (:a, :b, :c) "
        "ON CONFLICT DO NOTHING",
        {company_.id, number_of(period_), base::timestamp()});
    if (!made) return made;
  }
  if (auto read = read_returns(); !read) return read;
  if (!returns_.empty()) return {};
  if (!make) return base::fail(ErrorCode::not_found, base::Side::client, "no such period");
  return add_version(1, "f29svc", "opened");
}

base::Result<> PeriodWork::read_returns() {
  auto read = read_return_records(*database_, company_.id, period_);
  if (!read) return base::fail(read.error());
  returns_ = std::move(*read);
  return {};
}

base::Result<> PeriodWork::add_version(int version, const std::string& actor,
                                       const std::string& note) {
  auto made = database_->run(
      "INSERT INTO returns (company_id, period, version, state, folio, iva_debito, iva_credito, "
      "declaration, due, settings, inputs_revision, computed_at) "
      "VALUES (:a, :b, :c, 'draft', '', 0, 0, :d, 0, '', 0, '')",
      {company_.id, number_of(period_), version,
       static_cast<int64_t>(Declaration::sin_movimiento)});
  if (made) made = read_returns();
  return made ? set_state(returns_.back(), ReturnState::draft, actor, note) : made;
}

base::Result<> PeriodWork::set_state(ReturnRecord& record, ReturnState to, const std::string& actor,
                                     const std::string& note) {
  const std::string text(state_text(to));
  auto done = database_->run("UPDATE returns SET state = :a WHERE id = :b", {text, record.id});
  if (!done) return done;
  const StateRecord entry{to, actor, note, base::timestamp()};
  done = database_->run(
      "INSERT INTO return_states (return_id, seq, state, actor, note, made_at) "
      "VALUES (:a, :b, :c, :d, :e, :f)",
      {record.id, static_cast<int64_t>(record.history.size()), text, actor, note, entry.made_at});
  record.state = to;
  record.history.push_back(entry);
  return done;
}

base::Result<> PeriodWork::check_open() const {
  if (is_closed(current().state)) return base::fail(conflict("period_closed"));
  return {};
}

base::Result<> PeriodWork::back_to_draft(const std::string& actor, const std::string& note) {
  if (auto done = not_ready(returns_.back()); !done) return done;
  if (current().state == ReturnState::draft) return {};
  return set_state(returns_.back(), ReturnState::draft, actor, note);
}

// ---- imports ------------------------------------------------------------------------------------

base::Result<> PeriodWork::begin_import(const std::string& name, const std::string& sha256,
                                        const std::string& actor) {
  import_ = {};
  import_.name = name;
  import_.sha256 = sha256;
  import_.actor = actor;
  import_.made_at = base::timestamp();
  auto id = database_->number(
      "INSERT INTO imports (company_id, period, slot, name, sha256, actor, made_at, replaced_at, "
      "rows_read, documents, rejected, copies) "
      "VALUES (:a, :b, '', :c, :d, :e, :f, '', 0, 0, 0, 0) RETURNING id",
      {company_.id, number_of(period_), name, sha256, actor, import_.made_at});
  if (!id) return base::fail(id.error());
  import_.id = *id;
  bulk_ = std::make_unique<Database::Bulk>(*database_, "documents", kDocumentColumns);
  bulk_state_ = {};
  seq_ = 0;
  return {};
}

void PeriodWork::add(const Document& d) {
  if (!bulk_state_) return;
  detail_.clear();
  append_detail(d, detail_);
  bulk_->add(import_.id).add(seq_++).add(static_cast<int64_t>(d.side));
  bulk_->add(static_cast<int64_t>(d.section)).add(d.type).add(d.counterparty.number());
  bulk_->add(d.folio).add(number_of(d.issued)).add(d.net.value()).add(d.exempt.value());
  bulk_->add(d.vat().value()).add(d.total.value()).add(d.line).add(d.name).add(detail_);
  bulk_state_ = bulk_->end_row();
}

base::Result<ImportRecord> PeriodWork::finish_import(const std::string& slot,
                                                     const ImportRecord& counts,
                                                     const std::vector<Finding>& findings) {
  if (bulk_state_) bulk_state_ = bulk_->finish();
  bulk_.reset();
  if (!bulk_state_) return base::fail(bulk_state_.error());
  auto now = sources();
  if (!now) return base::fail(now.error());
  for (ImportRecord& before : *now) {
    if (before.slot != slot || before.sha256.empty() || before.sha256 != import_.sha256) continue;
    for (const char* sql :
         {"DELETE FROM documents WHERE import_id = :a", "DELETE FROM imports WHERE id = :a"}) {
      if (auto done = database_->run(sql, {import_.id}); !done) return base::fail(done.error());
    }
    before.is_repeated = true;
    return before;
  }
  auto done = database_->run(
      "UPDATE imports SET replaced_at = :a WHERE company_id = :b AND period = :c AND slot = :d "
      "AND replaced_at = ''",
      {import_.made_at, company_.id, number_of(period_), slot});
  if (!done) return base::fail(done.error());
  import_.slot = slot;
  import_.rows = counts.rows;
  import_.documents = seq_;
  import_.rejected = counts.rejected;
  import_.copies = counts.copies;
  done = database_->run(
      "UPDATE imports SET slot = :a, rows_read = :b, documents = :c, rejected = :d, copies = :e "
      "WHERE id = :f",
      {slot, import_.rows, import_.documents, import_.rejected, import_.copies, import_.id});
  if (done) done = write_findings(*database_, "import_findings", import_.id, findings);
  if (done) done = purge_replaced();
  if (done) done = back_to_draft(import_.actor, "imported " + slot);
  if (!done) return base::fail(done.error());
  return import_;
}

// Documents that no import and no return needs any more.
base::Result<> PeriodWork::purge_replaced() {
  constexpr const char* kGone =
      "import_id IN (SELECT id FROM imports WHERE company_id = :a AND period = :b "
      "AND replaced_at <> '' AND NOT EXISTS "
      "(SELECT 1 FROM return_imports WHERE import_id = imports.id))";
  auto done = database_->run("DELETE FROM documents WHERE " + std::string(kGone), key());
  return done ? database_->run("DELETE FROM import_findings WHERE " + std::string(kGone), key())
              : done;
}

base::Result<std::vector<ImportRecord>> PeriodWork::sources() {
  return read_import_records(*database_, company_.id, period_, false);
}

base::Result<> PeriodWork::documents_of(const ImportRecord& import, uint16_t file,
                                        const DocumentSink& sink) {
  return read_documents(*database_, company_.rut, import, file, "", {}, sink);
}

base::Result<std::vector<Finding>> PeriodWork::findings_of(const ImportRecord& import) {
  return read_findings(*database_, "import_findings", import.id);
}

// ---- inputs -------------------------------------------------------------------------------------

base::Result<int> PeriodWork::put_inputs(const std::string& body, const std::string& actor) {
  auto last = inputs();
  if (!last) return base::fail(last.error());
  const int revision = *last ? (*last)->revision + 1 : 1;
  auto done = database_->run(
      "INSERT INTO inputs (company_id, period, revision, body, actor, made_at) "
      "VALUES (:a, :b, :c, :d, :e, :f)",
      {company_.id, number_of(period_), revision, body, actor, base::timestamp()});
  if (done) done = back_to_draft(actor, "inputs " + std::to_string(revision));
  if (!done) return base::fail(done.error());
  return revision;
}

base::Result<std::optional<InputsRecord>> PeriodWork::inputs() {
  auto read = read_inputs_records(*database_, company_.id, period_, 1);
  if (!read) return base::fail(read.error());
  if (read->empty()) return std::nullopt;
  return std::move(read->front());
}

// ---- returns ------------------------------------------------------------------------------------

base::Result<std::optional<Pesos>> PeriodWork::previous_77() {
  std::optional<Pesos> found;
  auto done = database_->query(
      "SELECT b.value FROM returns r LEFT JOIN return_boxes b ON b.return_id = r.id AND "
      "b.code = 77 WHERE r.company_id = :a AND r.period = :b AND r.state IN ('sent', 'paid') "
      "ORDER BY r.version DESC LIMIT 1",
      {company_.id, number_of(period_.plus(-1))}, "t", [&](const SqlRow& row) {
        found = row.text(0).empty() ? Pesos{} : parse_pesos(row.text(0)).value_or(Pesos{});
      });
  if (!done) return base::fail(done.error());
  return found;
}

base::Result<Return> PeriodWork::load(const ReturnRecord& record, bool with_provenance) {
  return load_return(*database_, company_, period_, record, with_provenance);
}

base::Result<> PeriodWork::clear_return(int64_t return_id) {
  for (const char* table :
       {"return_imports", "return_boxes", "return_extras", "return_findings", "return_names",
        "return_documents", "return_entries", "return_others", "return_unmapped"}) {
    auto done =
        database_->run("DELETE FROM " + std::string(table) + " WHERE return_id = :a", {return_id});
    if (!done) return done;
  }
  return {};
}

base::Result<> PeriodWork::save(const Return& tax_return, int inputs_revision,
                                const std::string& actor) {
  if (auto open = check_open(); !open) return open;
  ReturnRecord& record = returns_.back();
  if (auto done = clear_return(record.id); !done) return done;
  if (auto done = not_ready(record); !done) return done;
  auto done = database_->run(
      "UPDATE returns SET iva_debito = :a, iva_credito = :b, declaration = :c, due = :d, "
      "settings = :e, inputs_revision = :f, computed_at = :g WHERE id = :h",
      {tax_return.iva_debito.value(), tax_return.iva_credito.value(),
       static_cast<int64_t>(tax_return.declaration), number_of(tax_return.due),
       settings_text(tax_return.settings), inputs_revision, base::timestamp(), record.id});
  if (!done) return done;
  done = write_return_rows(*database_, record.id, company_.id, tax_return);
  if (!done) return done;
  auto imports = sources();
  if (!imports) return base::fail(imports.error());
  for (const ImportRecord& import : *imports) {
    done = database_->run("INSERT INTO return_imports (return_id, import_id) VALUES (:a, :b)",
                          {record.id, import.id});
    if (!done) return done;
  }
  if (done = purge_replaced(); !done) return done;
  if (done = set_state(record, tax_return.state, actor, "computed"); !done) return done;
  return read_returns();
}

base::Result<> PeriodWork::move_to(int version, ReturnState to, const Closing& closing,
                                   const std::string& actor, const std::string& note) {
  if (version < 1 || version > current().version) {
    return base::fail(ErrorCode::not_found, base::Side::client, "no such version");
  }
  ReturnRecord& record = returns_[static_cast<size_t>(version - 1)];
  const bool is_current = version == current().version;
  if (!can_move(record.state, to) || to == ReturnState::rectified ||
      (!is_current && to != ReturnState::paid)) {
    return base::fail(conflict("a return that is " + std::string(state_text(record.state)) +
                               " cannot become " + std::string(state_text(to))));
  }
  if (!closing.folio.empty()) record.folio = closing.folio;
  if (to == ReturnState::sent) record.sent_on = closing.on;
  if (to == ReturnState::paid) {
    record.paid_on = closing.on;
    record.paid_amount = closing.amount;
    record.payment = closing.payment;
  }
  auto done = database_->run(
      "UPDATE returns SET folio = :a, sent_on = :b, paid_on = :c, paid_amount = :d, payment = :e "
      "WHERE id = :f",
      {record.folio, number_of(record.sent_on), number_of(record.paid_on),
       record.paid_amount.value(), record.payment, record.id});
  if (done && to != ReturnState::validated) done = not_ready(record);
  if (!done) return done;
  if (done = set_state(record, to, actor, note); !done) return done;
  if (to != ReturnState::sent || version == 1) return {};
  ReturnRecord& before = returns_[static_cast<size_t>(version - 2)];
  return set_state(before, ReturnState::rectified, actor, "by version " + std::to_string(version));
}

// What changes a return takes it out of the queue of what is to be filed.
base::Result<> PeriodWork::not_ready(ReturnRecord& record) {
  record.is_ready = false;
  return database_->run("DELETE FROM ready_returns WHERE return_id = :a", {record.id});
}

base::Result<> PeriodWork::set_ready(const std::string& digest, const std::string& actor) {
  ReturnRecord& record = returns_.back();
  if (record.state != ReturnState::validated) {
    return base::fail(conflict("only a validated return can be ready"));
  }
  record.is_ready = true;
  return database_->run(
      "INSERT INTO ready_returns (return_id, digest, actor, made_at) VALUES (:a, :b, :c, :d) "
      "ON CONFLICT (return_id) DO NOTHING",
      {record.id, digest, actor, base::timestamp()});
}

base::Result<> PeriodWork::clear_ready() { return not_ready(returns_.back()); }

base::Result<> PeriodWork::rectify(const std::string& actor, const std::string& note) {
  if (!is_closed(current().state)) return base::fail(conflict("only a closed period is rectified"));
  return add_version(current().version + 1, actor, note);
}

base::Result<> PeriodWork::commit() { return database_->commit(); }

}  // namespace f29

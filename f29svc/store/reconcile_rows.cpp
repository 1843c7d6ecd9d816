#include "f29svc/store/reconcile_rows.h"

#include <charconv>

#include "f29svc/store/document_text.h"
#include "f29svc/store/record_rows.h"
#include "proxy/base/log.h"

namespace f29 {

namespace {

constexpr const char* kRowColumns =
    "run_id:i seq:i side:i type:i issuer:i folio:i status:i counterparty:i name:t moves:t "
    "present:i books_net:i books_exempt:i books_total:i register_net:i register_exempt:i "
    "register_total:i field:i books_type:i books_date:i accepted_on:i doc_count:i note:i";
constexpr int64_t kInBooks = 1;
constexpr int64_t kInRegister = 2;
constexpr int64_t kManual = 4;

std::string moves_text(const Reconciled& one) {
  std::string text;
  for (const int64_t move : one.moves) {
    if (!text.empty()) text += ' ';
    text += std::to_string(move);
  }
  return text;
}

void read_moves(std::string_view text, std::vector<int64_t>& moves) {
  moves.clear();
  const char* at = text.data();
  const char* end = at + text.size();
  while (at < end) {
    int64_t move = 0;
    const auto [next, error] = std::from_chars(at, end, move);
    if (error != std::errc()) return;
    moves.push_back(move);
    at = next + 1;
  }
}

// Both sides were there to be compared.
bool is_compared(const Reconciled& one) {
  return one.in_books && one.in_register && one.status != ReconcileStatus::totals_only;
}

base::Result<> write_rows(Database& database, int64_t run_id, const ReconcileReport& report) {
  Database::Bulk rows(database, "reconciled", kRowColumns);
  int64_t seq = 0;
  for (const Reconciled& one : report.documents()) {
    rows.add(run_id).add(seq++).add(static_cast<int64_t>(one.key.side)).add(one.key.type);
    rows.add(one.key.issuer).add(one.key.folio).add(static_cast<int64_t>(one.status));
    rows.add(one.counterparty.number()).add(one.name).add(moves_text(one));
    rows.add((one.in_books ? kInBooks : 0) | (one.in_register ? kInRegister : 0) |
             (one.is_manual ? kManual : 0));
    for (const Amounts& some : {one.books, one.reg}) {
      rows.add(some.net).add(some.exempt).add(some.total);
    }
    rows.add(static_cast<int64_t>(one.field)).add(one.books_type).add(number_of(one.books_date));
    rows.add(number_of(one.accepted_on)).add(one.count).add(static_cast<int64_t>(one.note));
    if (auto done = rows.end_row(); !done) return done;
  }
  return rows.finish();
}

base::Result<int64_t> write_marks(Database& database, int64_t company_id, Period period,
                                  const ReconcileReport& report) {
  auto done = database.run("DELETE FROM document_marks WHERE company_id = :a AND period = :b",
                           {company_id, number_of(period)});
  if (!done) return base::fail(done.error());
  Database::Bulk marks(database, "document_marks",
                       "company_id:i period:i side:i type:i issuer:i folio:i status:i made_at:t");
  const std::string now = base::timestamp();
  int64_t marked = 0;
  DocumentKey last;
  for (const Reconciled& one : report.documents()) {
    if (!is_compared(one) || (marked > 0 && one.key == last)) continue;
    last = one.key;
    ++marked;
    marks.add(company_id).add(number_of(period)).add(static_cast<int64_t>(one.key.side));
    marks.add(one.key.type).add(one.key.issuer).add(one.key.folio);
    if (done = marks.add(static_cast<int64_t>(one.status)).add(now).end_row(); !done) {
      return base::fail(done.error());
    }
  }
  if (done = marks.finish(); !done) return base::fail(done.error());
  return marked;
}

}  // namespace

base::Result<std::string> sources_text(Database& database, int64_t company_id, Period period) {
  auto imports = read_import_records(database, company_id, period, false);
  if (!imports) return base::fail(imports.error());
  auto inputs = read_inputs_records(database, company_id, period, 1);
  if (!inputs) return base::fail(inputs.error());
  std::string text = "inputs " + std::to_string(inputs->empty() ? 0 : inputs->front().revision);
  for (const ImportRecord& import : *imports) text += " " + std::to_string(import.id);
  return text;
}

base::Result<std::optional<ReconcileRun>> newest_run(Database& database, int64_t company_id,
                                                     Period period) {
  std::optional<ReconcileRun> run;
  auto done = database.query(
      "SELECT id, digest, sources, has_ledger, ledger, box_504, marked, actor, made_at "
      "FROM reconciliations WHERE company_id = :a AND period = :b ORDER BY id DESC LIMIT 1",
      {company_id, number_of(period)}, "ittiiiitt", [&](const SqlRow& row) {
        run.emplace();
        run->id = row.number(0);
        run->digest = row.text(1);
        run->sources = row.text(2);
        if (row.number(3) != 0) run->ledger = {Pesos{row.number(4)}, Pesos{row.number(5)}};
        run->marked = row.number(6);
        run->actor = row.text(7);
        run->made_at = row.text(8);
      });
  if (!done) return base::fail(done.error());
  return run;
}

base::Result<> write_run(Database& database, int64_t company_id, Period period,
                         const ReconcileReport& report, ReconcileRun& run) {
  auto done = database.run(
      "DELETE FROM reconciled WHERE run_id IN "
      "(SELECT id FROM reconciliations WHERE company_id = :a AND period = :b)",
      {company_id, number_of(period)});
  if (!done) return done;
  auto marked = write_marks(database, company_id, period, report);
  if (!marked) return base::fail(marked.error());
  run.marked = *marked;
  run.made_at = base::timestamp();
  const LedgerCheck ledger = run.ledger.value_or(LedgerCheck{});
  auto id = database.number(
      "INSERT INTO reconciliations (company_id, period, digest, sources, has_ledger, ledger, "
      "box_504, marked, actor, made_at) "
      "VALUES (:a, :b, :c, :d, :e, :f, :g, :h, :i, :j) RETURNING id",
      {company_id, number_of(period), run.digest, run.sources, run.ledger ? 1 : 0,
       ledger.balance.value(), ledger.box_504.value(), run.marked, run.actor, run.made_at});
  if (!id) return base::fail(id.error());
  run.id = *id;
  return write_rows(database, run.id, report);
}

base::Result<> touch_run(Database& database, const ReconcileRun& run) {
  return database.run("UPDATE reconciliations SET sources = :a WHERE id = :b",
                      {run.sources, run.id});
}

base::Result<> read_run_rows(Database& database, int64_t run_id, const OnReconciled& on_row) {
  std::vector<int64_t> moves;
  return database.query(
      "SELECT side, type, issuer, folio, status, counterparty, name, moves, present, books_net, "
      "books_exempt, books_total, register_net, register_exempt, register_total, field, "
      "books_type, books_date, accepted_on, doc_count, note FROM reconciled WHERE run_id = :a "
      "ORDER BY seq",
      {run_id}, "iiiiiittiiiiiiiiiiiii", [&](const SqlRow& row) {
        Reconciled one;
        one.key.side = static_cast<Side>(row.number(0));
        one.key.type = static_cast<uint16_t>(row.number(1));
        one.key.issuer = static_cast<uint32_t>(row.number(2));
        one.key.folio = row.number(3);
        one.status = static_cast<ReconcileStatus>(row.number(4));
        one.counterparty = Rut{static_cast<uint32_t>(row.number(5))};
        one.name = row.text(6);
        read_moves(row.text(7), moves);
        one.moves = moves;
        one.in_books = (row.number(8) & kInBooks) != 0;
        one.in_register = (row.number(8) & kInRegister) != 0;
        one.is_manual = (row.number(8) & kManual) != 0;
        one.books = {row.number(9), row.number(10), row.number(11)};
        one.reg = {row.number(12), row.number(13), row.number(14)};
        one.field = static_cast<AmountField>(row.number(15));
        one.books_type = static_cast<uint16_t>(row.number(16));
        one.books_date = date_of(row.number(17));
        one.accepted_on = date_of(row.number(18));
        one.count = row.number(19);
        one.note = static_cast<ReconcileNote>(row.number(20));
        on_row(one);
      });
}

base::Result<bool> was_noted(Database& database, int64_t company_id, int64_t move,
                             const std::string& digest) {
  auto count = database.number(
      "SELECT count(*) FROM odoo_notes WHERE company_id = :a AND move = :b AND digest = :c",
      {company_id, move, digest});
  if (!count) return base::fail(count.error());
  return *count > 0;
}

base::Result<> put_noted(Database& database, int64_t company_id, int64_t move,
                         const std::string& digest) {
  return database.run(
      "INSERT INTO odoo_notes (company_id, move, digest, made_at) VALUES (:a, :b, :c, :d) "
      "ON CONFLICT DO NOTHING",
      {company_id, move, digest, base::timestamp()});
}

}  // namespace f29

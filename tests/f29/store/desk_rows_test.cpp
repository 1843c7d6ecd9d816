// Reconciliations, payments and the queue in both databases; databases of the schema before them.
#include <gtest/gtest.h>

#include "f29svc/store/flow_rows.h"
#include "f29svc/store/reconcile_rows.h"
#include "f29svc/store/schema.h"
#include "tests/f29/store/store_fixture.h"

using namespace f29;
using namespace f29test;

namespace {

using DeskRows = StoreTest;
ON_BOTH_DATABASES(DeskRows);

std::unique_ptr<PeriodWork> desk_work(Store& store) {
  auto work = store.work(kCompany, kPeriod, true);
  EXPECT_TRUE(work.has_value()) << work.error().detail;
  return std::move(*work);
}

Document desk_document(Section section, int64_t folio, int64_t total, int64_t id) {
  Document document;
  document.side = Side::purchase;
  document.section = section;
  document.type = 33;
  document.company = kCompany;
  document.counterparty = Rut{99'990'001};
  document.folio = folio;
  document.net = Pesos{1'000};
  document.total = Pesos{total};
  document.accounted = {2026, 6, 9};
  document.received = {2026, 6, 20};
  document.source_id = id;
  document.name = "ÑANDÚ; \"UNO\"";
  return document;
}

ReconcileReport desk_report() {
  Reconciler reconciler(kPeriod, 0);
  reconciler.add(desk_document(Section::books, 1, 1'190, 11));
  reconciler.add(desk_document(Section::registered, 1, 1'193, 0));
  reconciler.add(desk_document(Section::books, 2, 1'190, 12));
  reconciler.add(desk_document(Section::books, 2, 1'190, 13));
  reconciler.add(desk_document(Section::registered, 2, 1'190, 0));
  reconciler.add(desk_document(Section::pending, 3, 1'190, 0));
  return reconciler.run();
}

std::string row_text(const Reconciled& one) {
  std::ostringstream out;
  write_reconciled_row(out, one);
  JsonWriter json(out);
  write_reconciled(json, one, kPeriod);
  return std::move(out).str();
}

Return desk_return(int64_t to_pay) {
  Return made;
  made.company = kCompany;
  made.period = kPeriod;
  made.state = ReturnState::computed;
  made.due = {2026, 7, 20};
  made.boxes[91] = BoxValue::of(to_pay);
  made.boxes[94] = BoxValue::of(to_pay + 5);
  return made;
}

}  // namespace

TEST_P(DeskRows, GiveAReportBackAsItWasAndKeepOnlyTheNewestRows) {
  auto store = open();
  const ReconcileReport report = desk_report();
  ReconcileRun first;
  for (int round = 0; round < 2; ++round) {
    auto work = desk_work(*store);
    ReconcileRun run;
    run.digest = "digest " + std::to_string(round);
    run.sources = "inputs 0";
    run.actor = "auditor";
    run.ledger = {Pesos{-5}, Pesos{7}};
    auto done = write_run(work->database(), work->company().id, kPeriod, report, run);
    ASSERT_TRUE(done.has_value()) << done.error().detail;
    EXPECT_EQ(run.marked, 2) << "the pending one is in no books";
    ASSERT_TRUE(work->commit().has_value());
    if (round == 0) first = run;
  }
  auto read = store->with([&](Database& database) -> base::Result<> {
    auto run = newest_run(database, 1, kPeriod);
    if (!run) return base::fail(run.error());
    EXPECT_EQ((*run)->digest, "digest 1");
    EXPECT_EQ((*run)->ledger->difference(), Pesos{12});
    std::vector<std::string> rows;
    auto done = read_run_rows(database, (*run)->id,
                              [&](const Reconciled& one) { rows.push_back(row_text(one)); });
    EXPECT_EQ(rows.size(), report.documents().size());
    for (size_t i = 0; i < rows.size(); ++i) EXPECT_EQ(rows[i], row_text(report.documents()[i]));
    int old_rows = 0;
    if (done) done = read_run_rows(database, first.id, [&](const Reconciled&) { ++old_rows; });
    EXPECT_EQ(old_rows, 0);
    EXPECT_EQ(*database.number("SELECT count(*) FROM document_marks"), 2);
    return done;
  });
  EXPECT_TRUE(read.has_value()) << read.error().detail;
}

TEST_P(DeskRows, GiveAPaymentBackWithItsHistory) {
  auto store = open();
  {
    auto work = desk_work(*store);
    ASSERT_TRUE(work->save(desk_return(100), 0, "auditor").has_value());
    auto flow = read_flow(work->database(), work->current(), kPeriod);
    ASSERT_TRUE(flow.has_value()) << flow.error().detail;
    EXPECT_EQ(flow->state, FlowState::none);
    flow->state = FlowState::planned;
    flow->amount = work->current().to_pay;
    flow->due = {2026, 7, 20};
    ASSERT_TRUE(write_flow(work->database(), *flow, "ana", "planned").has_value());
    flow = read_flow(work->database(), work->current(), kPeriod);
    flow->state = FlowState::paid;
    flow->paid_on = {2026, 7, 19};
    flow->payment = "T;1";
    ASSERT_TRUE(write_flow(work->database(), *flow, "eva", "paid").has_value());
    ASSERT_TRUE(work->commit().has_value());
  }
  const ReturnRecord record = store->period(kCompany, kPeriod)->returns.back();
  EXPECT_EQ(record.flow, "paid");
  EXPECT_EQ(record.to_pay, Pesos{105}) << "box 94 before box 91";
  auto read = store->with([&](Database& database) -> base::Result<> {
    auto flows = read_flows(database, 1, {2026, 1}, {2026, 12});
    if (!flows) return base::fail(flows.error());
    EXPECT_EQ(flows->size(), 1u);
    EXPECT_EQ(flows->front().amount, Pesos{105});
    EXPECT_EQ(flows->front().payment, "T;1");
    EXPECT_EQ(flows->front().history.size(), 2u);
    EXPECT_EQ(flows->front().history.back().actor, "eva");
    EXPECT_EQ(read_flows(database, 1, {2026, 7}, {2026, 12})->size(), 0u);
    return {};
  });
  EXPECT_TRUE(read.has_value()) << read.error().detail;
}

TEST_P(DeskRows, KeepAnOutageAndWhatWaitsForItsEnd) {
  auto store = open();
  auto work = desk_work(*store);
  EXPECT_EQ(work->set_ready("d", "ana").error().detail, "only a validated return can be ready");
  ASSERT_TRUE(work->save(desk_return(100), 0, "auditor").has_value());
  ASSERT_TRUE(work->move_to(1, ReturnState::validated, {}, "ana", "").has_value());
  ASSERT_TRUE(work->set_ready("digest", "ana").has_value());
  auto queue = read_queue(work->database());
  ASSERT_TRUE(queue.has_value()) << queue.error().detail;
  ASSERT_EQ(queue->size(), 1u);
  EXPECT_EQ(queue->front().to_pay, Pesos{105});
  EXPECT_EQ(queue->front().digest, "digest");
  ASSERT_TRUE(
      work->move_to(1, ReturnState::sent, {"7", {2026, 7, 18}, {}, {}}, "ana", "").has_value());
  EXPECT_EQ(read_queue(work->database())->size(), 0u);
  ASSERT_TRUE(begin_outage(work->database(), "no answer", "ana").has_value());
  EXPECT_EQ(begin_outage(work->database(), "again", "eva").error().detail, "outage_on");
  EXPECT_EQ(read_outage(work->database())->reason, "no answer");
  ASSERT_TRUE(end_outage(work->database(), "eva").has_value());
  EXPECT_EQ(read_outage(work->database())->id, 0);
  EXPECT_EQ(end_outage(work->database(), "eva").error().detail, "outage_off");
}

TEST_P(DeskRows, MoveADatabaseOfTheSchemaBeforeForwardWithItsReturns) {
  {
    auto old = Database::open(options_.database);
    ASSERT_TRUE(migrate(**old, 2).has_value());
    for (const char* sql :
         {"INSERT INTO companies (rut, name, made_at) VALUES (99950100, 'Empresa A', 'x')",
          "INSERT INTO periods (company_id, period, made_at) VALUES (1, 202606, 'x')",
          "INSERT INTO returns (company_id, period, version, state, folio, iva_debito, "
          "iva_credito, declaration, due, settings, inputs_revision, computed_at) "
          "VALUES (1, 202606, 1, 'sent', '77', 1, 2, 0, 20260720, '', 0, 'x')"}) {
      auto done = (*old)->run(sql);
      ASSERT_TRUE(done.has_value()) << done.error().detail;
    }
  }
  auto store = open();
  const ReturnRecord record = store->period(kCompany, kPeriod)->returns.back();
  EXPECT_EQ(record.folio, "77");
  EXPECT_EQ(record.state, ReturnState::sent);
  EXPECT_TRUE(record.sent_on.is_none());
  EXPECT_FALSE(record.is_ready);
  auto work = desk_work(*store);
  auto paid = work->move_to(1, ReturnState::paid, {{}, {2026, 7, 20}, Pesos{9}, "T1"}, "ana", "");
  ASSERT_TRUE(paid.has_value()) << paid.error().detail;
  EXPECT_EQ(work->current().payment, "T1");
}

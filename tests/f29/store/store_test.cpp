// What the store keeps, it gives back; what is not committed never was; a period has one writer.
#include "f29svc/store/store.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "f29svc/store/schema.h"
#include "tests/f29/store/sample_data.h"
#include "tests/f29/store/store_fixture.h"

using namespace f29;
using namespace f29test;
using base::ErrorCode;

namespace {

constexpr const char* kActor = "auditor";

std::unique_ptr<PeriodWork> work_on(Store& store, Period period = kPeriod) {
  auto work = store.work(kCompany, period, true);
  EXPECT_TRUE(work.has_value()) << work.error().detail;
  return std::move(*work);
}

ImportRecord import(PeriodWork& work, const std::vector<Document>& documents,
                    const std::string& sha256, const std::string& slot = "sale",
                    const std::vector<Finding>& findings = {}) {
  EXPECT_TRUE(work.begin_import("ventas.csv", sha256, kActor).has_value());
  for (const Document& document : documents) work.add(document);
  auto record = work.finish_import(slot, {}, findings);
  EXPECT_TRUE(record.has_value()) << record.error().detail;
  return record.value_or(ImportRecord());
}

std::vector<Document> some_documents(uint64_t seed, size_t count) {
  std::mt19937_64 random(seed);
  std::vector<Document> list;
  for (size_t i = 0; i < count; ++i) list.push_back(random_document(random));
  return list;
}

int64_t stored_documents(Store& store) {
  auto work = work_on(store);
  int64_t count = 0;
  const auto sources = work->sources();
  for (const ImportRecord& one : *sources) {
    EXPECT_TRUE(work->documents_of(one, 0, [&](const Document&) { ++count; }).has_value());
  }
  return count;
}

void compute(Store& store, const Return& tax_return, Period period = kPeriod) {
  auto work = work_on(store, period);
  ASSERT_TRUE(work->save(tax_return, 0, kActor).has_value());
  ASSERT_TRUE(work->commit().has_value());
}

void move(Store& store, ReturnState to, Period period = kPeriod) {
  auto work = work_on(store, period);
  auto moved = work->move_to(work->current().version, to, {}, kActor, "");
  ASSERT_TRUE(moved.has_value()) << moved.error().detail;
  ASSERT_TRUE(work->commit().has_value());
}

Return computed() {
  std::mt19937_64 random(7);
  return random_return(random);
}

void close(Store& store, Period period = kPeriod) {
  compute(store, computed(), period);
  move(store, ReturnState::validated, period);
  move(store, ReturnState::sent, period);
}

using StoreSuite = StoreTest;
ON_BOTH_DATABASES(StoreSuite);

}  // namespace

TEST_P(StoreSuite, GivesDocumentsBackAsTheyWere) {
  const auto seed = static_cast<uint64_t>(std::random_device{}());
  RecordProperty("seed", std::to_string(seed));
  SCOPED_TRACE("seed " + std::to_string(seed));
  const auto documents = some_documents(seed, 3'000);
  auto store = open();
  {
    auto work = work_on(*store);
    EXPECT_EQ(import(*work, documents, "aa").documents, 3'000);
    ASSERT_TRUE(work->commit().has_value());
  }
  auto work = work_on(*store);
  const auto sources = work->sources();
  ASSERT_EQ(sources->size(), 1u);
  size_t at = 0;
  ASSERT_TRUE(work->documents_of(sources->front(), 3,
                                 [&](const Document& document) {
                                   ASSERT_LT(at, documents.size());
                                   EXPECT_EQ(describe(document), describe(documents[at]));
                                   EXPECT_EQ(document.file, 3);
                                   ++at;
                                 })
                  .has_value());
  EXPECT_EQ(at, documents.size());
}

TEST_P(StoreSuite, GivesAReturnBackAsItWas) {
  const auto seed = static_cast<uint64_t>(std::random_device{}());
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  Return tax_return = random_return(random);
  tax_return.company = kCompany;
  tax_return.name = "Empresa A";
  tax_return.period = kPeriod;
  auto store = open();
  compute(*store, tax_return);
  const auto loaded = store->load(kCompany, kPeriod);
  ASSERT_TRUE(loaded.has_value()) << loaded.error().detail;
  EXPECT_EQ(describe(*loaded), describe(tax_return));
}

TEST_P(StoreSuite, KeepsNothingOfWhatWasNotCommitted) {
  auto store = open();
  {
    auto work = work_on(*store);
    import(*work, some_documents(1, 5'000), "aa");
  }
  EXPECT_EQ(store->period(kCompany, kPeriod).error().code, ErrorCode::not_found);
  EXPECT_EQ(stored_documents(*store), 0);
}

TEST_P(StoreSuite, TakesTheSameBytesOnce) {
  auto store = open();
  for (const bool repeated : {false, true}) {
    auto work = work_on(*store);
    EXPECT_EQ(import(*work, some_documents(1, 10), "aa").is_repeated, repeated);
    ASSERT_TRUE(work->commit().has_value());
  }
  EXPECT_EQ(stored_documents(*store), 10);
  EXPECT_EQ(store->imports(kCompany, kPeriod)->size(), 1u);
}

TEST_P(StoreSuite, ReplacesAnEarlierFileOfTheSameKind) {
  auto store = open();
  {
    auto work = work_on(*store);
    import(*work, some_documents(1, 10), "aa");
    import(*work, some_documents(2, 4), "bb", "purchase_registered");
    import(*work, some_documents(3, 7), "cc", "sale", {{ "odd", Severity::note, {}, "m", "a" }});
    ASSERT_TRUE(work->commit().has_value());
  }
  EXPECT_EQ(stored_documents(*store), 11);
  const auto imports = store->imports(kCompany, kPeriod);
  ASSERT_EQ(imports->size(), 3u);
  EXPECT_EQ((*imports)[0].sha256, "cc");
  EXPECT_EQ((*imports)[0].replaced_at, "");
  EXPECT_NE((*imports)[2].replaced_at, "");
  auto work = work_on(*store);
  EXPECT_EQ(work->findings_of(work->sources()->back())->size(), 1u);
}

TEST_P(StoreSuite, RefusesASecondWriterOfAPeriodAtOnce) {
  auto store = open();
  auto other = open();
  auto work = work_on(*store);
  for (Store* second : {store.get(), other.get()}) {
    const auto refused = second->work(kCompany, kPeriod, true);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::conflict);
    EXPECT_EQ(refused.error().detail, "busy");
  }
  work.reset();
  EXPECT_TRUE(other->work(kCompany, kPeriod, true).has_value());
}

TEST_P(StoreSuite, ReadsWhileSomebodyWrites) {
  auto store = open();
  compute(*store, computed());
  auto work = work_on(*store);
  import(*work, some_documents(1, 3'000), "aa");
  EXPECT_EQ(store->period(kCompany, kPeriod)->returns.back().state, ReturnState::computed);
  EXPECT_TRUE(store->load(kCompany, kPeriod).has_value());
}

TEST_P(StoreSuite, LetsComputationsOfOnePeriodNeverInterleave) {
  options_.database.busy_timeout = base::Millis(5'000);
  options_.connections = 6;
  auto store = open();
  compute(*store, computed());
  std::atomic<int> done{0};
  std::atomic<int> refused{0};
  std::atomic<int> inside{0};
  std::atomic<bool> overlapped{false};
  std::vector<std::thread> threads;
  for (int t = 0; t < 6; ++t) {
    threads.emplace_back([&, t] {
      Return mine = computed();
      mine.boxes.clear();
      for (int code = 1; code <= 100; ++code) mine.boxes[code] = BoxValue::of(Pesos{t + 1});
      for (int round = 0; round < 10; ++round) {
        auto work = store->work(kCompany, kPeriod, false);
        if (!work) {
          EXPECT_EQ(work.error().code, ErrorCode::conflict);
          ++refused;
          continue;
        }
        if (++inside != 1) overlapped = true;
        if ((*work)->save(mine, 0, kActor) && (*work)->commit()) ++done;
        --inside;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(overlapped);
  EXPECT_GT(done, 0);
  EXPECT_EQ(done + refused, 60);
  const auto loaded = store->load(kCompany, kPeriod);
  ASSERT_EQ(loaded->boxes.size(), 100u);
  for (const auto& [code, value] : loaded->boxes) {
    EXPECT_EQ(value.amount, loaded->boxes.at(1).amount) << code;
  }
}

TEST_P(StoreSuite, MovesThroughTheStatesAndKeepsTheirHistory) {
  auto store = open();
  close(*store);
  move(*store, ReturnState::paid);
  const auto period = store->period(kCompany, kPeriod);
  std::string states;
  for (const StateRecord& one : period->returns[0].history) {
    states += std::string(state_text(one.state)) + " ";
    EXPECT_FALSE(one.made_at.empty());
  }
  EXPECT_EQ(states, "draft computed validated sent paid ");
}

TEST_P(StoreSuite, RefusesMovesThatTheTableDoesNotHave) {
  auto store = open();
  auto work = work_on(*store);
  for (const ReturnState to :
       {ReturnState::validated, ReturnState::sent, ReturnState::paid, ReturnState::rectified}) {
    EXPECT_EQ(work->move_to(1, to, {}, kActor, "").error().code, ErrorCode::conflict);
  }
  EXPECT_EQ(work->move_to(2, ReturnState::paid, {}, kActor, "").error().code, ErrorCode::not_found);
}

TEST_P(StoreSuite, RefusesToChangeAClosedPeriod) {
  auto store = open();
  close(*store);
  auto work = work_on(*store);
  EXPECT_EQ(work->check_open().error().detail, "period_closed");
  EXPECT_EQ(work->save(computed(), 0, kActor).error().code, ErrorCode::conflict);
}

TEST_P(StoreSuite, RectifiesWithANewVersionAndKeepsTheOld) {
  auto store = open();
  close(*store);
  {
    auto work = work_on(*store);
    ASSERT_TRUE(work->rectify(kActor, "late invoice").has_value());
    ASSERT_TRUE(work->commit().has_value());
  }
  auto period = store->period(kCompany, kPeriod);
  ASSERT_EQ(period->returns.size(), 2u);
  EXPECT_EQ(period->returns[0].state, ReturnState::sent);
  EXPECT_EQ(period->returns[1].state, ReturnState::draft);
  Return second = computed();
  second.boxes[502] = BoxValue::of(Pesos{77});
  compute(*store, second);
  move(*store, ReturnState::validated);
  move(*store, ReturnState::sent);
  period = store->period(kCompany, kPeriod);
  EXPECT_EQ(period->returns[0].state, ReturnState::rectified);
  EXPECT_EQ(period->returns[1].state, ReturnState::sent);
  EXPECT_EQ(store->load(kCompany, kPeriod)->boxes.at(502).amount, 77);
  EXPECT_NE(describe(*store->load(kCompany, kPeriod, 1)),
            describe(*store->load(kCompany, kPeriod)));
}

TEST_P(StoreSuite, DoesNotRectifyAnOpenPeriod) {
  auto store = open();
  auto work = work_on(*store);
  EXPECT_EQ(work->rectify(kActor, "").error().code, ErrorCode::conflict);
}

TEST_P(StoreSuite, GoesBackToDraftWhenItsDataChange) {
  auto store = open();
  compute(*store, computed());
  {
    auto work = work_on(*store);
    EXPECT_EQ(*work->put_inputs("{}", kActor), 1);
    ASSERT_TRUE(work->commit().has_value());
  }
  EXPECT_EQ(store->period(kCompany, kPeriod)->returns[0].state, ReturnState::draft);
  compute(*store, computed());
  {
    auto work = work_on(*store);
    import(*work, {}, "aa");
    ASSERT_TRUE(work->commit().has_value());
  }
  EXPECT_EQ(store->period(kCompany, kPeriod)->returns[0].state, ReturnState::draft);
}

TEST_P(StoreSuite, KeepsEveryRevisionOfTheInputs) {
  auto store = open();
  auto work = work_on(*store);
  EXPECT_FALSE(work->inputs()->has_value());
  EXPECT_EQ(*work->put_inputs("one: 'ñ'", kActor), 1);
  EXPECT_EQ(*work->put_inputs("two", "another"), 2);
  EXPECT_EQ((*work->inputs())->body, "two");
  ASSERT_TRUE(work->commit().has_value());
  work.reset();
  const auto history = store->inputs(kCompany, kPeriod);
  ASSERT_EQ(history->size(), 2u);
  EXPECT_EQ((*history)[0].actor, "another");
  EXPECT_EQ((*history)[1].body, "one: 'ñ'");
}

TEST_P(StoreSuite, CarriesOver77FromTheMonthBeforeOnceItIsClosed) {
  auto store = open();
  Return before = computed();
  before.boxes[77] = BoxValue::of(Pesos{34'070});
  compute(*store, before, kPeriod.plus(-1));
  EXPECT_FALSE(work_on(*store)->previous_77()->has_value());
  move(*store, ReturnState::validated, kPeriod.plus(-1));
  move(*store, ReturnState::sent, kPeriod.plus(-1));
  EXPECT_EQ(*work_on(*store)->previous_77(), Pesos{34'070});
}

TEST_P(StoreSuite, CountsALineWithAnUnmappedTaxOnce) {
  auto store = open();
  EXPECT_EQ(*store->unmapped_ever(kCompany), 0);
  Return tax_return = computed();
  compute(*store, tax_return);
  compute(*store, tax_return);
  EXPECT_EQ(*store->unmapped_ever(kCompany), 1);
  EXPECT_EQ(*store->unmapped_now(kCompany), 1);
  tax_return.unmapped.clear();
  compute(*store, tax_return);
  EXPECT_EQ(*store->unmapped_ever(kCompany), 1);
  EXPECT_EQ(*store->unmapped_now(kCompany), 0);
}

TEST_P(StoreSuite, KnowsNeitherCompanyNorPeriodThatWasNotMade) {
  auto store = open();
  EXPECT_EQ(store->company(Rut{1}).error().code, ErrorCode::not_found);
  EXPECT_EQ(store->work(Rut{1}, kPeriod, true).error().code, ErrorCode::not_found);
  EXPECT_EQ(store->work(kCompany, kPeriod, false).error().code, ErrorCode::not_found);
  EXPECT_EQ(store->load(kCompany, kPeriod).error().code, ErrorCode::not_found);
  EXPECT_TRUE(store->periods(kCompany)->empty());
}

TEST_P(StoreSuite, MovesAnOlderDatabaseForwardWithItsData) {
  {
    auto old = Database::open(options_.database);
    ASSERT_TRUE(migrate(**old, 1).has_value());
    EXPECT_EQ(*schema_of(**old), 1);
    ASSERT_TRUE((*old)->run("INSERT INTO companies (rut, name, made_at) VALUES (5, 'Old', 'x')"));
  }
  auto store = open();
  EXPECT_EQ(store->company(Rut{5})->name, "Old");
  EXPECT_EQ(*store->unmapped_ever(Rut{5}), 0);
  auto again = Database::open(options_.database);
  EXPECT_EQ(*schema_of(**again), newest_schema());
}

TEST_P(StoreSuite, RefusesADatabaseOfANewerProgram) {
  open();
  {
    auto database = Database::open(options_.database);
    ASSERT_TRUE((*database)->run("UPDATE schema_version SET version = 99").has_value());
  }
  const auto store = Store::open(options_);
  ASSERT_FALSE(store.has_value());
  EXPECT_EQ(store.error().code, ErrorCode::bad_config);
}

TEST_P(StoreSuite, KeepsForeignKeys) {
  open();
  auto database = Database::open(options_.database);
  const auto orphan = (*database)->run(
      "INSERT INTO periods (company_id, period, made_at) VALUES (4711, 202606, '')");
  ASSERT_FALSE(orphan.has_value());
  EXPECT_EQ(orphan.error().code, ErrorCode::conflict);
}

TEST(PostgresStore, OpensANewConnectionWhenOneWasCut) {
  StoreOptions options;
  options.database.postgresql = PostgresServer::get().make_database();
  options.connections = 1;
  auto store = Store::open(options);
  ASSERT_TRUE(store.has_value()) << store.error().detail;
  ASSERT_TRUE((*store)->ping().has_value());
  auto admin = Database::open({.sqlite = {}, .postgresql = PostgresServer::get().admin()});
  ASSERT_TRUE((*admin)
                  ->run("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                        "WHERE datname LIKE 'books%'")
                  .has_value());
  EXPECT_FALSE((*store)->ping().has_value());
  EXPECT_TRUE((*store)->ping().has_value());
}

#include "f29svc/store/flow_rows.h"

#include <array>

#include "f29svc/store/document_text.h"
#include "f29svc/store/record_rows.h"
#include "proxy/base/log.h"

namespace f29 {

using base::ErrorCode;

namespace {

constexpr std::array<std::string_view, 4> kStates = {"none", "planned", "deferred", "paid"};

base::Result<> read_history(Database& database, FlowRecord& flow) {
  return database.query(
      "SELECT state, actor, note, made_at FROM flow_states WHERE return_id = :a ORDER BY seq",
      {flow.return_id}, "tttt", [&](const SqlRow& row) {
        flow.history.push_back({parse_flow(row.text(0)), row.text(1), row.text(2), row.text(3)});
      });
}

void take(const SqlRow& row, FlowRecord& flow) {
  flow.state = parse_flow(row.text(0));
  flow.amount = Pesos{row.number(1)};
  flow.due = date_of(row.number(2));
  flow.deferred_amount = Pesos{row.number(3)};
  flow.deferred_to = date_of(row.number(4));
  flow.paid_on = date_of(row.number(5));
  flow.paid_amount = Pesos{row.number(6)};
  flow.payment = row.text(7);
}

}  // namespace

std::string_view flow_text(FlowState state) { return kStates[static_cast<size_t>(state)]; }
FlowState parse_flow(std::string_view text) {
  for (size_t i = 0; i < kStates.size(); ++i) {
    if (kStates[i] == text) return static_cast<FlowState>(i);
  }
  return FlowState::none;
}

base::Result<FlowRecord> read_flow(Database& database, const ReturnRecord& record, Period period) {
  FlowRecord flow;
  flow.return_id = record.id;
  flow.period = period;
  flow.version = record.version;
  auto done = database.query(
      "SELECT state, amount, due, deferred_amount, deferred_to, paid_on, paid_amount, payment "
      "FROM flows WHERE return_id = :a",
      {record.id}, "tiiiiiit", [&](const SqlRow& row) { take(row, flow); });
  if (done) done = read_history(database, flow);
  if (!done) return base::fail(done.error());
  return flow;
}

base::Result<std::vector<FlowRecord>> read_flows(Database& database, int64_t company_id,
                                                 Period from, Period to) {
  std::vector<FlowRecord> flows;
  auto done = database.query(
      "SELECT f.state, f.amount, f.due, f.deferred_amount, f.deferred_to, f.paid_on, "
      "f.paid_amount, f.payment, r.id, r.period, r.version "
      "FROM flows f JOIN returns r ON r.id = f.return_id "
      "WHERE r.company_id = :a AND r.period >= :b AND r.period <= :c AND r.version = "
      "(SELECT max(n.version) FROM returns n JOIN flows nf ON nf.return_id = n.id "
      "WHERE n.company_id = r.company_id AND n.period = r.period) ORDER BY r.period",
      {company_id, number_of(from), number_of(to)}, "tiiiiiitiii", [&](const SqlRow& row) {
        FlowRecord& flow = flows.emplace_back();
        take(row, flow);
        flow.return_id = row.number(8);
        flow.period = period_of(row.number(9));
        flow.version = static_cast<int>(row.number(10));
      });
  for (FlowRecord& flow : flows) {
    if (done) done = read_history(database, flow);
  }
  if (!done) return base::fail(done.error());
  return flows;
}

base::Result<> write_flow(Database& database, const FlowRecord& flow, const std::string& actor,
                          const std::string& note) {
  auto done = database.run("DELETE FROM flows WHERE return_id = :a", {flow.return_id});
  if (!done) return done;
  done = database.run(
      "INSERT INTO flows (return_id, state, amount, due, deferred_amount, deferred_to, paid_on, "
      "paid_amount, payment) VALUES (:a, :b, :c, :d, :e, :f, :g, :h, :i)",
      {flow.return_id, std::string(flow_text(flow.state)), flow.amount.value(), number_of(flow.due),
       flow.deferred_amount.value(), number_of(flow.deferred_to), number_of(flow.paid_on),
       flow.paid_amount.value(), flow.payment});
  if (!done) return done;
  return database.run(
      "INSERT INTO flow_states (return_id, seq, state, actor, note, made_at) "
      "VALUES (:a, :b, :c, :d, :e, :f)",
      {flow.return_id, static_cast<int64_t>(flow.history.size()),
       std::string(flow_text(flow.state)), actor, note, base::timestamp()});
}

base::Result<OutageRecord> read_outage(Database& database) {
  OutageRecord outage;
  auto done = database.query(
      "SELECT id, began_at, began_by, reason FROM outages WHERE ended_at = '' "
      "ORDER BY id DESC LIMIT 1",
      {}, "ittt", [&](const SqlRow& row) {
        outage = {row.number(0), row.text(1), row.text(2), row.text(3)};
      });
  if (!done) return base::fail(done.error());
  return outage;
}

base::Result<> begin_outage(Database& database, const std::string& reason,
                            const std::string& actor) {
  auto now = read_outage(database);
  if (!now) return base::fail(now.error());
  if (now->id != 0) return base::fail(ErrorCode::conflict, base::Side::client, "outage_on");
  return database.run(
      "INSERT INTO outages (began_at, began_by, reason, ended_at, ended_by) "
      "VALUES (:a, :b, :c, '', '')",
      {base::timestamp(), actor, reason});
}

base::Result<> end_outage(Database& database, const std::string& actor) {
  auto now = read_outage(database);
  if (!now) return base::fail(now.error());
  if (now->id == 0) return base::fail(ErrorCode::conflict, base::Side::client, "outage_off");
  return database.run("UPDATE outages SET ended_at = :a, ended_by = :b WHERE ended_at = ''",
                      {base::timestamp(), actor});
}

base::Result<std::vector<QueuedReturn>> read_queue(Database& database) {
  std::vector<QueuedReturn> queue;
  auto done = database.query(
      "SELECT c.rut, r.period, r.version, r.due, r.declaration, c.name, "
      "COALESCE((SELECT value FROM return_boxes WHERE return_id = r.id AND code = 94), "
      "(SELECT value FROM return_boxes WHERE return_id = r.id AND code = 91), ''), "
      "q.digest, q.actor, q.made_at FROM ready_returns q "
      "JOIN returns r ON r.id = q.return_id JOIN companies c ON c.id = r.company_id "
      "ORDER BY r.due, r.period, c.rut",
      {}, "iiiiittttt", [&](const SqlRow& row) {
        QueuedReturn& one = queue.emplace_back();
        one.company = Rut{static_cast<uint32_t>(row.number(0))};
        one.period = period_of(row.number(1));
        one.version = static_cast<int>(row.number(2));
        one.due = date_of(row.number(3));
        one.declaration = static_cast<Declaration>(row.number(4));
        one.name = row.text(5);
        one.to_pay = parse_pesos(row.text(6)).value_or(Pesos{});
        one.digest = row.text(7);
        one.actor = row.text(8);
        one.since = row.text(9);
      });
  if (!done) return base::fail(done.error());
  return queue;
}

}  // namespace f29

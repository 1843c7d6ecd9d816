// Payments: planned with their due day, postponed by the rules, paid. And what waits to be filed
// while the tax authority's site is down.
#include <sstream>

#include "f29svc/api/service.h"
#include "f29svc/domain/postponement.h"
#include "f29svc/exports/exports.h"
#include "proxy/base/mac.h"

namespace f29 {

namespace {

int64_t open_of(const FlowRecord& flow) {
  return flow.amount.value() + flow.deferred_amount.value() - flow.paid_amount.value();
}

bool is_late(const FlowRecord& flow, Date today) {
  if (flow.state == FlowState::none || flow.state == FlowState::paid || open_of(flow) <= 0) {
    return false;
  }
  const bool first_is_open = flow.paid_amount < flow.amount;
  return first_is_open ? today > flow.due : today > flow.deferred_to;
}

// With its VAT postponed a return may have nothing to pay and be due later itself: what counts for
// the VAT is the day of a return that pays.
Date vat_due(const Return& made, const std::vector<Date>& holidays) {
  return due_date(made.period, Declaration::normal,
                  {made.settings.electronic, made.settings.move_28th, holidays});
}

Flow judged(FlowRecord read, const ReturnRecord& record, const Return& made, Date today,
            const std::vector<Date>& holidays) {
  Flow flow;
  flow.company = made.company;
  flow.record = std::move(read);
  flow.is_late = is_late(flow.record, today);
  if (record.state == ReturnState::draft) {
    flow.why_not.push_back("the return is a draft: compute it first");
    return flow;
  }
  flow.why_not =
      postponement_of(made.boxes, vat_due(made, holidays), record.sent_on, today).why_not;
  if (flow.record.state == FlowState::deferred) flow.why_not.push_back("it is postponed already");
  if (flow.record.state == FlowState::paid) flow.why_not.push_back("it is paid");
  return flow;
}

}  // namespace

base::Result<Flow> TaxService::flow_of(PeriodWork& work, Date today) {
  auto read = read_flow(work.database(), work.current(), work.period());
  if (!read) return base::fail(read.error());
  auto made = work.load(work.current(), false);
  if (!made) return base::fail(made.error());
  return judged(std::move(*read), work.current(), *made, today, options_.holidays);
}

// Needs: the return is computed.
base::Result<> TaxService::plan(PeriodWork& work, const std::string& actor,
                                const std::string& note) {
  const ReturnRecord& record = work.current();
  auto flow = read_flow(work.database(), record, work.period());
  if (!flow) return base::fail(flow.error());
  const bool is_same =
      flow->state == FlowState::planned && flow->amount == record.to_pay && flow->due == record.due;
  if (is_same || flow->state == FlowState::deferred || flow->state == FlowState::paid) return {};
  flow->state = FlowState::planned;
  flow->amount = record.to_pay;
  flow->due = record.due;
  return write_flow(work.database(), *flow, actor, note);
}

// Only reads: nobody is kept from working.
Outcome<Flow> TaxService::flow(Rut company, Period period, Date today) {
  auto known = store_.period(company, period);
  if (!known) return refuse(told("store_failed", known.error()));
  const ReturnRecord& record = known->returns.back();
  auto made = store_.load(company, period, record.version, false);
  if (!made) return refuse(told("store_failed", made.error()));
  FlowRecord flow;
  auto read = store_.with([&](Database& database) -> base::Result<> {
    auto found = read_flow(database, record, period);
    if (!found) return base::fail(found.error());
    flow = std::move(*found);
    return {};
  });
  if (!read) return refuse(told("store_failed", read.error()));
  return judged(std::move(flow), record, *made, today, options_.holidays);
}

Outcome<std::vector<Flow>> TaxService::flows(Rut company, Period from, Period to, Date today) {
  auto known = store_.company(company);
  if (!known) return refuse(told("store_failed", known.error()));
  std::vector<FlowRecord> records;
  auto read = store_.with([&](Database& database) -> base::Result<> {
    auto found = read_flows(database, known->id, from, to);
    if (!found) return base::fail(found.error());
    records = std::move(*found);
    return {};
  });
  if (!read) return refuse(told("store_failed", read.error()));
  std::vector<Flow> flows;
  for (FlowRecord& one : records) {
    auto period = store_.period(company, one.period);
    if (!period) return refuse(told("store_failed", period.error()));
    auto made = store_.load(company, one.period, one.version, false);
    if (!made) return refuse(told("store_failed", made.error()));
    const ReturnRecord& record = period->returns[static_cast<size_t>(one.version - 1)];
    flows.push_back(judged(std::move(one), record, *made, today, options_.holidays));
  }
  return flows;
}

Outcome<Flow> TaxService::plan_flow(Rut company, Period period, Date today,
                                    const std::string& actor) {
  auto work = store_.work(company, period, false);
  if (!work) return refuse(told("store_failed", work.error()));
  if ((*work)->current().state == ReturnState::draft) {
    return refuse(409, "not_computed", "the return is a draft: compute it first");
  }
  auto done = plan(**work, actor, "planned");
  if (!done) return refuse(told("store_failed", done.error()));
  auto flow = flow_of(**work, today);
  if (!flow) return refuse(told("store_failed", flow.error()));
  if (done = (*work)->commit(); !done) return refuse(told("store_failed", done.error()));
  return std::move(*flow);
}

Outcome<Flow> TaxService::defer_flow(Rut company, Period period, int months, Date today,
                                     const std::string& actor) {
  auto work = store_.work(company, period, false);
  if (!work) return refuse(told("store_failed", work.error()));
  auto flow = flow_of(**work, today);
  if (!flow) return refuse(told("store_failed", flow.error()));
  if (!flow->why_not.empty()) {
    return refuse(409, "no_postponement", "the VAT cannot be postponed", flow->why_not);
  }
  const ReturnRecord& record = (*work)->current();
  auto made = (*work)->load(record, false);
  if (!made) return refuse(told("store_failed", made.error()));
  FlowRecord to = flow->record;
  to.state = FlowState::deferred;
  to.amount = record.to_pay;
  to.due = record.due;
  const Date due = vat_due(*made, options_.holidays);
  to.deferred_amount = postponement_of(made->boxes, due, record.sent_on, today).vat;
  to.deferred_to = postponed_to(due, months, options_.holidays);
  auto done = write_flow((*work)->database(), to, actor, "to " + to.deferred_to.text());
  if (!done) return refuse(told("store_failed", done.error()));
  flow = flow_of(**work, today);
  if (!flow) return refuse(told("store_failed", flow.error()));
  if (done = (*work)->commit(); !done) return refuse(told("store_failed", done.error()));
  return std::move(*flow);
}

Outcome<Flow> TaxService::pay_flow(Rut company, Period period, const Closing& payment, Date today,
                                   const std::string& actor) {
  auto work = store_.work(company, period, false);
  if (!work) return refuse(told("store_failed", work.error()));
  auto read = read_flow((*work)->database(), (*work)->current(), period);
  if (!read) return refuse(told("store_failed", read.error()));
  FlowRecord flow = std::move(*read);
  if (flow.state == FlowState::none) return refuse(409, "not_planned", "nothing is planned");
  if (flow.state == FlowState::paid) return refuse(409, "is_paid", "it is paid already");
  const int64_t open = open_of(flow);
  const int64_t amount = payment.amount < Pesos{} ? open : payment.amount.value();
  if (amount > open || (amount == 0 && open > 0)) {
    return refuse(422, "bad_amount", "the open amount is " + std::to_string(open));
  }
  flow.paid_amount += Pesos{amount};
  flow.paid_on = payment.on;
  flow.payment = payment.payment;
  if (amount == open) flow.state = FlowState::paid;
  auto done = write_flow((*work)->database(), flow, actor,
                         std::to_string(amount) + " on " + payment.on.text() +
                             (payment.payment.empty() ? "" : ", " + payment.payment));
  if (!done) return refuse(told("store_failed", done.error()));
  auto now = flow_of(**work, today);
  if (!now) return refuse(told("store_failed", now.error()));
  if (done = (*work)->commit(); !done) return refuse(told("store_failed", done.error()));
  return std::move(*now);
}

// A return that is paid has paid what was planned on its day; what was postponed stays open.
base::Result<> TaxService::close_flow(PeriodWork& work, int version, const Closing& closing,
                                      const std::string& actor) {
  const ReturnRecord& record = work.returns()[static_cast<size_t>(version - 1)];
  auto flow = read_flow(work.database(), record, work.period());
  if (!flow) return base::fail(flow.error());
  if (flow->state != FlowState::planned) return {};
  flow->state = FlowState::paid;
  flow->paid_on = closing.on;
  flow->paid_amount = closing.amount;
  flow->payment = closing.payment;
  return write_flow(work.database(), *flow, actor, "the return was paid");
}

// ---- the queue ----------------------------------------------------------------------------------

Outcome<ReturnRecord> TaxService::set_ready(Rut company, Period period, int version, bool is_ready,
                                            const std::string& actor) {
  auto work = store_.work(company, period, false);
  if (!work) return refuse(told("store_failed", work.error()));
  if (version != (*work)->current().version) {
    return version > (*work)->current().version
               ? refuse(404, "not_found", "no such version")
               : refuse(409, "conflict", "only the newest version is filed");
  }
  base::Result<> done;
  if (is_ready) {
    auto made = (*work)->load((*work)->current(), true);
    if (!made) return refuse(told("store_failed", made.error()));
    std::ostringstream bytes;
    write_return(*made, ExportFormat::json, bytes);
    done = (*work)->set_ready(base::sha256_hex(bytes.str()), actor);
    if (done) done = plan(**work, actor, "planned, ready to be filed");
  } else {
    done = (*work)->clear_ready();
  }
  if (done) done = (*work)->commit();
  if (!done) return refuse(told("store_failed", done.error()));
  return (*work)->current();
}

Outcome<Outage> TaxService::outage() {
  Outage now;
  auto read = store_.with([&](Database& database) -> base::Result<> {
    auto outage = read_outage(database);
    if (!outage) return base::fail(outage.error());
    auto queue = read_queue(database);
    if (!queue) return base::fail(queue.error());
    now = {std::move(*outage), std::move(*queue)};
    return {};
  });
  if (!read) return refuse(told("store_failed", read.error()));
  return now;
}

Outcome<Outage> TaxService::set_outage(bool is_on, const std::string& reason,
                                       const std::string& actor) {
  auto done = store_.with([&](Database& database) -> base::Result<> {
    if (auto begun = database.begin(); !begun) return begun;
    const Database::Undo undo(database);
    auto set = is_on ? begin_outage(database, reason, actor) : end_outage(database, actor);
    return set ? database.commit() : set;
  });
  if (!done) return refuse(told("store_failed", done.error()));
  return outage();
}

}  // namespace f29

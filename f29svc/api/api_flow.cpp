// Payments, the queue of an outage, and what a rectification changed.
#include <set>
#include <sstream>

#include "f29svc/api/asked.h"
#include "f29svc/api/treasury.h"
#include "f29svc/exports/json_writer.h"
#include "f29svc/form/form.h"

namespace f29 {

namespace {

template <class Fill>
std::string flow_object(const Fill& fill) {
  std::ostringstream out;
  JsonWriter writer(out);
  writer.open('{');
  fill(writer);
  writer.close('}');
  out << '\n';
  return std::move(out).str();
}

void write_flow_members(JsonWriter& json, const Flow& flow) {
  const FlowRecord& record = flow.record;
  json.member("company", flow.company.text());
  json.member("period", record.period.text());
  json.member("version", record.version);
  json.member("state", flow_text(record.state));
  json.member("amount", record.amount.value());
  json.member("due", record.due.text());
  json.member("deferred_amount", record.deferred_amount.value());
  json.member("deferred_to", record.deferred_to.text());
  json.member("late", flow.is_late);
  json.member("paid_on", record.paid_on.text());
  json.member("paid_amount", record.paid_amount.value());
  json.member("payment", record.payment);
  json.member("may_defer", flow.why_not.empty());
  json.key("why_not");
  json.open('[');
  for (const std::string& why : flow.why_not) json.text(why);
  json.close(']');
  json.key("history");
  json.open('[');
  for (const FlowRecord::Entry& entry : record.history) {
    json.open('{');
    json.member("state", flow_text(entry.state));
    json.member("actor", entry.actor);
    json.member("at", entry.made_at);
    json.member("note", entry.note);
    json.close('}');
  }
  json.close(']');
}

HttpResponse flow_answer(const Outcome<Flow>& flow) {
  if (!flow) return error_response(flow.error());
  return json(flow_object([&](JsonWriter& out) { write_flow_members(out, *flow); }));
}

HttpResponse outage_answer(const Outcome<Outage>& outage) {
  if (!outage) return error_response(outage.error());
  return json(flow_object([&](JsonWriter& out) {
    out.member("on", outage->outage.id != 0);
    out.member("since", outage->outage.began_at);
    out.member("actor", outage->outage.began_by);
    out.member("reason", outage->outage.reason);
    out.key("queue");
    out.open('[');
    for (const QueuedReturn& one : outage->queue) {
      out.open('{');
      out.member("company", one.company.text());
      out.member("name", one.name);
      out.member("period", one.period.text());
      out.member("version", one.version);
      out.member("due", one.due.text());
      out.member("late", today() > one.due);
      out.member("to_pay", one.to_pay.value());
      out.member("declaration", declaration_text(one.declaration));
      out.member("since", one.since);
      out.member("actor", one.actor);
      out.member("digest", one.digest);
      out.close('}');
    }
    out.close(']');
  }));
}

Outcome<std::vector<Flow>> flows_of(TaxService& service, const Call& call) {
  Asked asked(call);
  const Period from = asked.period("from", Period(2000, 1));
  const Period to = asked.period("to", Period(9999, 12));
  if (auto fault = asked.fault()) return refuse(*fault);
  return service.flows(call.company, from, to, today());
}

void write_box_value(JsonWriter& json, std::string_view name, const Boxes& boxes, int code) {
  json.key(name);
  const auto found = boxes.find(code);
  if (found == boxes.end()) return json.number(0);
  if (found->second.kind == BoxValue::Kind::amount) return json.number(found->second.amount);
  json.text(found->second.plain());
}

}  // namespace

HttpResponse Api::flow(const Call& call) {
  return flow_answer(service_.flow(call.company, call.period, today()));
}

HttpResponse Api::plan_flow(const Call& call) {
  return flow_answer(service_.plan_flow(call.company, call.period, today(), call.actor));
}

HttpResponse Api::defer_flow(const Call& call) {
  Asked asked(call);
  const auto months = static_cast<int>(asked.number("months", 2, 1, 2));
  if (auto fault = asked.fault()) return error_response(*fault);
  return flow_answer(service_.defer_flow(call.company, call.period, months, today(), call.actor));
}

HttpResponse Api::pay_flow(const Call& call) {
  Asked asked(call);
  Closing payment;
  payment.on = asked.date("date", today());
  payment.amount = Pesos{asked.number("amount", -1, 0, kAmountMost)};
  payment.payment = asked.words("payment", 64);
  if (auto fault = asked.fault()) return error_response(*fault);
  return flow_answer(service_.pay_flow(call.company, call.period, payment, today(), call.actor));
}

HttpResponse Api::flows(const Call& call) {
  auto flows = flows_of(service_, call);
  if (!flows) return error_response(flows.error());
  return json(flow_object([&](JsonWriter& out) {
    Sum planned;
    Sum deferred;
    Sum paid;
    out.key("flows");
    out.open('[');
    for (const Flow& flow : *flows) {
      out.open('{');
      write_flow_members(out, flow);
      out.close('}');
      planned.add(flow.record.amount);
      deferred.add(flow.record.deferred_amount);
      paid.add(flow.record.paid_amount);
    }
    out.close(']');
    out.key("sums");
    out.open('{');
    out.member("planned", planned.total().value());
    out.member("deferred", deferred.total().value());
    out.member("paid", paid.total().value());
    out.close('}');
  }));
}

HttpResponse Api::flow_csv(const Call& call) {
  auto flows = flows_of(service_, call);
  if (!flows) return error_response(flows.error());
  std::ostringstream out;
  write_treasury_csv(*flows, out);
  return {200, "text/csv; charset=utf-8", std::move(out).str(), {}};
}

HttpResponse Api::flow_ics(const Call& call) {
  auto flows = flows_of(service_, call);
  if (!flows) return error_response(flows.error());
  std::ostringstream out;
  write_treasury_calendar(*flows, out);
  return {200, "text/calendar; charset=utf-8", std::move(out).str(), {}};
}

HttpResponse Api::ready(const Call& call) {
  return json_or_error(
      service_.set_ready(call.company, call.period, call.version, true, call.actor));
}
HttpResponse Api::not_ready(const Call& call) {
  return json_or_error(
      service_.set_ready(call.company, call.period, call.version, false, call.actor));
}

HttpResponse Api::outage(const Call&) { return outage_answer(service_.outage()); }

HttpResponse Api::begin_outage(const Call& call) {
  const std::string reason = query_of(call, "reason");
  if (!is_good_name(reason)) {
    return error_response({422, "bad_reason", "reason: 1 to 200 letters in one line", {}});
  }
  return outage_answer(service_.set_outage(true, reason, call.actor));
}

HttpResponse Api::end_outage(const Call& call) {
  return outage_answer(service_.set_outage(false, "", call.actor));
}

HttpResponse Api::differences(const Call& call) {
  Asked asked(call);
  const auto against = static_cast<int>(asked.number("against", 0, 1, INT32_MAX));
  if (auto fault = asked.fault()) return error_response(*fault);
  auto found = service_.differences(call.company, call.period, call.version, against);
  if (!found) return error_response(found.error());
  const Boxes& before = found->before.boxes;
  const Boxes& after = found->after.boxes;
  std::set<int> codes;
  for (const auto& [code, value] : before) codes.insert(code);
  for (const auto& [code, value] : after) codes.insert(code);
  return json(flow_object([&](JsonWriter& out) {
    out.member("version", found->after.version);
    out.member("against", found->before.version);
    out.key("boxes");
    out.open('[');
    for (const int code : codes) {
      const auto old = before.find(code);
      const auto now = after.find(code);
      if (old != before.end() && now != after.end() && old->second == now->second) continue;
      const BoxInfo* box = find_box(code);
      out.open('{');
      out.member("code", code);
      out.member("line", line_of(code, version_of(call.period)));
      out.member("label", box == nullptr ? std::string_view{} : box->label);
      write_box_value(out, "before", before, code);
      write_box_value(out, "after", after, code);
      out.key("difference");
      const bool is_amount = (old == before.end() || old->second.kind == BoxValue::Kind::amount) &&
                             (now == after.end() || now->second.kind == BoxValue::Kind::amount);
      if (is_amount) {
        out.number(amount_in(after, code) - amount_in(before, code));
      } else {
        out.null();
      }
      out.close('}');
    }
    out.close(']');
  }));
}

}  // namespace f29

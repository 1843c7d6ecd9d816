// The handlers of the route table: from a call to the service, and back as JSON.
#include <sstream>

#include "f29svc/api/api.h"
#include "f29svc/api/api_json.h"
#include "f29svc/api/asked.h"
#include "f29svc/exports/exports.h"

namespace f29 {

HttpResponse Api::health(const Call&) {
  if (service_.store().ping()) return json("{\"ok\":true}\n");
  return {503, "application/json", "{\"ok\":false}\n", {}};
}

HttpResponse Api::metrics_page(const Call&) {
  return {200, "text/plain; version=0.0.4", base::metrics_text(metrics()), {}};
}

HttpResponse Api::openapi(const Call&) { return json(std::string(openapi_text())); }

HttpResponse Api::companies(const Call&) {
  auto all = service_.store().companies();
  return all ? json(json_of(*all)) : error_response(refusal_of(all.error()));
}

HttpResponse Api::periods(const Call& call) {
  auto all = service_.store().periods(call.company);
  return all ? json(json_of(*all, service_.holidays())) : error_response(refusal_of(all.error()));
}

HttpResponse Api::period(const Call& call) {
  auto one = service_.store().period(call.company, call.period);
  if (!one) return error_response(refusal_of(one.error()));
  auto imports = service_.store().imports(call.company, call.period);
  if (!imports) return error_response(refusal_of(imports.error()));
  return json(json_of(*one, *imports, service_.holidays()));
}

HttpResponse Api::import_file(const Call& call) {
  const bool is_json = call.request.content_type == "application/json";
  const std::string name = query_of(call, "name", is_json ? "documents.json" : "rcv.csv");
  if (!is_good_name(name)) {
    return error_response({422, "bad_name", "name: 1 to 200 letters in one line", {}});
  }
  if (is_json) {
    return json_or_error(
        service_.import_documents(call.company, call.period, name, call.request.body, call.actor));
  }
  return json_or_error(
      service_.import_rcv(call.company, call.period, name, call.request.body, call.actor));
}

HttpResponse Api::import_odoo(const Call& call) {
  return json_or_error(service_.import_odoo(call.company, call.period, call.actor));
}

HttpResponse Api::get_inputs(const Call& call) {
  auto one = service_.store().period(call.company, call.period);
  if (!one) return error_response(refusal_of(one.error()));
  auto all = service_.store().inputs(call.company, call.period);
  return all ? json(json_of(*all)) : error_response(refusal_of(all.error()));
}

HttpResponse Api::put_inputs(const Call& call) {
  auto revision = service_.put_inputs(call.company, call.period, call.request.body, call.actor);
  if (!revision) return error_response(revision.error());
  return json("{\"revision\":" + std::to_string(*revision) + "}\n");
}

HttpResponse Api::compute(const Call& call) {
  auto made = service_.compute(call.company, call.period, call.actor);
  if (!made) return error_response(made.error());
  std::ostringstream out;
  write_return(*made, ExportFormat::json, out);
  return json(std::move(out).str());
}

HttpResponse Api::validate(const Call& call) {
  return json_or_error(service_.validate(call.company, call.period, call.actor));
}

HttpResponse Api::returns(const Call& call) {
  auto one = service_.store().period(call.company, call.period);
  return one ? json(json_of(one->returns)) : error_response(refusal_of(one.error()));
}

HttpResponse Api::with_return(const Call& call, const std::function<HttpResponse(Return&)>& use) {
  int version = call.version;
  const std::string given = query_of(call, "version", "0");
  if (version == 0 && given != "0") {
    const auto number = parse_pesos(given);
    if (!number || number->value() < 1 || number->value() > INT32_MAX) {
      return error_response({404, "not_found", "no such version", {}});
    }
    version = static_cast<int>(number->value());
  }
  auto stored = service_.load(call.company, call.period, version);
  return stored ? use(*stored) : error_response(stored.error());
}

HttpResponse Api::one_return(const Call& call) {
  return with_return(call, [](Return& stored) {
    stored.provenance = {};  // the export has it
    std::ostringstream out;
    write_return(stored, ExportFormat::json, out);
    return json(std::move(out).str());
  });
}

HttpResponse Api::move(const Call& call, ReturnState to) {
  Closing closing;
  closing.folio = query_of(call, "folio");
  if (closing.folio.size() > 20 ||
      closing.folio.find_first_not_of("0123456789") != closing.folio.npos) {
    return error_response({422, "bad_folio", "folio: at most 20 digits", {}});
  }
  Asked asked(call);
  closing.on = asked.date("date", today());
  closing.amount = Pesos{asked.number("amount", -1, 0, kAmountMost)};
  closing.payment = asked.words("payment", 64);
  if (auto fault = asked.fault()) return error_response(*fault);
  return json_or_error(
      service_.move_to(call.company, call.period, call.version, to, closing, call.actor));
}

HttpResponse Api::sent(const Call& call) { return move(call, ReturnState::sent); }
HttpResponse Api::paid(const Call& call) { return move(call, ReturnState::paid); }

HttpResponse Api::rectify(const Call& call) {
  const std::string reason = query_of(call, "reason");
  if (!is_good_name(reason)) {
    return error_response({422, "bad_reason", "reason: 1 to 200 letters in one line", {}});
  }
  return json_or_error(service_.rectify(call.company, call.period, call.actor, reason));
}

HttpResponse Api::export_return(const Call& call) {
  const auto format = parse_format(query_of(call, "format", "json"));
  if (!format) {
    return error_response({422, "bad_format", "format: json, campos, csv or xml", {}});
  }
  return with_return(call, [&](Return& stored) {
    if (std::string why = why_not(stored, *format); !why.empty()) {
      return error_response({422, "not_exportable", why, {}});
    }
    std::ostringstream out;
    write_return(stored, *format, out);
    return HttpResponse{200, std::string(content_type(*format)), std::move(out).str(), {}};
  });
}

HttpResponse Api::sheet(const Call& call) {
  return with_return(call, [](Return& stored) {
    std::ostringstream out;
    write_sheet(stored, out);
    return HttpResponse{200, "text/plain; charset=utf-8", std::move(out).str(), {}};
  });
}

}  // namespace f29

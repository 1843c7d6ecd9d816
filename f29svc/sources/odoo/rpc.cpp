#include "f29svc/sources/odoo/rpc.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <thread>

namespace f29 {

using base::ErrorCode;
using nlohmann::json;

namespace {

constexpr int kTriesMost = 10;

base::Error odd_answer(std::string detail) {
  return {ErrorCode::bad_backend_message, base::Side::backend, "Odoo: " + std::move(detail)};
}

// What an error of Odoo means to us. Its own texts hold addresses, queries and tracebacks.
base::Error meaning_of(const JsonValue& error) {
  const std::string_view name = error["data"]["name"].string();
  if (name.ends_with("AccessDenied")) {
    return {ErrorCode::refused, base::Side::backend, "Odoo refuses the user or the key"};
  }
  if (name.ends_with("AccessError")) {
    return {ErrorCode::refused, base::Side::backend, "Odoo's user may not read what is needed"};
  }
  if (name.ends_with("OperationalError")) {
    return {ErrorCode::refused, base::Side::backend,
            "Odoo has no such database, or cannot reach it"};
  }
  if (name.ends_with("ValueError") || name.ends_with("KeyError") || name.ends_with("UserError")) {
    return odd_answer("it does not know a model or field that is needed; is l10n_cl installed?");
  }
  return odd_answer("it answered an error");
}

bool may_be_tried_again(ErrorCode code) {
  switch (code) {
    case ErrorCode::connect_refused:
    case ErrorCode::connect_timeout:
    case ErrorCode::backend_timeout:
    case ErrorCode::backend_reset:
    case ErrorCode::queue_full:  // 429, 502, 503, 504
      return true;
    default:
      return false;
  }
}

}  // namespace

base::Result<std::unique_ptr<OdooRpc>> OdooRpc::make(const OdooOptions& options) {
  auto client = HttpClient::make(options.http);
  if (!client) return base::fail(client.error());
  std::shared_ptr<HttpClient> shared = std::move(*client);
  return std::make_unique<OdooRpc>(options, [shared](const std::string& body) {
    return shared->post("/jsonrpc", body, "application/json");
  });
}

OdooRpc::OdooRpc(const OdooOptions& options, Post post)
    : options_(options), post_(std::move(post)) {}
OdooRpc::~OdooRpc() = default;

base::Result<JsonValue> OdooRpc::request_once(const std::string& body) {
  ++requests_;
  auto answer = post_(body);
  if (!answer) return base::fail(answer.error());
  const int status = answer->status;
  if (status == 429 || status == 502 || status == 503 || status == 504) {
    return base::fail(ErrorCode::queue_full, base::Side::backend,
                      "Odoo is away: status " + std::to_string(status));
  }
  if (status != 200) return base::fail(odd_answer("status " + std::to_string(status)));
  auto value = parse_json(answer->body);
  if (!value || !value->is_object()) return base::fail(odd_answer("the answer is not JSON-RPC"));
  return std::move(*value);
}

base::Result<JsonValue> OdooRpc::request(const json& params, int tries_most) {
  const int64_t id = requests_ + 1;
  const std::string body =
      json{{"jsonrpc", "2.0"}, {"method", "call"}, {"id", id}, {"params", params}}.dump();
  base::Millis wait = options_.retry_wait;
  for (int tries = 1;; ++tries) {
    auto answer = request_once(body);
    if (!answer) {
      const bool again = tries < std::min(tries_most, kTriesMost);
      if (!again || !may_be_tried_again(answer.error().code)) return answer;
      std::this_thread::sleep_for(wait);
      wait *= 2;
      continue;
    }
    if ((*answer)["id"].id() != id) return base::fail(odd_answer("it is no answer to the request"));
    if ((*answer)["error"].is_object()) return base::fail(meaning_of((*answer)["error"]));
    for (auto& [name, value] : answer->members) {
      if (name == "result") return std::move(value);
    }
    return base::fail(odd_answer("an answer without a result"));
  }
}

base::Result<> OdooRpc::log_in() {
  auto uid = request(
      {{"service", "common"},
       {"method", "authenticate"},
       {"args", json::array({options_.database, options_.user, options_.key, json::object()})}},
      options_.tries);
  if (!uid) return base::fail(uid.error());
  uid_ = uid->id();
  if (uid_ <= 0) {
    return base::fail(ErrorCode::refused, base::Side::backend, "Odoo refuses the user or the key");
  }
  return {};
}

base::Result<JsonValue> OdooRpc::call(std::string_view model, std::string_view method,
                                      const json& arguments, const json& options) {
  return execute(model, method, arguments, options, options_.tries);
}

base::Result<JsonValue> OdooRpc::change(std::string_view model, std::string_view method,
                                        const json& arguments, const json& options) {
  return execute(model, method, arguments, options, 1);
}

base::Result<JsonValue> OdooRpc::execute(std::string_view model, std::string_view method,
                                         const json& arguments, const json& options,
                                         int tries_most) {
  if (uid_ == 0) {
    if (auto done = log_in(); !done) return base::fail(done.error());
  }
  return request({{"service", "object"},
                  {"method", "execute_kw"},
                  {"args", json::array({options_.database, uid_, options_.key, model, method,
                                        arguments, options})}},
                 tries_most);
}

base::Result<> OdooRpc::read_all(std::string_view model, const json& domain,
                                 const std::vector<std::string>& fields,
                                 const OnRecord& on_record) {
  // Names of tags and taxes are translated: ask for the source language. Archived taxes and types
  // stand in old documents: ask for all.
  json context = {{"lang", "en_US"}, {"active_test", false}};
  if (company_id_ != 0) context["allowed_company_ids"] = json::array({company_id_});
  for (int64_t last = 0;;) {
    json within = domain;
    within.push_back(json::array({"id", ">", last}));
    auto page =
        call(model, "search_read", json::array({within}),
             {{"fields", fields}, {"order", "id"}, {"limit", options_.page}, {"context", context}});
    if (!page) return base::fail(page.error());
    if (!page->is_list()) return base::fail(odd_answer("a page that is no list"));
    if (page->items.empty()) return {};
    for (const JsonValue& record : page->items) {
      const int64_t id = record["id"].id();
      if (id <= last) return base::fail(odd_answer("a page that is not ordered by id"));
      last = id;
      if (auto done = on_record(record); !done) return done;
    }
  }
}

}  // namespace f29

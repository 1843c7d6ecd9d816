// The HTTP API: routes, keys, and JSON around TaxService. openapi.json describes it.
#pragma once

#include <array>
#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "f29svc/api/api_keys.h"
#include "f29svc/api/service.h"
#include "f29svc/api/sessions.h"
#include "f29svc/http/http_server.h"
#include "proxy/base/metrics.h"

namespace f29 {

// What came before the handlers: parts of the path that stand for something, and who asks.
struct Call {
  const HttpRequest& request;
  Rut company;
  Period period;
  int version = 0;
  int code = 0;              // of a box
  std::string actor;         // empty: nobody that is known
  std::string by;            // how they signed in: "key", "session", "proxy"
  std::string csrf;          // what they must send back with a change; empty for a key
  base::WallTime expires{};  // of the session
};

// Who comes without a key.
struct ApiAccess {
  std::vector<std::string> proxies;  // addresses whose user header is believed
  bool secure_cookie = false;        // the cookie goes over https only
};

class Api final : public HttpHandler {
 public:
  Api(TaxService& service, std::vector<ApiKey> keys, ApiAccess access = {});

  // HttpHandler
  std::optional<HttpResponse> begin(const HttpRequest& request) override;
  HttpResponse answer(const HttpRequest& request) override;
  HttpResponse refuse(int status) override;
  void account(const HttpRequest& request, int status) override;

  std::vector<base::MetricFamily> metrics();

  struct RouteName {
    std::string_view method;
    std::string_view path;
    bool is_open;  // needs nobody
  };
  static std::vector<RouteName> routes();

 private:
  struct Route;
  static std::span<const Route> table();
  struct Found;
  Found find(const HttpRequest& request) const;
  std::string key_of(const HttpRequest& request) const;
  void identify(Call& call) const;

  HttpResponse health(const Call& call);
  HttpResponse metrics_page(const Call& call);
  HttpResponse openapi(const Call& call);
  HttpResponse session(const Call& call);
  HttpResponse sign_in(const Call& call);
  HttpResponse sign_out(const Call& call);
  HttpResponse companies(const Call& call);
  HttpResponse periods(const Call& call);
  HttpResponse period(const Call& call);
  HttpResponse import_file(const Call& call);
  HttpResponse import_odoo(const Call& call);
  HttpResponse get_inputs(const Call& call);
  HttpResponse put_inputs(const Call& call);
  HttpResponse compute(const Call& call);
  HttpResponse validate(const Call& call);
  HttpResponse returns(const Call& call);
  HttpResponse one_return(const Call& call);
  HttpResponse sent(const Call& call);
  HttpResponse paid(const Call& call);
  HttpResponse rectify(const Call& call);
  HttpResponse differences(const Call& call);
  HttpResponse ready(const Call& call);
  HttpResponse not_ready(const Call& call);
  HttpResponse form(const Call& call);
  HttpResponse box(const Call& call);
  HttpResponse documents(const Call& call);
  HttpResponse findings(const Call& call);
  HttpResponse reconcile(const Call& call);
  HttpResponse reconciliation(const Call& call);
  HttpResponse reconciliation_csv(const Call& call);
  HttpResponse reconcile_notes(const Call& call);
  HttpResponse flow(const Call& call);
  HttpResponse plan_flow(const Call& call);
  HttpResponse defer_flow(const Call& call);
  HttpResponse pay_flow(const Call& call);
  HttpResponse flows(const Call& call);
  HttpResponse flow_csv(const Call& call);
  HttpResponse flow_ics(const Call& call);
  HttpResponse outage(const Call& call);
  HttpResponse begin_outage(const Call& call);
  HttpResponse end_outage(const Call& call);
  HttpResponse export_return(const Call& call);
  HttpResponse sheet(const Call& call);
  HttpResponse move(const Call& call, ReturnState to);
  HttpResponse with_return(const Call& call, const std::function<HttpResponse(Return&)>& use);

  TaxService& service_;
  const std::vector<ApiKey> keys_;
  const ApiAccess access_;
  const std::string csrf_secret_;  // of this program's life
  mutable Sessions sessions_;
  static constexpr std::array kCodes = {200, 400, 401, 403, 404, 405, 408, 409,
                                        413, 414, 415, 422, 431, 500, 502, 503};
  std::array<std::atomic<int64_t>, kCodes.size() + 1> answered_{};  // the last: other
  std::mutex mutex_;
  std::map<Rut, std::pair<int64_t, int64_t>> unmapped_;  // ever and now, as last read
};

// In the program: f29svc/api/openapi.json.
std::string_view openapi_text();

}  // namespace f29

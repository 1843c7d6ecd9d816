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
#include "f29svc/http/http_server.h"
#include "proxy/base/metrics.h"

namespace f29 {

// What came before the handlers: parts of the path that stand for something, and who asks.
struct Call {
  const HttpRequest& request;
  Rut company;
  Period period;
  int version = 0;
  std::string actor;
};

class Api final : public HttpHandler {
 public:
  Api(TaxService& service, std::vector<ApiKey> keys);

  // HttpHandler
  std::optional<HttpResponse> begin(const HttpRequest& request) override;
  HttpResponse answer(const HttpRequest& request) override;
  HttpResponse refuse(int status) override;
  void account(const HttpRequest& request, int status) override;

  std::vector<base::MetricFamily> metrics();

  struct RouteName {
    std::string_view method;
    std::string_view path;
  };
  static std::vector<RouteName> routes();

 private:
  struct Route;
  static std::span<const Route> table();
  struct Found;
  Found find(const HttpRequest& request) const;
  std::string key_of(const HttpRequest& request) const;

  HttpResponse health(const Call& call);
  HttpResponse metrics_page(const Call& call);
  HttpResponse openapi(const Call& call);
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
  HttpResponse export_return(const Call& call);
  HttpResponse sheet(const Call& call);
  HttpResponse move(const Call& call, ReturnState to);
  HttpResponse with_return(const Call& call, const std::function<HttpResponse(Return&)>& use);

  TaxService& service_;
  const std::vector<ApiKey> keys_;
  static constexpr std::array kCodes = {200, 400, 401, 404, 405, 408, 409, 413,
                                        414, 415, 422, 431, 500, 502, 503};
  std::array<std::atomic<int64_t>, kCodes.size() + 1> answered_{};  // the last: other
  std::mutex mutex_;
  std::map<Rut, std::pair<int64_t, int64_t>> unmapped_;  // ever and now, as last read
};

// In the program: f29svc/api/openapi.json.
std::string_view openapi_text();

}  // namespace f29

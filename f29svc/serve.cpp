#include "f29svc/serve.h"

#include <signal.h>

#include "f29svc/api/api.h"
#include "f29svc/config.h"
#include "f29svc/page/page.h"
#include "proxy/base/log.h"
#include "proxy/base/mac.h"

namespace f29 {

namespace {

constexpr int kDone = 0;
constexpr int kFailed = 1;
constexpr int kFaulty = 2;

int cannot(const std::string& what, const base::Error& error, std::ostream& err) {
  err << "f29svc: " << what << ": " << error.detail << '\n';
  return kFailed;
}

// One line a request: never the query, which may hold what a person typed.
class LoggedApi final : public HttpHandler {
 public:
  LoggedApi(HttpHandler& api, base::Log& log) : api_(api), log_(log) {}
  std::optional<HttpResponse> begin(const HttpRequest& request) override {
    return api_.begin(request);
  }
  HttpResponse answer(const HttpRequest& request) override { return api_.answer(request); }
  HttpResponse refuse(int status) override { return api_.refuse(status); }
  void account(const HttpRequest& request, int status) override {
    api_.account(request, status);
    base::LogLine line;
    line.add("method", request.method).add("path", request.path).add("status", status);
    log_.event(base::Level::info, "request", std::move(line));
  }

 private:
  HttpHandler& api_;
  base::Log& log_;
};

}  // namespace

int serve_command(const std::string& config_file, std::ostream& err) {
  // Before any thread is made, so that all of them leave these signals to sigwait.
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);

  std::vector<base::ConfigFault> faults;
  Config config = read_config(config_file, faults);
  for (const base::ConfigFault& fault : faults) err << fault.text() << '\n';
  if (!faults.empty()) return kFaulty;
  auto log = base::Log::open(config.log);
  if (!log) return cannot("log", log.error(), err);
  auto store = Store::open(config.store);
  if (!store) return cannot("database", store.error(), err);
  for (const CompanyConfig& company : config.companies) {
    auto put = (*store)->put_company(company.rut, company.name);
    if (!put) return cannot("database", put.error(), err);
  }
  TaxService service(**store, std::move(config.service),
                     [&](std::string_view event, const base::Error& error) {
                       base::LogLine line;
                       line.add("code", base::facts_of(error.code).label);
                       line.add("detail", error.detail);
                       (*log)->event(base::Level::error, event, std::move(line));
                     });
  Api api(service, config.api_keys, config.access);
  Page page(api);
  LoggedApi logged(page, **log);
  auto server = HttpServer::start(config.http, logged);
  if (!server) return cannot("listen", server.error(), err);
  base::LogLine started;
  started.add("address", (*server)->bound().text());
  started.add("keys", static_cast<int64_t>(config.api_keys.size()));
  (*log)->event(base::Level::info, "started", std::move(started));
  if (config.api_keys.empty()) (*log)->event(base::Level::warning, "no_api_keys");

  int signal = 0;
  sigwait(&ends, &signal);
  (*log)->event(base::Level::info, "ending");
  (*server)->stop();
  return kDone;
}

int new_key_command(const std::string& name, std::ostream& out, std::ostream& err) {
  if (name.empty() || name.size() > 64) {
    err << "f29svc: the key needs a name of 1 to 64 letters\n";
    return kFaulty;
  }
  const std::string key = new_api_key();
  out << "key:    " << key << "\n"
      << "config: - { name: " << name << ", sha256: " << base::sha256_hex(key) << " }\n";
  return kDone;
}

}  // namespace f29

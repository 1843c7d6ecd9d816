#include "f29svc/api/api.h"

#include <algorithm>
#include <charconv>

#include "f29svc/api/api_json.h"
#include "proxy/base/mac.h"

namespace f29 {

namespace {

enum class Takes : uint8_t { nothing, file, inputs, json };

}  // namespace

struct Api::Route {
  std::string_view method;
  std::string_view path;
  HttpResponse (Api::*answer)(const Call&);
  bool is_open = false;  // needs no key
  Takes takes = Takes::nothing;
};

std::span<const Api::Route> Api::table() {
#define PERIOD "/v1/companies/{company}/periods/{period}"
  static constexpr Route kTable[] = {
      {"GET", "/healthz", &Api::health, true},
      {"GET", "/metrics", &Api::metrics_page, true},
      {"GET", "/openapi.json", &Api::openapi, true},
      {"GET", "/v1/session", &Api::session},
      {"POST", "/v1/session", &Api::sign_in, true, Takes::json},
      {"DELETE", "/v1/session", &Api::sign_out},
      {"GET", "/v1/outage", &Api::outage},
      {"POST", "/v1/outage", &Api::begin_outage},
      {"DELETE", "/v1/outage", &Api::end_outage},
      {"GET", "/v1/companies", &Api::companies},
      {"GET", "/v1/companies/{company}/periods", &Api::periods},
      {"GET", "/v1/companies/{company}/flow", &Api::flows},
      {"GET", "/v1/companies/{company}/flow.csv", &Api::flow_csv},
      {"GET", "/v1/companies/{company}/flow.ics", &Api::flow_ics},
      {"GET", PERIOD, &Api::period},
      {"POST", PERIOD "/import", &Api::import_file, false, Takes::file},
      {"POST", PERIOD "/import/odoo", &Api::import_odoo},
      {"GET", PERIOD "/inputs", &Api::get_inputs},
      {"PUT", PERIOD "/inputs", &Api::put_inputs, false, Takes::inputs},
      {"POST", PERIOD "/compute", &Api::compute},
      {"POST", PERIOD "/validate", &Api::validate},
      {"GET", PERIOD "/returns", &Api::returns},
      {"GET", PERIOD "/returns/{version}", &Api::one_return},
      {"POST", PERIOD "/returns/{version}/sent", &Api::sent},
      {"POST", PERIOD "/returns/{version}/paid", &Api::paid},
      {"GET", PERIOD "/returns/{version}/differences", &Api::differences},
      {"POST", PERIOD "/returns/{version}/ready", &Api::ready},
      {"DELETE", PERIOD "/returns/{version}/ready", &Api::not_ready},
      {"POST", PERIOD "/rectify", &Api::rectify},
      {"GET", PERIOD "/form", &Api::form},
      {"GET", PERIOD "/form/{code}", &Api::box},
      {"GET", PERIOD "/documents", &Api::documents},
      {"GET", PERIOD "/findings", &Api::findings},
      {"POST", PERIOD "/reconcile", &Api::reconcile},
      {"GET", PERIOD "/reconcile", &Api::reconciliation},
      {"GET", PERIOD "/reconcile.csv", &Api::reconciliation_csv},
      {"POST", PERIOD "/reconcile/notes", &Api::reconcile_notes},
      {"GET", PERIOD "/flow", &Api::flow},
      {"POST", PERIOD "/flow/plan", &Api::plan_flow},
      {"POST", PERIOD "/flow/defer", &Api::defer_flow},
      {"POST", PERIOD "/flow/pay", &Api::pay_flow},
      {"GET", PERIOD "/export", &Api::export_return},
      {"GET", PERIOD "/sheet", &Api::sheet},
  };
#undef PERIOD
  return kTable;
}

std::vector<Api::RouteName> Api::routes() {
  std::vector<RouteName> names;
  for (const Route& route : table()) names.push_back({route.method, route.path, route.is_open});
  return names;
}

Api::Api(TaxService& service, std::vector<ApiKey> keys, ApiAccess access)
    : service_(service),
      keys_(std::move(keys)),
      access_(std::move(access)),
      csrf_secret_(new_api_key()) {}

// ---- finding the route --------------------------------------------------------------------------

struct Api::Found {
  const Route* route = nullptr;
  bool path_is_known = false;
  bool parts_are_good = true;  // company, period and version can be read
  Call call;
};

namespace {

std::string_view take_segment(std::string_view& path) {
  path.remove_prefix(1);  // the slash
  const size_t end = std::min(path.find('/'), path.size());
  const std::string_view segment = path.substr(0, end);
  path.remove_prefix(end);
  return segment;
}

// Versions and codes of boxes.
bool read_positive(std::string_view text, int& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && number > 0;
}

// Fills the call from what stands at the pattern's names. False: another path.
bool match(std::string_view pattern, std::string_view path, Call& call, bool& good) {
  good = true;
  while (!pattern.empty() && !path.empty()) {
    const std::string_view name = take_segment(pattern);
    const std::string_view value = take_segment(path);
    if (name == "{company}") {
      call.company = parse_rut(value).value_or(Rut());
      good = good && !call.company.is_empty();
    } else if (name == "{period}") {
      const auto period = Period::parse(value);
      call.period = period.value_or(Period());
      good = good && period.has_value();
    } else if (name == "{version}") {
      good = good && read_positive(value, call.version);
    } else if (name == "{code}") {
      good = good && read_positive(value, call.code);
    } else if (name != value) {
      return false;
    }
  }
  return pattern.empty() && path.empty();
}

}  // namespace

Api::Found Api::find(const HttpRequest& request) const {
  Found found{nullptr, false, true, {request, {}, {}, 0, 0, {}, {}, {}, {}}};
  if (!request.path.starts_with('/')) return found;
  std::string_view method = request.method;
  if (method == "HEAD") method = "GET";
  for (const Route& route : table()) {
    bool good = true;
    if (!match(route.path, request.path, found.call, good)) continue;
    found.path_is_known = true;
    if (route.method != method) continue;
    found.route = &route;
    found.parts_are_good = good;
    identify(found.call);
    break;
  }
  return found;
}

std::string Api::key_of(const HttpRequest& request) const {
  constexpr std::string_view kBearer = "Bearer ";
  if (!request.api_key.empty()) return request.api_key;
  if (!request.authorization.starts_with(kBearer)) return {};
  return request.authorization.substr(kBearer.size());
}

// A key wins over a cookie, and a cookie over what a front proxy says.
void Api::identify(Call& call) const {
  const HttpRequest& request = call.request;
  const std::string key = key_of(request);
  if (!key.empty()) {
    call.actor = user_of(key, keys_);
    call.by = "key";
    return;
  }
  const std::string token = cookie_of(request.cookie, kSessionCookie);
  const auto session =
      token.empty() ? std::nullopt : sessions_.find(token, base::SystemClock().wall());
  if (session) {
    call.actor = session->user;
    call.by = "session";
    call.csrf = session->csrf;
    call.expires = session->expires;
    return;
  }
  const auto& from = access_.proxies;
  const bool is_believed = std::find(from.begin(), from.end(), request.peer) != from.end();
  constexpr size_t kNameMost = 64;
  const std::string& user = request.remote_user;
  if (!is_believed || user.empty() || user.size() > kNameMost) return;
  call.actor = user;
  call.by = "proxy";
  call.csrf = base::sha256_hex(csrf_secret_ + user);
}

// ---- HttpHandler --------------------------------------------------------------------------------

std::optional<HttpResponse> Api::begin(const HttpRequest& request) {
  const Found found = find(request);
  if (!found.path_is_known) return error_response({404, "no_such_path", "there is nothing", {}});
  if (found.route == nullptr) {
    return error_response({405, "no_such_method", "this path has other methods", {}});
  }
  if (!found.route->is_open && found.call.actor.empty()) {
    HttpResponse response = error_response(
        {401, "unauthorized", "a valid key is needed: Authorization: Bearer KEY", {}});
    response.fields["WWW-Authenticate"] = "Bearer";
    return response;
  }
  // A browser sends cookies, and goes through a front proxy, for whatever page asks it to.
  const bool changes = request.method != "GET" && request.method != "HEAD";
  if (changes && !found.route->is_open && !found.call.csrf.empty() &&
      !base::equal_in_constant_time(request.csrf, found.call.csrf)) {
    return error_response({403, "csrf", "X-CSRF-Token must be that of GET /v1/session", {}});
  }
  if (!found.parts_are_good) {
    return error_response({404, "not_found", "no such company, period or version", {}});
  }
  const std::string& type = request.content_type;
  const bool is_json = type == "application/json";
  const bool fits = found.route->takes == Takes::nothing ? true
                    : found.route->takes == Takes::json  ? is_json
                    : found.route->takes == Takes::file
                        ? is_json || type == "text/csv" || type == "application/octet-stream"
                        : is_json || type == "application/yaml";
  if (!fits) return error_response({415, "wrong_type", "another Content-Type is needed", {}});
  return std::nullopt;
}

HttpResponse Api::answer(const HttpRequest& request) {
  const Found found = find(request);
  if (found.route == nullptr) return refuse(404);
  return (this->*found.route->answer)(found.call);
}

HttpResponse Api::refuse(int status) {
  switch (status) {
    case 404:
      return error_response({404, "no_such_path", "there is nothing", {}});
    case 408:
      return error_response({408, "too_slow", "the request did not come in time", {}});
    case 413:
      return error_response({413, "too_large", "the body is above the limit", {}});
    case 414:
      return error_response({414, "path_too_long", "the path is above the limit", {}});
    case 415:
      return error_response({415, "wrong_type", "another Content-Type is needed", {}});
    case 431:
      return error_response({431, "head_too_large", "the head is above the limit", {}});
    case 500:
      return error_response({500, "internal", "it failed; the log says more", {}});
    default:
      return error_response({400, "bad_request", "this is no request", {}});
  }
}

void Api::account(const HttpRequest&, int status) {
  const auto known = std::find(kCodes.begin(), kCodes.end(), status);
  ++answered_[static_cast<size_t>(known - kCodes.begin())];
}

}  // namespace f29

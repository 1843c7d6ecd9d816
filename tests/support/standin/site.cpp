#include "tests/support/standin/site.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>

namespace standin {
namespace {

constexpr std::string_view kHtml = "text/html; charset=utf-8";
constexpr std::string_view kJson = "application/json; charset=utf-8";
constexpr int64_t kJsonBodyMax = 128 * 1024 * 1024;
constexpr size_t kLoginBytes = 4'624;
constexpr size_t kHomeBytes = 4'115;
constexpr size_t kMissingBytes = 6'300;
constexpr size_t kPictureBytes = 2'901;

uint64_t fnv(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (char c : text) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3;
  return hash;
}

std::string hex(uint64_t value) {
  std::array<char, 17> text{};
  snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(value));
  return text.data();
}

std::string field(std::string_view name, std::string_view value) {
  std::string line(name);
  return line.append(": ").append(value).append("\r\n");
}

Answer text_answer(int status, std::string_view type, std::string body) {
  Answer answer;
  answer.status = status;
  answer.fields = field("Content-Type", type);
  answer.body = std::move(body);
  return answer;
}

bool is_under(std::string_view path, std::string_view prefix) {
  return path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
}

bool is_json_route(std::string_view path) {
  return path == "/jsonrpc" || is_under(path, "/web/dataset") || is_under(path, "/web/session");
}

// The member "id" of a JSON-RPC call, as text, or null. Good enough for calls of the usual shape.
std::string rpc_id(std::string_view body) {
  size_t at = body.find("\"id\"");
  if (at == std::string_view::npos) return "null";
  at = body.find_first_not_of(" \t\r\n:", at + 4);
  if (at == std::string_view::npos) return "null";
  const std::string_view rest = body.substr(at);
  const size_t end = rest[0] == '"' ? rest.find('"', 1) + 1 : rest.find_first_of(",} \r\n");
  return end == 0 || end == std::string_view::npos ? "null" : std::string(rest.substr(0, end));
}

std::string rpc_error(const std::string& id, std::string_view name, std::string_view message) {
  std::string text = R"({"jsonrpc": "2.0", "id": )" + id;
  text.append(R"(, "error": {"code": 200, "message": "Odoo Server Error", "data": {"name": )");
  text.append(json_text(name)).append(R"(, "debug": "", "message": )").append(json_text(message));
  return text.append(R"(, "arguments": [)")
      .append(json_text(message))
      .append(R"(], "context": {}}}})");
}

std::string padded(std::string text, size_t bytes) {
  constexpr std::string_view kLine = "/* abcdefghijklmnopqrstuvwxyz 0123456789 */\n";
  text.reserve(bytes);
  while (text.size() < bytes) text.append(kLine.substr(0, bytes - text.size()));
  return text;
}

bool is_known_method(std::string_view method) {
  for (std::string_view known : {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"}) {
    if (method == known) return true;
  }
  return false;
}

}  // namespace

Site::Site(const Options& options, Settings& settings)
    : options_(options), settings_(settings), random_at_(options.seed) {
  asset_hash_ = hex(fnv(options.version)).substr(0, 7);
  const auto bytes = static_cast<size_t>(options.asset_bytes);
  script_ = padded("/* script " + options.version + " */\n", bytes);
  style_ = padded("/* style " + options.version + " */\n", bytes * 23 / 100);
  picture_ = padded("\x89PNG\r\n\x1a\n", kPictureBytes);
  if (options.nonce_log.empty()) return;
  nonce_log_ = open(options.nonce_log.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  if (nonce_log_ < 0) {
    perror(options.nonce_log.c_str());
    exit(1);
  }
}

Site::~Site() {
  if (nonce_log_ >= 0) close(nonce_log_);
}

uint64_t Site::random() {
  uint64_t value = random_at_.fetch_add(0x9E3779B97F4A7C15u) + 0x9E3779B97F4A7C15u;
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9u;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EBu;
  return value ^ (value >> 31);
}

void Site::log_nonce(const Request& request) {
  if (nonce_log_ < 0) return;
  std::string nonce(request.header("X-Nonce").value_or(""));
  if (nonce.empty()) nonce = request.parameter("n");
  if (nonce.empty()) return;
  std::string line = nonce;
  for (std::string_view word :
       {std::string_view(request.method), std::string_view(request.target),
        std::string_view(options_.color), std::string_view(options_.version)}) {
    line.append(" ").append(word);
  }
  line.push_back('\n');
  if (write(nonce_log_, line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
    perror(options_.nonce_log.c_str());
    exit(1);  // a log with holes would prove nothing
  }
}

std::string Site::new_session_cookie() {
  const std::string id = (hex(random()) + hex(random()) + hex(random())).substr(0, 40);
  const time_t year_on = time(nullptr) + 365 * 86'400;
  tm parts{};
  gmtime_r(&year_on, &parts);
  std::array<char, 40> expires{};
  strftime(expires.data(), expires.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  return field("Set-Cookie", "session_id=" + id + "; Expires=" + expires.data() +
                                 "; Max-Age=604800; HttpOnly; Path=/");
}

void Site::add_session(const Request& request, bool always, Answer& answer) {
  const std::string_view cookies = request.header("Cookie").value_or("");
  const bool has_session = cookies.find("session_id=") != std::string_view::npos;
  if (always || !has_session) answer.fields += new_session_cookie();
}

Answer Site::refusal(int status) {
  return text_answer(status, kHtml, "<!doctype html><title>" + std::to_string(status) + "</title>");
}

bool Site::is_too_long(const Request& request, const BodyReader& body) {
  return is_json_route(request.path) && body.declared() > kJsonBodyMax;
}

Answer Site::too_long() {
  return text_answer(200, kJson,
                     rpc_error("null", "werkzeug.exceptions.RequestEntityTooLarge", "too large"));
}

Answer Site::disconnected(const Request& request) {
  if (!is_json_route(request.path)) return refusal(400);
  return text_answer(
      200, kJson, rpc_error("null", "werkzeug.exceptions.ClientDisconnected", "400 Bad Request"));
}

Answer Site::answer(const Request& request, const BodyReader& body, Side side) {
  stats_.requests.fetch_add(1, std::memory_order_relaxed);
  if (body.state() != BodyReader::State::done) return disconnected(request);
  log_nonce(request);
  Answer answer = executed(request, body, side);
  answer.fields += name_fields();
  return answer;
}

std::string Site::name_fields() const {
  return field("X-Standin-Color", options_.color) + field("X-Standin-Version", options_.version);
}

Answer Site::executed(const Request& request, const BodyReader& body, Side side) {
  if (!request.header("Host")) return refusal(500);
  if (request.path == "/web/health") return health(settings_.health);
  if (request.path == "/websocket/health") return health(settings_.websocket_health);
  if (request.path == "/echo") return echo(request, body);
  if (!is_known_method(request.method)) return refusal(400);
  if (request.path.find("%00") != std::string::npos) return refusal(500);
  if (is_under(request.path, "/web/assets")) return asset(request);
  if (request.path.find("/static/") != std::string::npos ||
      is_under(request.path, "/web/content") || is_under(request.path, "/web/image")) {
    Answer answer = file(request, picture_, "image/png", "public, max-age=604800");
    answer.fields = field("Date", http_date()) + answer.fields;
    return answer;
  }
  Answer answer = dynamic(request, body, side);
  const int64_t jitter = settings_.jitter_ms;
  answer.delay_ms += settings_.latency_ms;
  if (jitter > 0) answer.delay_ms += static_cast<int64_t>(random() % static_cast<uint64_t>(jitter));
  if (draw() < settings_.slow_rate) answer.delay_ms += settings_.slow_ms;
  return answer;
}

Answer Site::dynamic(const Request& request, const BodyReader& body, Side side) {
  const std::string& path = request.path;
  if (draw() < settings_.error_rate) return refusal(500);
  if (request.method == "OPTIONS") return text_answer(200, kHtml, "");
  if (path == "/jsonrpc" || is_under(path, "/web/dataset")) return rpc(request, body);
  if (is_under(path, "/web/session")) {
    Answer answer = rpc(request, body);
    if (answer.status == 200) add_session(request, true, answer);
    return answer;
  }
  if (path == "/web/login") return login(request, body);
  if (path == "/" || (path == "/web" && !request.header("Cookie"))) {
    Answer answer = text_answer(303, kHtml, "<!doctype html><title>Redirecting</title>");
    answer.fields += field("Location", path == "/" ? "/web" : "/web/login");
    add_session(request, false, answer);
    return answer;
  }
  if (is_under(path, "/xmlrpc")) {
    return text_answer(200, "text/xml; charset=utf-8",
                       padded("<?xml version='1.0'?><methodResponse/>\n", 651));
  }
  Answer answer;
  if (path == "/web") {
    answer = page(kHomeBytes, "home");
  } else if (path == "/nonce") {
    answer = text_answer(200, "text/plain; charset=utf-8", request.parameter("n") + "\n");
  } else if (path == "/bytes") {
    const int64_t bytes = std::min<int64_t>(request.number("size", 1'024), 1 << 30);
    return text_answer(200, "text/plain; charset=utf-8",
                       std::string(static_cast<size_t>(std::max<int64_t>(bytes, 0)), 'x'));
  } else if (is_under(path, "/web/report") || is_under(path, "/report")) {
    answer = text_answer(200, "application/pdf", "%PDF-1.4 " + options_.version + "\n");
    answer.delay_ms = request.number("ms", 150);
  } else if (path == "/events" || (side == Side::websocket && is_under(path, "/longpolling"))) {
    answer = text_answer(200, "text/event-stream; charset=utf-8", "");
    answer.events = static_cast<int>(request.number("count", 3));
    answer.event_ms = request.number("ms", 100);
    if (path == "/events") return answer;
    answer = text_answer(200, kJson, R"({"jsonrpc": "2.0", "id": null, "result": []})");
    answer.delay_ms = request.number("ms", 1'000);
  } else if (path == "/websocket") {
    return refusal(side == Side::http ? 500 : 400);
  } else {
    answer = page(kMissingBytes, "404 not found");
    answer.status = 404;
  }
  add_session(request, false, answer);
  return answer;
}

Answer Site::health(const std::atomic<Settings::Page>& page) const {
  if (page == Settings::Page::fail) return refusal(500);
  Answer answer = text_answer(200, kJson, R"({"status": "pass"})");
  answer.fields += field("Cache-Control", "no-store");
  if (page == Settings::Page::hang) answer.hangs = &page;
  return answer;
}

Answer Site::asset(const Request& request) const {
  std::string_view rest = std::string_view(request.path).substr(11);  // past "/web/assets"
  if (!rest.empty()) rest.remove_prefix(1);
  const std::string_view hash = rest.substr(0, rest.find('/'));
  const std::string_view name = rest.substr(std::min(rest.size(), hash.size() + 1));
  const int miss = settings_.asset_miss;
  if (name.empty() || (hash != asset_hash_ && miss == 404)) return refusal(404);
  if (hash != asset_hash_ && miss == 303) {
    Answer answer = text_answer(303, kHtml, "<!doctype html><title>Redirecting</title>");
    answer.fields += field("Location", "/web/assets/" + asset_hash_ + "/" + std::string(name));
    return answer;
  }
  const bool is_style = name.ends_with(".css");
  return file(request, is_style ? style_ : script_,
              is_style ? "text/css; charset=utf-8" : "application/javascript; charset=utf-8",
              "public, max-age=31536000, immutable");
}

// A file of ours, whole, in part (Range) or not at all (If-None-Match).
Answer Site::file(const Request& request, std::string_view content, std::string_view type,
                  std::string_view caching) const {
  Answer answer;
  const std::string tag = "\"" + asset_hash_ + "-" + std::to_string(content.size()) + "\"";
  answer.fields = field("Cache-Control", caching) + field("ETag", tag) +
                  field("Last-Modified", "Tue, 01 Jul 2025 00:00:00 GMT");
  if (request.header("If-None-Match").value_or("") == tag) {
    answer.status = 304;
    return answer;
  }
  answer.fields += field("Content-Type", type) + field("Accept-Ranges", "bytes");
  answer.file = content;
  std::string_view range = request.header("Range").value_or("");
  if (!range.starts_with("bytes=") || range.find(',') != std::string_view::npos) return answer;
  range.remove_prefix(6);
  size_t first = 0;
  size_t last = content.size() - 1;
  const char* end = range.data() + range.size();
  const auto start = std::from_chars(range.data(), end, first);
  if (start.ec != std::errc() || start.ptr == end || *start.ptr != '-') return answer;
  std::from_chars(start.ptr + 1, end, last);
  last = std::min(last, content.size() - 1);
  if (first > last) return refusal(416);
  answer.status = 206;
  answer.fields +=
      field("Content-Range", "bytes " + std::to_string(first) + "-" + std::to_string(last) + "/" +
                                 std::to_string(content.size()));
  answer.file = content.substr(first, last - first + 1);
  return answer;
}

Answer Site::rpc(const Request& request, const BodyReader& body) {
  if (request.method != "POST") return refusal(400);
  const std::string& text = body.beginning();
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string::npos || text[first] != '{') return refusal(400);
  const bool is_whole = static_cast<int64_t>(text.size()) == body.size();
  if (is_whole && text[text.find_last_not_of(" \t\r\n")] != '}') return refusal(400);
  if (draw() < settings_.rpc_error_rate) {
    return text_answer(200, kJson,
                       rpc_error(rpc_id(text), settings_.rpc_error_name(), "as it was asked to"));
  }
  std::string result = R"({"jsonrpc": "2.0", "id": )" + rpc_id(text);
  result.append(R"(, "result": {"server_version": "17.0", "color": )");
  result.append(json_text(options_.color)).append(R"(, "version": )");
  Answer answer = text_answer(200, kJson, result.append(json_text(options_.version)).append("}}"));
  if (request.path == "/jsonrpc") return answer;
  if (!is_under(request.path, "/web/dataset/call_kw")) add_session(request, false, answer);
  return answer;
}

Answer Site::login(const Request& request, const BodyReader& body) {
  const Settings::Page state = settings_.page;
  if (state == Settings::Page::fail) return refusal(500);
  Answer answer;
  if (request.method == "POST") {
    if (body.beginning().find("csrf_token=") == std::string::npos) return refusal(400);
    answer = text_answer(303, kHtml, "<!doctype html><title>Redirecting</title>");
    answer.fields += field("Location", "/web");
  } else {
    answer = page(kLoginBytes, "login");
    if (state == Settings::Page::hang) answer.hangs = &settings_.page;
  }
  add_session(request, true, answer);
  // The real one repeats this line; both must reach the browser.
  answer.fields += field("Set-Cookie", "frontend_lang=es_CL; Path=/");
  answer.fields += field("Set-Cookie", "frontend_lang=es_CL; Path=/");
  return answer;
}

Answer Site::page(size_t bytes, std::string_view title) const {
  std::string html = "<!doctype html>\n<html><head><title>";
  html.append(title).append("</title>\n<meta name=\"standin\" content=\"").append(options_.color);
  html.append(" ").append(options_.version).append("\">\n<link rel=\"stylesheet\" href=\"");
  html.append("/web/assets/" + asset_hash_ + "/web.assets_web.min.css\">\n<script src=\"");
  html.append("/web/assets/" + asset_hash_ + "/web.assets_web.min.js\"></script></head>\n<!--\n");
  Answer answer = text_answer(200, kHtml, padded(std::move(html), bytes - 4) + "-->\n");
  answer.fields += field("Cache-Control", "no-cache");
  return answer;
}

Answer Site::echo(const Request& request, const BodyReader& body) const {
  std::string text = R"({"method": )" + json_text(request.method);
  text.append(R"(, "target": )").append(json_text(request.target));
  text.append(R"(, "version": )").append(json_text(request.version)).append(R"(, "headers": [)");
  for (size_t i = 0; i < request.headers.size(); ++i) {
    text.append(i == 0 ? "[" : ", [").append(json_text(request.headers[i].first));
    text.append(", ").append(json_text(request.headers[i].second)).append("]");
  }
  text.append(R"(], "body_bytes": )").append(std::to_string(body.size()));
  text.append(R"(, "body_fnv": ")").append(hex(body.hash())).append(R"(", "color": )");
  text.append(json_text(options_.color)).append(R"(, "standin": )");
  return text_answer(200, kJson, text.append(json_text(options_.version)).append("}\n"));
}

std::string Site::stats_json() const {
  const auto member = [](const char* name, int64_t value) {
    return std::string("\"") + name + "\": " + std::to_string(value);
  };
  return "{" + member("http_accepted", stats_.http_accepted) + ", " +
         member("http_open", stats_.http_open) + ", " +
         member("connections_peak", stats_.connections_peak) + ", " +
         member("requests", stats_.requests) + ", " + member("truncated", stats_.truncated) + ", " +
         member("websockets_open", stats_.websockets_open) + ", " +
         member("websockets_opened", stats_.websockets_opened) + "}\n";
}

}  // namespace standin

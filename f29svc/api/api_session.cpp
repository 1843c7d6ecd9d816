// Signing in at the page: a key for a cookie.
#include <ctime>
#include <sstream>

#include "f29svc/api/asked.h"
#include "f29svc/domain/json_value.h"
#include "f29svc/exports/json_writer.h"

namespace f29 {

namespace {

std::string time_text(base::WallTime time) {
  if (time == base::WallTime{}) return {};
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

std::string session_json(const std::string& user, const std::string& by, const std::string& csrf,
                         base::WallTime expires) {
  std::ostringstream out;
  JsonWriter writer(out);
  writer.open('{');
  writer.member("user", user);
  writer.member("by", by);
  writer.member("csrf", csrf);
  writer.member("expires_at", time_text(expires));
  writer.close('}');
  out << '\n';
  return std::move(out).str();
}

}  // namespace

HttpResponse Api::session(const Call& call) {
  return json(session_json(call.actor, call.by, call.csrf, call.expires));
}

HttpResponse Api::sign_in(const Call& call) {
  constexpr size_t kBodyMost = 4096;
  if (call.request.body.size() > kBodyMost) return refuse(413);
  const auto body = parse_json(call.request.body, 16);
  if (!body || (*body)["key"].string().empty()) {
    return error_response({422, "bad_body", "{\"key\": \"…\"} is needed", {}});
  }
  const std::string user = user_of((*body)["key"].string(), keys_);
  if (user.empty()) return error_response({401, "unauthorized", "this is no valid key", {}});
  const base::WallTime now = base::SystemClock().wall();
  const std::string token = sessions_.open(user, now);
  const auto session = sessions_.find(token, now);
  if (!session) return refuse(500);
  HttpResponse response = json(session_json(user, "session", session->csrf, session->expires));
  const auto life = std::chrono::seconds(Sessions::kLife).count();
  response.fields["Set-Cookie"] =
      std::string(kSessionCookie) + "=" + token +
      "; Path=/; HttpOnly; SameSite=Strict; Max-Age=" + std::to_string(life) +
      (access_.secure_cookie ? "; Secure" : "");
  return response;
}

HttpResponse Api::sign_out(const Call& call) {
  const std::string token = cookie_of(call.request.cookie, kSessionCookie);
  const bool had_one = call.by == "session";
  if (had_one) sessions_.close(token);
  HttpResponse response =
      json(std::string("{\"signed_out\":") + (had_one ? "true" : "false") + "}\n");
  response.fields["Set-Cookie"] =
      std::string(kSessionCookie) + "=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0";
  return response;
}

}  // namespace f29

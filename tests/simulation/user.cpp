#include "tests/simulation/user.h"

#include "tests/simulation/pattern.h"
#include "tests/simulation/user_talk.h"

namespace simulation {

User::User(World& world, SimLoop& outside, Ledger& ledger, const Scenario& scenario,
           const base::Address& proxy, int number)
    : world_(world),
      outside_(outside),
      ledger_(ledger),
      scenario_(scenario),
      proxy_(proxy),
      own_(*base::parse_address((scenario.trusted ? "127.0.0." : "10.9.0.") +
                                std::to_string(number + 1) + ":4000")),
      left_(scenario.requests_each) {
  if (world.random.percent(40)) session_ = "s" + std::to_string(world.random.below(4));
}

User::~User() = default;

void User::start() {
  outside_.after(world_.some(scenario_.active), [this] { open(); });
}

void User::give_up() {
  left_ = 0;
  for (auto& talk : talks_) talk->no_more();
}

void User::close_all() {
  for (auto& talk : talks_) talk->close();
}

bool User::is_waiting() const { return !talks_.empty() && talks_.back()->waits_for_answer(); }

void User::open() {
  if (left_ <= 0) {
    done_ = true;
    return;
  }
  auto stream = dial(outside_, proxy_, own_);
  if (stream == nullptr) {  // nobody listens any more
    if (++refusals_ > 3) {
      done_ = true;
      return;
    }
    outside_.after(std::chrono::milliseconds(200), [this] { open(); });
    return;
  }
  talks_.push_back(std::make_unique<UserTalk>(*this, std::move(stream),
                                              static_cast<int>(world_.random.between(1, left_))));
  talks_.back()->start();
}

void User::on_talk_over() {
  outside_.after(world_.some(std::chrono::milliseconds(500)), [this] { open(); });
}

void User::fill(Request& request) {
  Random& random = world_.random;
  const auto roll = static_cast<int>(random.below(100));
  if (roll < scenario_.websocket_percent) {
    request.way = Way::websocket;
  } else if (roll < scenario_.websocket_percent + scenario_.stream_percent) {
    request.way = random.percent(60) ? Way::stream : Way::poll;
  } else if (random.percent(6)) {
    constexpr Way kOthers[] = {Way::assets,  Way::assets,   Way::denied, Way::health,
                               Way::unknown, Way::nonsense, Way::pinned};
    request.way = kOthers[random.below(scenario_.gentle ? 6 : 7)];
  }
  request.upgrade = request.way == Way::websocket && random.percent(90);
  constexpr const char* kMethods[] = {"GET", "GET", "GET", "POST", "POST", "PUT", "HEAD", "DELETE"};
  request.method = kMethods[random.below(8)];
  const bool plain = request.way == Way::health || request.way == Way::nonsense;
  if (request.upgrade || plain) request.method = "GET";
  request.minor = !request.upgrade && random.percent(8) ? 0 : 1;
  const bool may_have_body = request.method == "POST" || request.method == "PUT";
  request.has_body = may_have_body ||
                     (!request.upgrade && request.method != "HEAD" && !plain && random.percent(5));
  if (request.has_body) {
    request.chunked = request.minor == 1 && random.percent(40);
    request.expects = request.minor == 1 && random.percent(20);
    request.body_length = random.skewed(scenario_.body_max);
    if (random.percent(scenario_.large_percent)) {
      request.body_length = random.below(scenario_.body_large);
    }
  }
  request.keep_alive = random.percent(90);
}

std::string User::compose(Request& request) {
  Random& random = world_.random;
  fill(request);
  std::string text = request.method + " " + path_of(request.way, request.id) + " HTTP/1." +
                     std::to_string(request.minor) +
                     "\r\nHost: odoo.example\r\nX-Sim: " + std::to_string(request.id) + "\r\n";
  std::string cookies;
  if (!cookie_.empty() && random.percent(95)) {
    cookies = "color=" + cookie_;
    request.cookie_color = cookie_color_;
    request.cookie_home = cookie_home_;
    request.cookie_epoch = cookie_epoch_;
  }
  if (!session_.empty()) {
    cookies += cookies.empty() ? "" : "; ";
    cookies += "session_id=" + session_;
    request.had_session = true;
  }
  if (!cookies.empty()) text += "Cookie: " + cookies + "\r\n";
  if (random.percent(30)) text += "Sec-Fetch-Mode: navigate\r\n";
  if (scenario_.trusted && !scenario_.proxied) {
    text += "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\n";
    if (random.percent(50)) {
      request.request_id = "id-" + std::to_string(request.id);
      text += "X-Request-Id: " + request.request_id + "\r\n";
    }
  }
  if (request.upgrade) {
    text +=
        "Connection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";
  } else if (!request.keep_alive && request.minor == 1) {
    text += "Connection: close\r\n";
  }
  if (request.minor == 0) request.keep_alive = false;
  if (request.way == Way::nonsense) {
    constexpr const char* kFaults[] = {"Bad Name: x\r\n", "Content-Length: x\r\n", " folded\r\n",
                                       "Transfer-Encoding: gzip\r\n", "Host: twice\r\n"};
    text += kFaults[random.below(5)];
    request.keep_alive = false;
  }
  if (request.expects) text += "Expect: 100-continue\r\n";
  if (request.upgrade && random.percent(15)) {  // a first word, ahead of the 101
    return text + "\r\n" + make_frame(world_, request, true, 2, random.skewed(300));
  }
  if (!request.has_body) return text + "\r\n";
  if (!request.chunked) {
    text += "Content-Length: " + std::to_string(request.body_length) + "\r\n\r\n";
    append_pattern(request.id, Salt::request, 0, static_cast<size_t>(request.body_length), text);
    return text;
  }
  text += "Transfer-Encoding: chunked\r\n\r\n";
  for (uint64_t at = 0; at < request.body_length;) {
    const size_t most = static_cast<size_t>(request.body_length - at);
    const size_t piece = std::min(most, random.size_between(1, 1 + random.skewed(20'000)));
    char line[24];
    const int size =
        std::snprintf(line, sizeof line, random.percent(50) ? "%zx\r\n" : "%zX;a=b\r\n", piece);
    text.append(line, static_cast<size_t>(size));
    append_pattern(request.id, Salt::request, at, piece, text);
    text += "\r\n";
    at += piece;
  }
  return text + (random.percent(20) ? "0\r\nX-Trailer: t\r\n\r\n" : "0\r\n\r\n");
}

// "color=1.COLOR.NONCE.TIME.EPOCH.HOME.MAC; Path=/…"
void User::take_cookie(const std::string& field) {
  if (!field.starts_with("color=1.")) return;
  cookie_ = field.substr(6, field.find(';') - 6);
  std::vector<std::string> parts;
  for (size_t at = 0; at <= cookie_.size();) {
    const size_t dot = std::min(cookie_.find('.', at), cookie_.size());
    parts.push_back(cookie_.substr(at, dot - at));
    at = dot + 1;
  }
  if (parts.size() != 7) world_.fail("a cookie of %zu parts", parts.size());
  const auto color_of = [](const std::string& name) {
    return name == "blue" ? 0 : name == "green" ? 1 : -1;
  };
  cookie_color_ = color_of(parts[1]);
  cookie_epoch_ = std::stoull(parts[4], nullptr, 16);
  cookie_home_ = color_of(parts[5]);
}

}  // namespace simulation

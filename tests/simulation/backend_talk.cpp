#include "tests/simulation/backend_talk.h"

#include <algorithm>
#include <charconv>

namespace simulation {
namespace {

constexpr std::string_view kSwitched =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

// The number behind the last "/r" of a target, 0: none.
uint32_t id_of(const std::string& target) {
  const size_t at = target.rfind("/r");
  uint32_t id = 0;
  if (at == std::string::npos) return 0;
  const char* end = target.data() + target.size();
  const auto [rest, error] = std::from_chars(target.data() + at + 2, end, id);
  return error == std::errc() && (rest == end || *rest == '?') ? id : 0;
}

}  // namespace

BackendTalk::BackendTalk(Backend& backend, std::unique_ptr<SimStream> stream, bool is_worker)
    : backend_(backend), world_(backend.world_), stream_(std::move(stream)), is_worker_(is_worker) {
  reader_.begin(false, false);
  Random& random = world_.random;
  const bool never = backend_.scenario_.backend_faults && random.percent(2);  // accepts nothing
  if (never) return;
  backend_.outside_.after(world_.some(std::chrono::milliseconds(5)), [this] {
    if (stream_ == nullptr) return;
    if (backend_.scenario_.backend_faults && world_.random.percent(2)) {
      stream_->reset_on_close();
      stream_.reset();
      return;
    }
    stream_->set_handler(this);
    stream_->resume_reading();
  });
}

BackendTalk::~BackendTalk() = default;

void BackendTalk::close() {
  if (tunnel_ != nullptr) tunnel_->stop();
  steps_.clear();
  stream_.reset();
}

bool BackendTalk::is_held() const {
  if (stream_ == nullptr || request_ == nullptr || !said_all_ || !is_framed_) return false;
  const Attempt& attempt = request_->attempts[attempt_];
  const bool buffered = request_->way == Way::web || request_->way == Way::assets;
  return buffered && attempt.request_whole && !attempt.truncated && attempt.status != 0 &&
         stream_->read_by_peer() >= said_bytes_ && !stream_->peer_is_gone();
}

int64_t BackendTalk::kept_by_proxy() const {
  if (stream_ == nullptr || request_ == nullptr || tunnel_ != nullptr || answers_ > 0) return 0;
  if (request_->closed || request_->aborted) return 0;  // read on, and thrown away
  return static_cast<int64_t>(stream_->read_by_peer()) - static_cast<int64_t>(request_->received);
}

bool BackendTalk::begins_anew(uint64_t bytes_read_before) {
  if (tunnel_ != nullptr || answers_ == 0 || !said_all_ || !is_framed_) return false;
  if (bytes_read_before < said_bytes_) return false;
  if (request_ != nullptr && (attempt().truncated || !attempt().request_whole)) return false;
  said_all_ = false;
  return true;
}

void BackendTalk::on_bytes(std::string_view bytes) {
  if (discards_) return;
  while (!bytes.empty()) {
    if (tunnel_ != nullptr) return tunnel_->on_bytes(bytes);
    if (reader_.is_done()) {
      if (request_ != nullptr && request_->upgrade) {  // ahead of our 101
        early_ += bytes;
        return;
      }
      world_.fail("backend %d:%d, connection %llx: bytes behind r%u: %.200s", backend_.color_,
                  backend_.at_.port, static_cast<unsigned long long>(stream_->id()),
                  request_ == nullptr ? 0 : request_->id, std::string(bytes).c_str());
    }
    const bool had_head = reader_.head_done();
    std::string content;
    const size_t used = reader_.feed(bytes, content);
    bytes.remove_prefix(used);
    if (reader_.fault() != nullptr) world_.fail("backend got %s", reader_.fault());
    if (!had_head && reader_.head_done()) take_head();
    if (!content.empty()) take_content(content);
    if (reader_.is_done()) take_end();
    if (stream_ == nullptr) return;
  }
}

void BackendTalk::take_head() {
  const Head& head = reader_.head();
  const std::string* connection = head.find("Connection");
  peer_keeps_ = connection == nullptr;
  content_ = 0;
  planned_ = false;
  if (!is_worker_) return;
  const uint32_t id = id_of(head.target);
  request_ = backend_.ledger_.find(id);
  if (request_ == nullptr) world_.fail("backend got %s, which nobody sent", head.target.c_str());
  Request& request = *request_;
  attempt_ = request.attempts.size();
  Attempt attempt;
  attempt.color = backend_.color_;
  attempt.http_port = backend_.http_port_;
  attempt.pipe = stream_->pipe();
  attempt.read_before = stream_->read_by_peer();
  attempt.at = world_.now();
  request.attempts.push_back(attempt);
  world_.trace("backend %d:%d gets r%u on connection %llx", backend_.color_, backend_.at_.port, id,
               static_cast<unsigned long long>(stream_->id()));
  check_head(head);
  if (backend_.ledger_.on_attempt) backend_.ledger_.on_attempt(request, this->attempt());
}

void BackendTalk::check_head(const Head& head) {
  const Request& request = *request_;
  if (request.attempts.size() > 1) {
    const Attempt& before = request.attempts[request.attempts.size() - 2];
    const bool safe = request.method == "GET" || request.method == "HEAD";
    const bool asked_again = backend_.scenario_.retry_safe && safe &&
                             request.attempts.size() == 2 &&
                             before.pipe->from[1].taken == before.read_before;
    const bool other_bundle =
        request.way == Way::assets && safe && (before.status == 404 || before.status == 303);
    if (!asked_again && !other_bundle) world_.fail("r%u was sent twice", request.id);
  }
  if (head.method != request.method) world_.fail("r%u: became %s", request.id, head.method.c_str());
  if (!head.target.starts_with(path_of(request.way, request.id))) {
    world_.fail("r%u: target became %s", request.id, head.target.c_str());
  }
  const std::string* mark = head.find("X-Sim");
  if (mark == nullptr || *mark != std::to_string(request.id)) {
    world_.fail("r%u: came with another's fields", request.id);
  }
  for (const char* once : {"Host", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto",
                           "X-Request-Id", "Via"}) {
    if (head.count(once) != 1) world_.fail("r%u: %d times %s", request.id, head.count(once), once);
  }
  if (backend_.scenario_.proxied && *head.find("X-Forwarded-For") != "192.0.2.9") {
    world_.fail("r%u: came from %s", request.id, head.find("X-Forwarded-For")->c_str());
  }
  const bool wants_body = reader_.framing() != MessageReader::Framing::none;
  if (wants_body && !request.has_body) world_.fail("r%u: has got a body", request.id);
  if (request.has_body && !wants_body) world_.fail("r%u: has lost its body", request.id);
  const bool known = reader_.framing() == MessageReader::Framing::length;
  if (known && reader_.length() != request.body_length) {
    world_.fail("r%u: its length became %llu", request.id,
                static_cast<unsigned long long>(reader_.length()));
  }
  const bool buffered = request.way == Way::web || request.way == Way::assets;
  if (wants_body && buffered && !known) world_.fail("r%u: buffered, and no length", request.id);
  if (request.way == Way::denied) world_.fail("r%u: passed a rule that denies it", request.id);
  if (head.count("Expect") > 0) world_.fail("r%u: Expect was forwarded", request.id);
  const bool upgrades = head.count("Upgrade") > 0;
  if (upgrades != request.upgrade) world_.fail("r%u: Upgrade: %d", request.id, upgrades);
}

void BackendTalk::take_content(const std::string& content) {
  if (request_ == nullptr) return;
  if (find_wrong(request_->id, Salt::request, content_, content) != std::string::npos) {
    world_.fail("r%u: a wrong byte of its body behind %llu", request_->id,
                static_cast<unsigned long long>(content_));
  }
  content_ += content.size();
  attempt().body_bytes = content_;
  if (content_ > request_->body_length) world_.fail("r%u: its body became longer", request_->id);
  // Some do not wait for the rest of a body.
  const int chance = request_->way == Way::stream ? 15 : 4;
  if (!planned_ && backend_.scenario_.backend_faults && world_.random.percent(chance)) {
    plan_answer();
  }
}

void BackendTalk::take_end() {
  if (!is_worker_) return answer_probe();
  if (request_ == nullptr) return;
  if (content_ != request_->body_length) {
    world_.fail("r%u: a body of %llu became %llu", request_->id,
                static_cast<unsigned long long>(request_->body_length),
                static_cast<unsigned long long>(content_));
  }
  attempt().request_whole = true;
  if (!planned_) return plan_answer();
  if (said_all_ && after_ == After::keep) begin_next();
}

void BackendTalk::begin_next() {
  request_ = nullptr;
  reader_.begin(false, false);
  if (!backend_.scenario_.backend_faults || !world_.random.percent(20)) return;
  // Some say goodbye to a connection that nobody uses; it may cross the next request.
  const int answers = answers_;
  backend_.outside_.after(world_.some(std::chrono::seconds(4)), [this, answers] {
    if (stream_ == nullptr || answers != answers_ || reader_.is_begun()) return;
    discards_ = true;
    stream_->write("HTTP/1.1 408 Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    stream_->finish_writing();
  });
}

void BackendTalk::answer_probe() {
  answering_ = true;
  after_ = After::close;
  std::string text = backend_.answers_probes
                         ? "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
                         : "HTTP/1.1 503 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
  steps_.push_back({world_.some(std::chrono::milliseconds(20)), std::move(text)});
  go_on();
}

// --- the answer ------------------------------------------------------------------------------

void BackendTalk::plan_answer() {
  answering_ = planned_ = true;
  said_all_ = false;
  if (request_->upgrade && !world_.random.percent(10)) return answer_upgrade();
  bool unframed = false;
  std::string text = make_answer(unframed);
  const size_t head_size = text.find("\r\n\r\n") + 4;
  is_framed_ = !unframed;
  plan_fault(text, head_size, unframed);
  add_interims();
  cut_in_steps(text);
  world_.trace("backend %d:%d answers r%u: %d, %llu bytes%s", backend_.color_, backend_.at_.port,
               request_->id, attempt().status, static_cast<unsigned long long>(attempt().length),
               attempt().truncated ? ", not whole" : "");
  go_on();
}

// Head and body as they should be; sets what the ledger must know and what comes after.
std::string BackendTalk::make_answer(bool& unframed) {
  Random& random = world_.random;
  const Scenario& scenario = backend_.scenario_;
  Attempt& attempt = this->attempt();
  constexpr std::array<int, 12> kStatuses = {200, 200, 200, 200, 200, 200,
                                             201, 204, 304, 303, 404, 500};
  attempt.status = kStatuses[random.below(kStatuses.size())];
  size_t length = random.skewed(scenario.body_max);
  if (random.percent(scenario.large_percent)) length = random.below(scenario.body_large);
  attempt.bodiless = request_->method == "HEAD" || attempt.status == 204 || attempt.status == 304;
  const bool minor_1 = random.percent(60);
  const bool keeps = minor_1 && peer_keeps_ && random.percent(80);
  enum { by_length, by_chunks, by_close } framing = by_length;
  const auto roll = random.below(10);
  if (roll < 3 && minor_1) framing = by_chunks;
  if (roll >= 7 && !keeps) framing = by_close;
  unframed = framing == by_close;
  attempt.length = attempt.bodiless ? 0 : length;
  after_ = keeps ? After::keep : After::close;
  if (attempt.bodiless && framing == by_close) framing = by_length;

  std::string text = "HTTP/1." + std::to_string(minor_1 ? 1 : 0) + " " +
                     std::to_string(attempt.status) +
                     " X\r\nX-Sim: " + std::to_string(request_->id) + "\r\nServer: odoo\r\n";
  if (random.percent(10)) text += "Cache-Control: public, max-age=60\r\n";
  if (random.percent(5)) text += "Set-Cookie: session_id=abc\r\n";
  if (!keeps && minor_1) text += "Connection: close\r\n";
  if (keeps && random.percent(20)) text += "Connection: keep-alive\r\n";
  if (attempt.status == 204) return text + "\r\n";
  if (framing == by_length) text += "Content-Length: " + std::to_string(length) + "\r\n\r\n";
  if (framing == by_chunks) text += "Transfer-Encoding: chunked\r\n\r\n";
  if (framing == by_close) text += "\r\n";
  if (attempt.bodiless) return text;
  if (framing != by_chunks) {
    append_pattern(request_->id, Salt::answer, 0, length, text);
    return text;
  }
  for (size_t at = 0; at < length;) {
    const size_t piece = std::min(length - at, random.size_between(1, 1 + random.skewed(20'000)));
    char size[20];
    const auto end = std::to_chars(size, size + sizeof size, piece, 16);
    text.append(size, end.ptr);
    text += "\r\n";
    append_pattern(request_->id, Salt::answer, at, piece, text);
    text += "\r\n";
    at += piece;
  }
  return text + "0\r\n\r\n";
}

// Perhaps it does not go as it should.
void BackendTalk::plan_fault(std::string& text, size_t head_size, bool unframed) {
  Random& random = world_.random;
  if (!backend_.scenario_.backend_faults || !random.percent(25)) return;
  Attempt& attempt = this->attempt();
  const After some_end[] = {After::hang, After::close, After::reset};
  switch (random.below(8)) {
    case 0:  // not a word, for ever or until it leaves
      text.clear();
      attempt.status = 0;
      attempt.truncated = true;
      after_ = some_end[random.below(3)];
      return;
    case 1:
    case 2: {  // cut somewhere
      const size_t cut = random.below(text.size());
      text.resize(cut);
      attempt.truncated = true;
      after_ = some_end[random.below(3)];
      if (cut < head_size) {
        attempt.status = 0;
      } else if (unframed && after_ == After::close) {
        attempt.length = cut - head_size;  // that is all there is, and nobody can tell
        attempt.truncated = false;
      }
      return;
    }
    case 3:  // more than was asked for
      // On a connection that is kept nobody could tell it from the next answer.
      if (unframed || after_ == After::keep) return;
      text += "HTTP/1.1 200 OK\r\nX-Sim: 0\r\nContent-Length: 3\r\n\r\nbad";
      after_ = After::close;
      return;
    case 4:  // nonsense
      text = random.percent(50) ? "HTTP/1.1 abc\r\n\r\n" : "\x16\x03\x01 hello";
      attempt.status = 0;
      attempt.truncated = true;
      after_ = random.percent(50) ? After::hang : After::close;
      return;
    case 5:  // a reset right behind a whole answer
      after_ = After::reset;
      return;
    case 6:  // a switch nobody asked for
      if (request_->upgrade) return;
      text = kSwitched;
      attempt.status = 0;
      attempt.truncated = true;
      after_ = After::hang;
      return;
    default:  // it keeps the connection open although it said it would close
      if (!unframed) after_ = After::close_later;
  }
}

void BackendTalk::add_interims() {
  Random& random = world_.random;
  if (!random.percent(10)) return;
  const bool too_many = backend_.scenario_.backend_faults && random.percent(5);
  const int count = too_many ? 12 : static_cast<int>(random.between(1, 3));
  if (too_many) attempt().truncated = true;
  for (int i = 0; i < count; ++i) {
    steps_.push_back({world_.some(std::chrono::milliseconds(50)),
                      random.percent(50) ? "HTTP/1.1 103 Early Hints\r\nX-Sim: " +
                                               std::to_string(request_->id) + "\r\n\r\n"
                                         : std::string("HTTP/1.1 100 Continue\r\n\r\n")});
  }
}

void BackendTalk::cut_in_steps(const std::string& text) {
  Random& random = world_.random;
  nanoseconds wait = world_.some(nanoseconds(int64_t{1'000'000} << random.below(12)));
  const bool slow = random.percent(20);
  for (size_t at = 0; at < text.size();) {
    const size_t piece =
        slow ? std::min(text.size() - at, random.size_between(1, 1 + text.size() / 4))
             : text.size() - at;
    steps_.push_back({wait, text.substr(at, piece)});
    at += piece;
    wait = world_.some(nanoseconds(int64_t{1'000'000} << random.below(10)));
  }
  if (text.empty()) steps_.push_back({wait, {}});
}

void BackendTalk::answer_upgrade() {
  attempt().status = 101;
  attempt().upgraded = true;
  std::string text(kSwitched);
  if (world_.random.percent(30)) {  // a first word right behind it
    text += make_frame(world_, *request_, false, 2, world_.random.skewed(300));
  }
  steps_.push_back({world_.some(std::chrono::milliseconds(200)), std::move(text)});
  go_on();
}

void BackendTalk::begin_tunnel() {
  tunnel_ = std::make_unique<TunnelPeer>(world_, backend_.outside_, *request_, false, *stream_,
                                         backend_.scenario_.backend_faults, [this](bool reset) {
                                           if (stream_ == nullptr) return;
                                           if (reset) stream_->reset_on_close();
                                           // Not under its own callback's feet: the tunnel still
                                           // looks at the stream.
                                           backend_.outside_.after(nanoseconds(0),
                                                                   [this] { stream_.reset(); });
                                         });
  if (!early_.empty()) tunnel_->on_bytes(early_);
  tunnel_->start();
}

// The next step, when the one before has left.
void BackendTalk::go_on() {
  if (stream_ == nullptr || stepping_ || tunnel_ != nullptr || !answering_) return;
  if (stream_->pending() > 0) return;
  if (steps_.empty()) return finish_answer();
  stepping_ = true;
  backend_.outside_.after(steps_.front().wait, [this] {
    stepping_ = false;
    if (stream_ == nullptr || steps_.empty()) return;
    const std::string bytes = std::move(steps_.front().bytes);
    steps_.pop_front();
    said_bytes_ += bytes.size();
    stream_->write(bytes);
    go_on();
  });
}

void BackendTalk::finish_answer() {
  answering_ = false;
  said_all_ = true;
  ++answers_;
  if (request_ != nullptr && attempt().upgraded) return begin_tunnel();
  switch (after_) {
    case After::hang:
      discards_ = true;
      return;
    case After::reset:
      stream_->reset_on_close();
      stream_.reset();
      return;
    case After::keep:
      if (reader_.is_done()) return begin_next();
      // An early answer: what still comes is read first, or not at all.
      if (world_.random.percent(50)) return;
      after_ = After::close;
      return finish_answer();
    case After::close_later:
      discards_ = true;
      backend_.outside_.after(world_.some(std::chrono::seconds(20)), [this] { stream_.reset(); });
      return;
    case After::close:
      if (reader_.is_done() || world_.random.percent(50)) {
        stream_.reset();
        return;
      }
      stream_->finish_writing();  // and reads on, as a good server does, whatever it is
      discards_ = true;
      backend_.outside_.after(std::chrono::seconds(2), [this] { stream_.reset(); });
      return;
  }
}

void BackendTalk::on_end() {
  if (tunnel_ != nullptr) return tunnel_->on_end();
  if (stream_ == nullptr || discards_) return stream_.reset();
  const bool in_request = reader_.is_begun() && !reader_.is_done();
  if (in_request && request_ != nullptr && !request_->aborted && backend_.scenario_.gentle &&
      attempt().status == 0) {
    world_.fail("r%u: its body ended in the middle", request_->id);
  }
  steps_.clear();
  stream_.reset();
}

void BackendTalk::on_broken(const base::Error&) {
  if (tunnel_ != nullptr) return tunnel_->on_broken();
  steps_.clear();
  stream_.reset();
}

}  // namespace simulation

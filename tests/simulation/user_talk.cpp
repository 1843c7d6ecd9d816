#include "tests/simulation/user_talk.h"

#include <algorithm>

#include "tests/simulation/pattern.h"

namespace simulation {

using std::chrono::milliseconds;
using std::chrono::seconds;

UserTalk::UserTalk(User& user, std::unique_ptr<SimStream> stream, int requests_most)
    : user_(user), world_(user.world_), stream_(std::move(stream)), requests_left_(requests_most) {
  choose_manners();
}

UserTalk::~UserTalk() = default;

void UserTalk::choose_manners() {
  Random& random = world_.random;
  if (user_.scenario_.pipelining && random.percent(50)) depth_ = random.size_between(2, 6);
  if (random.percent(30)) {
    piece_max_ = random.size_between(1, 400);
    gap_ = nanoseconds(int64_t{1'000'000} << random.below(6));
  }
  think_ = nanoseconds(int64_t{1'000'000} << random.below(12));
  half_closes_ = random.percent(10);
  if (random.percent(15)) {
    stalls_left_ = static_cast<int>(random.between(1, 3));
    stall_for_ = nanoseconds(int64_t{1'000'000} << random.between(4, 11));
  }
  if (!user_.scenario_.client_faults || !random.percent(35)) return;
  constexpr Fault kFaults[] = {Fault::reset_after_sent, Fault::close_after_sent,
                               Fault::reset_after_got, Fault::stops_sending};
  fault_ = kFaults[random.below(4)];
  fault_at_ = random.below(3'000);
  if (fault_ == Fault::reset_after_got) half_closes_ = random.percent(30);
  if (random.percent(20)) {  // reads no more
    stalls_left_ = 1;
    stall_for_ = seconds(200);
  }
}

void UserTalk::start() {
  stream_->set_handler(this);
  stream_->resume_reading();
  reader_.begin(true, false);
  if (user_.scenario_.proxied) {
    const std::string header = "PROXY TCP4 192.0.2.9 10.0.9.9 4000 80\r\n";
    sent_ += header.size();
    stream_->write(header);
  }
  pump();
}

void UserTalk::close() {
  if (tunnel_ != nullptr) tunnel_->stop();
  over_ = true;
  close_requests();
  stream_.reset();
}

bool UserTalk::waits_for_answer() const {
  if (over_ || stream_ == nullptr || stalled_ || tunnel_ != nullptr) return false;
  return !unanswered_.empty() && unanswered_.front()->is_sent;
}

// --- sending ---------------------------------------------------------------------------------

bool UserTalk::may_begin() const {
  if (over_ || finished_ || last_announced_ || tunnel_ != nullptr) return false;
  if (requests_left_ <= 0 || user_.left_ <= 0 || unanswered_.size() >= depth_) return false;
  // Behind an upgrade or a last request nothing follows.
  return unanswered_.empty() || (!unanswered_.back()->upgrade && unanswered_.back()->keep_alive);
}

void UserTalk::pump() {
  while (stream_ != nullptr && !over_ && !finished_ && !sending_later_ && tunnel_ == nullptr) {
    if (stream_->pending() > 0) return;
    if (out_.request == nullptr) {
      if (!may_begin()) {
        const bool no_more = requests_left_ <= 0 || user_.left_ <= 0 || last_announced_;
        if (no_more && unanswered_.empty()) return end_talk();
        if (no_more && half_closes_ && !unanswered_.back()->upgrade) {
          finished_ = true;
          stream_->finish_writing();
        }
        return;
      }
      --requests_left_;
      --user_.left_;
      Request& request = user_.ledger_.add();
      out_ = {};
      out_.bytes = user_.compose(request);
      out_.head_size = out_.bytes.find("\r\n\r\n") + 4;
      out_.request = &request;
      request.begun = world_.now();
      request.stream_end = sent_ + out_.bytes.size();
      unanswered_.push_back(&request);
      expecting_ = request.expects;
      world_.trace("user begins r%u: %s %s, body %llu", request.id, request.method.c_str(),
                   path_of(request.way, request.id).c_str(),
                   static_cast<unsigned long long>(request.body_length));
    }
    if (!send_piece()) return;
  }
}

// False: something is waited for, or all is over.
bool UserTalk::send_piece() {
  if (fault_ == Fault::stops_sending && sent_ >= fault_at_) return false;
  if (last_announced_ && out_.at == 0) return false;
  size_t size = std::min(out_.bytes.size() - out_.at, piece_max_);
  if (piece_max_ != SIZE_MAX) size = world_.random.size_between(1, size);
  if (expecting_) {
    if (out_.at >= out_.head_size) {  // a while, then without being asked
      expecting_ = false;
      sending_later_ = true;
      user_.outside_.after(seconds(1), [this] {
        sending_later_ = false;
        pump();
      });
      return false;
    }
    size = std::min(size, out_.head_size - out_.at);
  }
  const std::string piece = out_.bytes.substr(out_.at, size);
  out_.at += size;
  ++world_.user_events;
  sent_ += size;
  if (out_.at == out_.bytes.size()) {
    out_.request->is_sent = true;
    out_.request->sent = world_.now();
    out_.request = nullptr;
  }
  stream_->write(piece);
  const bool by_sent = fault_ == Fault::reset_after_sent || fault_ == Fault::close_after_sent;
  if (by_sent && sent_ >= fault_at_) {
    const bool reset = fault_ == Fault::reset_after_sent;
    user_.outside_.after(world_.some(milliseconds(300)), [this, reset] { abort(reset); });
    fault_ = Fault::stops_sending;
    return false;
  }
  if (gap_.count() == 0) return true;
  sending_later_ = true;
  user_.outside_.after(world_.some(gap_), [this] {
    sending_later_ = false;
    pump();
  });
  return false;
}

void UserTalk::after_gap() {
  if (sending_later_ || over_) return;
  sending_later_ = true;
  user_.outside_.after(world_.some(think_), [this] {
    sending_later_ = false;
    pump();
  });
}

// --- reading ---------------------------------------------------------------------------------

void UserTalk::on_bytes(std::string_view bytes) {
  got_ += bytes.size();
  ++world_.user_events;
  while (!bytes.empty()) {
    if (tunnel_ != nullptr) return tunnel_->on_bytes(bytes);
    if (ignores_rest_) return;
    Request* request = waiting();
    if (request == nullptr) world_.fail("a user got bytes that it did not ask for");
    if (!reader_.is_begun()) reader_.begin(true, request->method == "HEAD");
    const bool had_head = reader_.head_done();
    std::string content;
    const size_t used = reader_.feed(bytes, content);
    bytes.remove_prefix(used);
    if (reader_.fault() != nullptr)
      world_.fail("r%u: the user got %s", request->id, reader_.fault());
    if (!had_head && reader_.head_done()) {
      take_head();
      if (tunnel_ != nullptr || stream_ == nullptr) continue;
    }
    if (!content.empty()) take_content(content);
    if (reader_.is_done()) take_answer();
    if (stream_ == nullptr) return;
  }
  if (fault_ == Fault::reset_after_got && got_ >= fault_at_) return abort(true);
  if (stalls_left_ > 0 && world_.random.percent(30)) stall();
}

void UserTalk::take_head() {
  const Head& head = reader_.head();
  Request& request = *waiting();
  if (head.is_interim()) {
    world_.trace("user sees r%u: %d", request.id, head.status);
    const bool ours = head.status == 100 && request.expects && !request.continued;
    const bool passed = head.status == 103 && request.minor == 1 && !request.attempts.empty();
    if (!ours && !passed)
      world_.fail("r%u%s: the user got a %d", request.id,
                  request.expects ? ", which expects one" : "", head.status);
    if (ours) {
      request.continued = true;
      if (out_.request == &request) expecting_ = false;
      pump();
    }
    reader_.begin(true, request.method == "HEAD");
    return;
  }
  request.answered = true;
  request.status = head.status;
  const std::string* mark = head.find("X-Sim");
  request.own = mark == nullptr && head.status != 101;
  const std::string* number = head.find("X-Request-Id");
  if (!request.request_id.empty() && (number == nullptr || *number != request.request_id) &&
      request.status != 408 && request.status != 413 && request.way != Way::nonsense &&
      request.way != Way::health) {
    world_.fail("r%u: lost its id", request.id);
  }
  world_.trace("user sees r%u: %d%s", request.id, head.status, request.own ? " (own)" : "");
  if (request.own) {
    check_own(request, head);
  } else if (head.status == 101) {
    if (!request.upgrade) world_.fail("r%u: a 101 that nobody asked for", request.id);
  } else if (*mark != std::to_string(request.id)) {
    world_.fail("r%u: got the answer to r%s", request.id, mark->c_str());
  }
  if (!request.own) {
    if (request.attempts.empty()) world_.fail("r%u: answered by nobody", request.id);
    const Attempt& attempt = answered_by(request);
    if (attempt.status != head.status) {
      world_.fail("r%u: status %d became %d", request.id, attempt.status, head.status);
    }
  }
  if (request.minor == 0 && head.count("Transfer-Encoding") > 0) {
    world_.fail("r%u: chunks for a client of HTTP/1.0", request.id);
  }
  for (const auto& [name, value] : head.fields) {
    if (name == "Set-Cookie") user_.take_cookie(value);
  }
  const std::string* connection = head.find("Connection");
  const bool says_close = connection != nullptr && *connection == "close";
  if (says_close || request.minor == 0) last_announced_ = true;
  // The proxy gave up on a head whose method it may not have read: a body may follow.
  ignores_rest_ = request.own && head.status == 408 && request.method == "HEAD";
  if (head.status == 101) begin_tunnel();
}

void UserTalk::check_own(const Request& request, const Head& head) {
  constexpr int kKnown[] = {200, 400, 403, 404, 408, 413, 499, 502, 503, 504};
  if (std::find(std::begin(kKnown), std::end(kKnown), head.status) == std::end(kKnown)) {
    world_.fail("r%u: an own answer %d", request.id, head.status);
  }
  const bool late = head.status == 408;  // its head did not come in time
  if (request.way == Way::health && head.status != 200 && head.status != 503 && !late) {
    world_.fail("health page: %d", head.status);
  }
  if (head.status == 200 && request.way != Way::health) {
    world_.fail("r%u: an own answer 200", request.id);
  }
}

void UserTalk::take_content(const std::string& content) {
  Request& request = *waiting();
  const uint64_t before = request.received;
  request.received += content.size();
  if (request.own) return;
  if (find_wrong(request.id, Salt::answer, before, content) != std::string::npos) {
    world_.fail("r%u: a wrong byte in its answer behind %llu", request.id,
                static_cast<unsigned long long>(before));
  }
}

// The answer is whole.
void UserTalk::take_answer() {
  Request& request = *waiting();
  check_end_of(request);
  request.complete = true;
  request.done = world_.now();
  world_.trace("user has r%u whole, %llu bytes", request.id,
               static_cast<unsigned long long>(request.received));
  unanswered_.pop_front();
  reader_.begin(true, false);
  if (out_.request == &request && last_announced_) {  // answered before all of it was sent
    out_.request = nullptr;
    request.aborted = true;
  }
  if (last_announced_) {
    for (Request* behind : unanswered_) behind->excused = true;
  }
  after_gap();
}

void UserTalk::check_end_of(Request& request) {
  if (request.own) return;
  const Attempt& attempt = answered_by(request);
  const uint64_t meant = attempt.bodiless ? 0 : attempt.length;
  if (request.received != meant || attempt.truncated) {
    world_.fail("r%u: whole for the user with %llu bytes of %llu%s", request.id,
                static_cast<unsigned long long>(request.received),
                static_cast<unsigned long long>(meant),
                attempt.truncated ? ", and its backend never sent all" : "");
  }
}

void UserTalk::stall() {
  if (stream_ == nullptr || tunnel_ != nullptr) return;
  --stalls_left_;
  stalled_ = true;
  stream_->pause_reading();
  user_.outside_.after(world_.some(stall_for_), [this] {
    stalled_ = false;
    if (stream_ != nullptr && !over_) stream_->resume_reading();
  });
}

void UserTalk::begin_tunnel() {
  Request& request = *waiting();
  if (out_.request == &request) {  // the rest of its first word
    stream_->write(std::string_view(out_.bytes).substr(out_.at));
    out_.request = nullptr;
    request.is_sent = true;
  }
  request.complete = true;
  request.done = world_.now();
  unanswered_.pop_front();
  tunnel_ = std::make_unique<TunnelPeer>(world_, user_.outside_, request, true, *stream_,
                                         user_.scenario_.client_faults, [this](bool reset) {
                                           if (stream_ == nullptr || over_) return;
                                           over_ = true;
                                           if (reset) stream_->reset_on_close();
                                           user_.outside_.after(nanoseconds(0),
                                                                [this] { stream_.reset(); });
                                           user_.on_talk_over();
                                         });
  tunnel_->start();
}

// --- ends ------------------------------------------------------------------------------------

void UserTalk::abort(bool reset) {
  if (over_ || stream_ == nullptr) return;
  world_.trace("user leaves%s", reset ? " with a reset" : "");
  for (Request* request : unanswered_) request->aborted = true;
  if (tunnel_ != nullptr) {
    tunnel_->stop();
  }
  over_ = true;
  close_requests();
  if (reset) stream_->reset_on_close();
  stream_.reset();
  user_.on_talk_over();
}

void UserTalk::end_talk() {
  over_ = true;
  stream_.reset();
  user_.on_talk_over();
}

void UserTalk::close_requests() {
  for (Request* request : unanswered_) request->closed = true;
}

void UserTalk::on_end() {
  if (tunnel_ != nullptr) return tunnel_->on_end();
  if (Request* request = waiting(); request != nullptr && reader_.end()) take_answer();
  // What the proxy had read whole without an answer was lost.
  if (user_.scenario_.gentle && !last_announced_ && !unanswered_.empty()) {
    Request& request = *unanswered_.front();
    if (request.is_sent && stream_->read_when_peer_finished() >= request.stream_end) {
      world_.fail("r%u: closed without an answer", request.id);
    }
  }
  if (over_) return;
  over_ = true;
  close_requests();
  stream_.reset();
  user_.on_talk_over();
}

void UserTalk::on_broken(const base::Error&) {
  if (tunnel_ != nullptr) return tunnel_->on_broken();
  if (user_.scenario_.gentle && !unanswered_.empty() && !unanswered_.front()->excused) {
    Request& request = *unanswered_.front();
    if (request.answered || stream_->read_by_peer() >= request.stream_end) {
      world_.fail("r%u: reset in the middle", request.id);
    }
  }
  if (over_) return;
  over_ = true;
  close_requests();
  stream_.reset();
  user_.on_talk_over();
}

}  // namespace simulation

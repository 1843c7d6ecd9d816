// What an exchange tells the judge: each attempt once, whether or not another follows.
#include "proxy/relay/exchange.h"
#include "proxy/relay/worker.h"

namespace relay {

using routing::Group;
using routing::Reason;

namespace {

constexpr int64_t kJudgedBytesMax = 10 << 20;  // larger bodies are slow for their size

// Drawn for this very request, and how.
std::optional<Group> group_of(Reason reason) {
  switch (reason) {
    case Reason::session:
    case Reason::address:
    case Reason::sequence:
      return Group::drawn;
    case Reason::redraw:
      return Group::redrawn;
    default:
      return std::nullopt;
  }
}

bool is_compressed(const http::ResponseHead& head) {
  for (const http::Field& field : head.fields) {
    if (http::equal_ignoring_case(field.name, "Content-Encoding")) return true;
  }
  return false;
}

}  // namespace

// Testers, pinned routes, those who failed over, streams, websockets and assets that the other
// color is asked for are outside; so is who has left (499).
bool Exchange::is_judged() const {
  const bool is_drawn = reason_ == Reason::cookie || group_of(reason_).has_value();
  const bool is_away = facts_.cookie && facts_.cookie->home != routing::kNoColor;
  return is_drawn && !is_away && look_ == Look::none && buffer_ && !websocket_ &&
         client_ != nullptr && body_bytes_ <= kJudgedBytesMax &&
         delivery_.bytes_given() <= kJudgedBytesMax;
}

void Exchange::judge_attempt(bool failed) {
  SessionSample& sample = worker_.sample();
  if (!sample.is_on() || !is_judged()) return;
  AttemptEnd end;
  end.color = color_;
  end.session = user_;
  end.drawn = group_of(reason_);
  end.failed = failed;
  end.us = base::us_between(received_, worker_.loop().now());
  end.rpc = failed ? RpcOutcome::none : rpc_.end();
  sample.note(end);
}

// The user gets a nonce: that is who it is from the next request on.
void Exchange::judge_new_cookie(uint64_t nonce) {
  SessionSample& sample = worker_.sample();
  if (!sample.is_on()) return;
  if (const std::optional<Group> group = group_of(reason_)) sample.mark(nonce, color_, *group);
}

void Exchange::judge_answer_head(const http::ResponseHead& head) {
  if (worker_.sample().is_on() && json_rpc_ && head.status < 500 && buffer_) {
    rpc_.begin(!is_compressed(head));
  }
}

}  // namespace relay

// The second look for a hashed asset: a page of one version asks for its bundle, and the color that
// serves its user has another. The first answer is kept; the other color is asked; what it has goes
// out, else the first answer does. Outside the retry rule: both requests are complete, and safe.
#include <algorithm>

#include "proxy/relay/client_connection.h"
#include "proxy/relay/exchange.h"
#include "proxy/relay/worker.h"

namespace relay {

using http::BodyKind;
using routing::Kind;
using routing::Tally;

namespace {

// Without the segment before the last, which holds the hash; nothing if there are fewer than four
// ("/web/assets/HASH/NAME").
struct Bundle {
  std::string_view folder, name;
};
std::optional<Bundle> bundle_of(std::string_view path) {
  path = path.substr(0, path.find_first_of("?#"));
  const size_t last = path.rfind('/');
  if (last == std::string_view::npos || last == 0) return std::nullopt;
  const size_t hash = path.rfind('/', last - 1);
  if (hash == std::string_view::npos || hash == 0) return std::nullopt;
  return Bundle{path.substr(0, hash), path.substr(last + 1)};
}

// A Location, as a path of this site (RFC 9110 10.2.2).
std::string_view path_of(std::string_view location) {
  const size_t scheme = location.find("://");
  if (scheme == std::string_view::npos) return location;
  const size_t slash = location.find('/', scheme + 3);
  return slash == std::string_view::npos ? std::string_view() : location.substr(slash);
}

// Another hash of the same bundle.
bool is_moved_bundle(std::string_view asked, std::string_view location) {
  const auto from = bundle_of(asked);
  const auto to = bundle_of(path_of(location));
  return from && to && from->folder == to->folder && from->name == to->name;
}

}  // namespace

bool Exchange::may_look_elsewhere(const http::ResponseHead& head) const {
  if (!asset_ || look_ != Look::none || !may_move()) return false;
  if (method_ != http::Method::get && method_ != http::Method::head) return false;
  if (framing_in_.body != BodyKind::none) return false;  // it was given away
  if (head.status == 404) return true;
  const http::Field* location = head.find(http::FieldId::location);
  return head.status == 303 && location != nullptr && is_moved_bundle(path(), location->value);
}

void Exchange::keep_first_answer(const http::ResponseHead& head, AnswerFacts& facts) {
  look_ = Look::keeping;
  first_status_ = head.status;
  first_color_ = color_;
  first_body_.clear();
  first_head_.clear();
  facts.keep_length_field = method_ == http::Method::head;
  write_answer_fields(head, facts, first_head_);
}

// A kept answer is a page of an error or nothing; a larger one goes out as any that is held back.
void Exchange::keep_first_content(std::string_view content) {
  if (first_body_.size() + content.size() <= kFirstBodyMax) {
    first_body_ += content;
    return;
  }
  look_ = Look::over;
  held_back_ = true;
  answer_head_ = first_head_;
  const std::string kept = std::exchange(first_body_, {});
  on_backend_content(kept);
  if (held_back_) on_backend_content(content);
}

void Exchange::look_elsewhere() {
  observe_latency();
  end_attempt();
  if (client_ == nullptr) {
    end(false);
    return;
  }
  const std::vector<routing::ColorEntry>& colors = worker_.table().colors;
  const auto other = std::find_if(colors.begin(), colors.end(), [&](const auto& color) {
    return &color != &colors[first_color_] && color.takes_new();
  });
  look_ = Look::second;
  if (other == colors.end()) {
    give_first_answer();
    return;
  }
  color_ = static_cast<routing::ColorIndex>(other - colors.begin());
  avoid_ = -1;
  body_sent_ = false;
  in_flight_ = InFlight(worker_.counters(), color_, Kind::queued);
  stage_ = Stage::queued;
  queued_ = worker_.loop().now();
  enter_queue();
}

// The head of the second answer. True: it goes out.
bool Exchange::is_found_elsewhere(const http::ResponseHead& head) {
  if ((head.status < 200 || head.status > 299) && head.status != 304) {
    look_ = Look::discarding;
    return false;
  }
  look_ = Look::over;
  worker_.counters().tally(Tally::asset_fallbacks);
  return true;
}

void Exchange::give_first_answer() {
  leave_queue();
  end_attempt();
  look_ = Look::over;
  color_ = first_color_;
  status_ = first_status_;
  answer_begun_ = true;
  keep_client_ = client_keep_alive_ && client_->may_keep();
  const bool head_only = method_ == http::Method::head;
  write_answer_end(head_only ? BodyKind::none : BodyKind::length, first_body_.size(), !keep_client_,
                   first_head_);
  delivery_.add(first_head_);
  delivery_.add(first_body_);
  delivery_.flush();
  answered_ = worker_.loop().now();
  deliver_rest();
}

}  // namespace relay

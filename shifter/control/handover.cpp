#include "shifter/control/handover.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "proxy/base/socket.h"

namespace control {
namespace {

using Json = nlohmann::json;

constexpr int kProtocol = 1;
constexpr base::Millis kAskMax{5'000};      // from the accept to the question
constexpr base::Millis kServeMax{60'000};   // from the descriptors to "serving"
constexpr base::Millis kAnswerMax{30'000};  // as the new side waits
constexpr int kBetweenTries_ms = 100;

std::string refusal(const std::string& why) {
  return Json{{"ok", false}, {"why", why}}.dump() + "\n";
}

// One try: what was got, or why not yet.
struct Try {
  std::optional<Inheritance> got;
  std::string why;
};

base::Result<Try> try_once(base::Descriptor link) {
  const std::string question =
      Json{{"take_over", kProtocol}, {"pid", static_cast<int64_t>(::getpid())}}.dump() + "\n";
  if (auto asked = base::send_descriptors(link.get(), question, {}); !asked) {
    return Try{std::nullopt, asked.error().detail};
  }
  auto answer = base::receive_line(link.get(), kAnswerMax);
  if (!answer) return Try{std::nullopt, answer.error().detail};
  const Json json = Json::parse(answer->line, nullptr, false);
  if (!json.is_object()) {
    return base::fail(base::ErrorCode::bad_input, base::Side::proxy,
                      "the running process says no JSON");
  }
  if (!json.value("ok", false)) return Try{std::nullopt, json.value("why", std::string())};
  if (answer->descriptors.size() < 2) {
    return base::fail(base::ErrorCode::bad_input, base::Side::proxy,
                      "the running process sent no listening socket");
  }
  Inheritance got;
  got.link = std::move(link);
  got.lock = std::move(answer->descriptors.front());
  for (size_t i = 1; i < answer->descriptors.size(); ++i) {
    got.listening.push_back(std::move(answer->descriptors[i]));
  }
  return Try{std::move(got), {}};
}

}  // namespace

std::string handover_path(const std::string& admin_socket) { return admin_socket + ".takeover"; }

base::Result<std::optional<Inheritance>> take_over(
    const std::string& admin_socket, const std::function<void(const std::string&)>& waits) {
  std::string told;
  for (;;) {
    auto link = base::connect_unix_now(handover_path(admin_socket));
    if (!link && link.error().code == base::ErrorCode::not_found) {
      return std::optional<Inheritance>();
    }
    if (!link) return base::fail(link.error());
    auto one = try_once(std::move(*link));
    if (!one) return base::fail(one.error());
    if (one->got) return std::move(one->got);
    if (std::exchange(told, one->why) != one->why) waits(one->why);
    ::poll(nullptr, 0, kBetweenTries_ms);
  }
}

base::Result<> say_serving(const base::Descriptor& link) {
  return base::send_descriptors(link.get(), Json{{"serving", true}}.dump() + "\n", {});
}

HandoverDoor::HandoverDoor(base::Loop& loop, std::vector<uint32_t> allowed_uids, Hooks hooks)
    : loop_(loop),
      allowed_uids_(std::move(allowed_uids)),
      hooks_(std::move(hooks)),
      late_(loop.timers(), this, base::fires<&HandoverDoor::on_late>) {}

HandoverDoor::~HandoverDoor() = default;

void HandoverDoor::on_accepted(std::unique_ptr<base::Stream> stream) {
  const auto peer = base::peer_identity(*stream);
  const bool allowed = peer && std::find(allowed_uids_.begin(), allowed_uids_.end(), peer->uid) !=
                                   allowed_uids_.end();
  if (!allowed) return stream->write(refusal("this user may not"));
  if (stage_ != Stage::open) return stream->write(refusal("another process is taking over"));
  if (const std::string why = hooks_.why_not(); !why.empty()) return stream->write(refusal(why));
  stage_ = Stage::asked;
  link_ = std::make_unique<LineLink>(
      loop_, std::move(stream), [this](const std::string& line) { take(line); },
      [this](std::string_view why) { leave(why); });
  late_.start(kAskMax);
}

bool HandoverDoor::is_reachable() const {
  return listener_ != nullptr && base::is_named(*listener_);
}

void HandoverDoor::take(const std::string& line) {
  const Json json = Json::parse(line, nullptr, false);
  if (stage_ == Stage::asked && json.is_object() && json.value("take_over", 0) == kProtocol) {
    answer();
  } else if (stage_ == Stage::frozen && json.is_object() && json.value("serving", false)) {
    stage_ = Stage::moved;
    late_.stop();
    hooks_.moved(std::move(link_));
  } else {
    leave("it says something else");
  }
}

void HandoverDoor::answer() {
  auto descriptors = hooks_.freeze();
  if (!descriptors) {
    link_->stream().write(refusal(descriptors.error().detail));
    stage_ = Stage::open;
    late_.stop();
    link_->end();
    loop_.dispose(std::move(link_));
    return;
  }
  stage_ = Stage::frozen;
  late_.start(kServeMax);
  const std::string answer =
      Json{{"ok", true}, {"listening", descriptors->size() - 1}}.dump() + "\n";
  const auto sent =
      base::send_descriptors(base::descriptor_of(link_->stream()), answer, *descriptors);
  if (!sent) leave(sent.error().detail);
}

void HandoverDoor::leave(std::string_view why) {
  if (link_ == nullptr) return;
  late_.stop();
  link_->end();
  loop_.dispose(std::move(link_));
  if (std::exchange(stage_, Stage::open) == Stage::frozen) hooks_.thaw(std::string(why));
}

}  // namespace control

#include "shifter/cli/watch.h"

#include <chrono>
#include <ctime>
#include <deque>

#include "shifter/cli/admin_connection.h"
#include "shifter/cli/event_line.h"
#include "shifter/cli/interrupt.h"
#include "shifter/cli/render.h"

namespace cli {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kEvery{1000};
constexpr milliseconds kWindow{10'000};  // what rates are told over
constexpr size_t kEventsKept = 200;

std::string clock_text() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::localtime_r(&now, &parts);
  char text[16];
  const size_t length = std::strftime(text, sizeof text, "%H:%M:%S", &parts);
  return {text, length};
}

std::string_view code_of(Tone tone) {
  switch (tone) {
    case Tone::strong:
      return "\x1b[1m";
    case Tone::good:
      return "\x1b[32m";
    case Tone::warning:
      return "\x1b[33m";
    case Tone::bad:
      return "\x1b[31m";
    default:
      return {};
  }
}

// The terminal's other screen, given back however the view ends.
class OtherScreen {
 public:
  explicit OtherScreen(const Console& console) : console_(console) {
    console_.print("\x1b[?1049h\x1b[?25l");
  }
  ~OtherScreen() { console_.print("\x1b[?25h\x1b[?1049l"); }
  OtherScreen(const OtherScreen&) = delete;

 private:
  const Console& console_;
};

struct Look {
  Clock::time_point at;
  Snapshot seen;
};

// Two connections: one follows events, one asks for the status again and again.
class View {
 public:
  View(const Console& console, AdminConnection events, AdminConnection status)
      : console_(console), events_(std::move(events)), status_(std::move(status)) {}

  int run() {
    if (auto sent = events_.send("events follow"); !sent) return gone(sent.error());
    ask_at_ = Clock::now();
    for (;;) {
      if (!asked_ && Clock::now() >= ask_at_) {
        if (auto sent = status_.send("status"); !sent) return gone(sent.error());
        asked_ = true;
        ask_at_ = Clock::now() + kEvery;
      }
      const auto left = std::chrono::ceil<milliseconds>(ask_at_ - Clock::now());
      const Woken woken =
          wait_readable({events_.descriptor(), status_.descriptor()}, asked_ ? kEvery : left);
      if (woken == Woken::interrupted) return kInterrupted;
      if (woken == Woken::readable) {
        if (auto code = take(); code) return *code;
      }
      draw();
    }
  }
  const std::string& message() const { return message_; }

 private:
  int gone(const base::Error& error) {
    message_ = error.detail;
    return kUnreachable;
  }

  // Of both connections what is there. A code: the view is over.
  std::optional<int> take() {
    if (auto code = read(events_)) return code;
    if (auto code = read(status_)) return code;
    while (auto line = events_.take_line()) {
      if (auto code = refused(*line)) return code;
      lines_.push_back(event_line(*line));
      if (lines_.size() > kEventsKept) lines_.pop_front();
    }
    while (auto line = status_.take_line()) {
      asked_ = false;
      if (auto code = refused(*line)) return code;
      auto seen = parse_snapshot(*line);
      if (!seen) return gone(seen.error());
      looks_.push_back({Clock::now(), std::move(*seen)});
      while (looks_.size() > 2 && looks_.back().at - looks_[1].at >= kWindow) looks_.pop_front();
    }
    return std::nullopt;
  }

  std::optional<int> read(AdminConnection& connection) {
    if (wait_readable({connection.descriptor()}, milliseconds{0}) != Woken::readable) {
      return std::nullopt;
    }
    if (auto done = connection.read_some(); !done) return gone(done.error());
    return std::nullopt;
  }

  std::optional<int> refused(const std::string& line) {
    if (line.rfind("{\"ok\":false", 0) != 0) return std::nullopt;
    const Rendered rendered = render("watch", line);
    message_ = rendered.err;
    return rendered.code;
  }

  void draw() {
    if (looks_.empty()) return;
    Moment moment;
    moment.now = looks_.back().seen;
    if (looks_.size() > 1) {
      moment.before = looks_.front().seen;
      moment.seconds_between =
          std::chrono::duration<double>(looks_.back().at - looks_.front().at).count();
    }
    moment.clock = clock_text();
    moment.events.assign(lines_.begin(), lines_.end());
    console_.print(drawn(screen_of(moment, console_.size()), console_.colors));
  }

  const Console& console_;
  AdminConnection events_;
  AdminConnection status_;
  std::deque<std::string> lines_;
  std::deque<Look> looks_;
  bool asked_ = false;
  Clock::time_point ask_at_{};
  std::string message_;
};

}  // namespace

std::string drawn(const std::vector<ScreenLine>& lines, bool colors) {
  std::string text = "\x1b[H";
  for (size_t i = 0; i < lines.size(); ++i) {
    const std::string_view code = colors ? code_of(lines[i].tone) : std::string_view();
    text += code;
    text += lines[i].text;
    if (!code.empty()) text += "\x1b[0m";
    text += "\x1b[K";  // what stood there before
    if (i + 1 < lines.size()) text += "\r\n";
  }
  return text + "\x1b[J";
}

int watch(const Arguments& arguments, const Console& console) {
  auto events = AdminConnection::open(arguments.socket);
  auto status = AdminConnection::open(arguments.socket);
  if (!events || !status) {
    console.complain((events ? status : events).error().detail);
    return kUnreachable;
  }
  View view(console, std::move(*events), std::move(*status));
  int code = kDone;
  {
    const OtherScreen screen(console);
    code = view.run();
  }
  console.complain(view.message());
  return code;
}

}  // namespace cli

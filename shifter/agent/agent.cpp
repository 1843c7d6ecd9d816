#include "shifter/agent/agent.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "shifter/agent/leftovers.h"

namespace agent {
namespace {

using Json = nlohmann::json;
using base::Level;
using base::LogLine;

constexpr base::Millis kAnswer{10'000};
constexpr base::Millis kAnswerWhileActing{2'000};
constexpr base::Millis kTakeWait{30'000};
constexpr base::Millis kBeat{10'000};
constexpr size_t kTailBytes = 4'500;  // encoded; a line on the socket has at most 8 KiB

// What every process of an action has in its environment.
std::string mark_of(const Journal& journal, uint64_t id, int64_t asked_ms) {
  return "SHIFTER_ACTION=" + journal.name() + ":" + std::to_string(id) + ":" +
         std::to_string(asked_ms);
}

base::Instant steady_now() { return std::chrono::steady_clock::now(); }

// The last lines that fit.
std::string tail_text(const std::vector<std::string>& tail) {
  std::string text;
  size_t bytes = 0;
  for (auto line = tail.rbegin(); line != tail.rend(); ++line) {
    bytes += encoded(*line + "\n").size();
    if (bytes > kTailBytes) break;
    text.insert(0, *line + "\n");
  }
  return text;
}

std::string cut(const std::string& text, size_t most) { return text.substr(0, most); }

}  // namespace

class Agent::RealCommands final : public Commands {
 public:
  explicit RealCommands(Agent& agent) : agent_(agent) {}
  ChildEnd run(const ChildAsk& ask, bool undoes) override {
    ChildAsk marked = ask;
    if (const Task* task = agent_.acting_) {
      const std::string mark = mark_of(agent_.journal_, task->id, task->asked_ms);
      const size_t equals = mark.find('=');
      marked.environment.emplace_back(mark.substr(0, equals), mark.substr(equals + 1));
    }
    return run_child(marked, [&] {
      agent_.beat();
      return undoes || !agent_.stops();
    });
  }
  void wait(base::Millis time) override {
    agent_.pause(time);
    agent_.beat();
  }
  base::Instant now() const override { return steady_now(); }
  bool stops() const override { return agent_.stops(); }

 private:
  Agent& agent_;
};

Agent::Agent(const AgentConfig& config, Journal journal, base::Log& log, std::string version,
             int stop_descriptor)
    : config_(config),
      journal_(std::move(journal)),
      log_(log),
      version_(std::move(version)),
      stop_descriptor_(stop_descriptor),
      commands_(std::make_unique<RealCommands>(*this)) {}

Agent::~Agent() = default;

bool Agent::stops() const {
  pollfd stop{stop_descriptor_, POLLIN, 0};
  return ::poll(&stop, 1, 0) > 0;
}

void Agent::pause(base::Millis time) {
  pollfd stop{stop_descriptor_, POLLIN, 0};
  (void)::poll(&stop, 1, static_cast<int>(time.count()));
}

void Agent::run() {
  EnvFile(config_.env_file).sweep();
  end_leftovers();
  while (!stops()) {
    if (!link_.is_open() && !connect()) {
      link_.close();
      pause(config_.reconnect);
      continue;
    }
    refresh_figures();
    if (!take_one()) {
      link_.close();
      pause(config_.reconnect);
    }
  }
}

std::optional<std::string> Agent::ask(const std::string& line, base::Millis within) {
  // While an action runs its own deadlines must hold; and while it is being ended because the agent
  // stops, the connection is still of use.
  auto answer = acting_ != nullptr ? link_.ask(line, std::min(within, kAnswerWhileActing), -1)
                                   : link_.ask(line, within, stop_descriptor_);
  if (!answer) {
    if (!stops()) {
      log_.event(Level::warning, "lost", LogLine().add("detail", answer.error().detail));
    }
    return std::nullopt;
  }
  return std::move(*answer);
}

bool Agent::connect() {
  if (auto opened = link_.open(config_.socket); !opened) {
    if (!std::exchange(was_refused_, true)) {
      log_.event(Level::warning, "no_sidecar", LogLine().add("detail", opened.error().detail));
    }
    return false;
  }
  if (acting_ == nullptr) refresh_figures();
  const auto answer =
      ask("agent hello journal=" + journal_.name() + " pid=" + std::to_string(::getpid()) +
              " version=" + encoded(version_) + figures_.words(),
          kAnswer);
  if (!answer) return false;
  const Json json = Json::parse(*answer, nullptr, false);
  if (!json.is_object() || !json.value("ok", false) || !json.contains("session")) {
    if (!std::exchange(was_refused_, true)) {
      log_.event(Level::error, "hello_refused", LogLine().add("answer", cut(*answer, 500)));
    }
    return false;
  }
  was_refused_ = false;
  session_ = json.value("session", int64_t{0});
  log_.event(Level::info, "connected", LogLine().add("session", session_));
  for (const Json& one : json.value("open", Json::array())) {
    if (!one.is_object()) continue;
    if (!settle(one.value("id", uint64_t{0}), one.value("asked_ms", int64_t{0}))) return false;
  }
  return true;
}

// Nobody would end them at their deadline, and what they change would be missed by a look.
void Agent::end_leftovers() {
  for (const Journal::Entry& entry : journal_.entries()) {
    if (entry.outcome.end != End::started) continue;
    const size_t ended = agent::end_leftovers(mark_of(journal_, entry.id, entry.asked_ms));
    if (ended == 0) continue;
    log_.event(Level::warning, "leftovers_ended",
               LogLine()
                   .add("id", static_cast<int64_t>(entry.id))
                   .add("processes", static_cast<int64_t>(ended)));
  }
}

// Says about an action that the sidecar thinks we have what the journal knows.
bool Agent::settle(uint64_t id, int64_t asked_ms) {
  if (acting_ != nullptr && acting_->id == id && acting_->asked_ms == asked_ms) {
    return tell(id, {End::started, {}, {}, {}});
  }
  const Journal::Entry* entry = journal_.find(id, asked_ms);
  if (entry == nullptr) {  // its answer never came here, so it was not begun
    return ask("actions report " + std::to_string(id) + " session=" + std::to_string(session_) +
                   " state=pending",
               kAnswer)
        .has_value();
  }
  if (entry->outcome.end == End::started) {
    Outcome outcome = acting_ == nullptr
                          ? Performer(config_, *commands_).look(entry->color)
                          : Outcome{End::unknown, "the agent ended meanwhile", {}, {}};
    (void)journal_.end(id, asked_ms, outcome);
    return tell(id, outcome);
  }
  return tell(id, entry->outcome);
}

bool Agent::tell(uint64_t id, const Outcome& outcome) {
  std::string line = "actions report " + std::to_string(id) +
                     " session=" + std::to_string(session_) +
                     " state=" + std::string(text_of(outcome.end));
  if (!outcome.message.empty()) line += " message=" + encoded(cut(outcome.message, 400));
  for (const auto& [key, value] : outcome.result)
    line += " " + key + "=" + encoded(cut(value, 200));
  if (!outcome.tail.empty()) line += " tail=" + encoded(tail_text(outcome.tail));
  const auto answer = ask(line, kAnswer);
  if (!answer) return false;
  const Json json = Json::parse(*answer, nullptr, false);
  if (json.is_object() && json.value("ok", false)) return true;
  log_.event(Level::error, "report_refused", LogLine().add("answer", cut(*answer, 500)));
  return false;
}

bool Agent::take_one() {
  const auto answer =
      ask("actions take wait=30s session=" + std::to_string(session_) + figures_.words(),
          kTakeWait + kAnswer);
  if (!answer) return false;
  const Json json = Json::parse(*answer, nullptr, false);
  if (!json.is_object() || !json.value("ok", false) || !json.contains("action")) {
    log_.event(Level::warning, "take_refused", LogLine().add("answer", cut(*answer, 500)));
    return false;
  }
  if (json["action"].is_null()) return true;
  Task task;
  try {
    const Json& action = json["action"];
    task.id = action.at("id").get<uint64_t>();
    task.asked_ms = action.at("asked_ms").get<int64_t>();
    task.kind = action.at("kind").get<std::string>();
    task.color = action.at("color").get<std::string>();
    task.arguments = action.at("arguments").get<std::map<std::string, std::string>>();
    task.deadline = base::Millis{action.at("deadline_s").get<int64_t>() * 1000};
  } catch (const std::exception& error) {
    log_.event(Level::error, "take_not_read", LogLine().add("detail", error.what()));
    return false;
  }
  act(task);
  return link_.is_open();
}

void Agent::act(const Task& task) {
  if (stops()) {  // it came in the moment of our end: for the next agent
    (void)link_.ask("actions report " + std::to_string(task.id) +
                        " session=" + std::to_string(session_) + " state=pending",
                    kAnswerWhileActing, -1);
    return;
  }
  if (journal_.find(task.id, task.asked_ms) != nullptr) {  // once, whatever is asked
    (void)settle(task.id, task.asked_ms);
    return;
  }
  if (auto begun = journal_.start(task.id, task.asked_ms, task.kind, task.color); !begun) {
    log_.event(Level::error, "journal_unwritable", LogLine().add("detail", begun.error().detail));
    (void)tell(task.id, {End::failed, "not begun: the agent's journal cannot be written", {}, {}});
    return;
  }
  acting_ = &task;
  beaten_ = steady_now();
  (void)tell(task.id, {End::started, {}, {}, {}});
  log_.event(Level::info, "started",
             LogLine()
                 .add("id", static_cast<int64_t>(task.id))
                 .add("kind", task.kind)
                 .add("color", task.color));
  Outcome outcome = Performer(config_, *commands_).perform(task);
  if (auto ended = journal_.end(task.id, task.asked_ms, outcome); !ended) {
    log_.event(Level::error, "journal_unwritable", LogLine().add("detail", ended.error().detail));
  }
  log_.event(outcome.end == End::done ? Level::info : Level::error, "ended",
             LogLine()
                 .add("id", static_cast<int64_t>(task.id))
                 .add("end", text_of(outcome.end))
                 .add("message", outcome.message));
  figures_at_ = {};  // what was counted before is old
  // Lost meanwhile: connect() tells it, since the sidecar still lists it as open.
  if (link_.is_open()) (void)tell(task.id, outcome);
  acting_ = nullptr;
}

// Looks of the agent's own (figures) are no action, and no beat is needed.
void Agent::beat() {
  if (acting_ == nullptr || steady_now() - beaten_ < kBeat) return;
  beaten_ = steady_now();
  if (!link_.is_open() ? !connect() : !tell(acting_->id, {End::started, {}, {}, {}})) link_.close();
}

void Agent::refresh_figures() {
  const bool fresh =
      figures_at_ != base::Instant{} && steady_now() - figures_at_ < config_.figures_interval;
  if (fresh) return;
  figures_ = look_at_machine(config_, *commands_);
  figures_at_ = steady_now();
}

}  // namespace agent

#include "shifter/control/admin_agent.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "shifter/control/views.h"

namespace control {
namespace {

using base::Level;
using base::LogLine;
using OrderedJson = nlohmann::ordered_json;

constexpr base::Millis kTakeWait{30'000};
constexpr base::Millis kTakeWaitMax{45'000};  // below Actions::kSilence
constexpr size_t kTextMax = 400;              // of a message or one line of output
constexpr std::array kResults = {"workers", "env_workers", "digest",
                                 "image",   "container",   "background"};

bool is_in(const std::vector<uint32_t>& uids, uint32_t uid) {
  return std::find(uids.begin(), uids.end(), uid) != uids.end();
}

std::string bounded(std::string text) {
  if (text.size() > kTextMax) text.resize(kTextMax);
  return text;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// Lines of output come in one argument: %0A between them, %25 for a percent sign.
std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  std::string line;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 &&
        hex_value(text[i + 2]) >= 0) {
      c = static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
      i += 2;
    }
    if (c == '\n') {
      lines.push_back(bounded(std::exchange(line, {})));
    } else {
      line += c;
    }
  }
  if (!line.empty()) lines.push_back(bounded(std::move(line)));
  return lines;
}

Answer<int64_t> needed(const Command& command, std::string_view key, int64_t least) {
  auto number = number_of(command, key, least, INT64_MAX);
  if (!number) return tl::unexpected(number.error());
  if (!*number) return deny(AdminCode::usage, std::string(key), std::string(key) + "= is needed");
  return **number;
}

template <class Number>
Answer<void> read_figure(const Command& command, std::string_view key, int64_t most,
                         std::optional<Number>& figure) {
  auto number = number_of(command, key, 0, most);
  if (!number) return tl::unexpected(number.error());
  if (*number) figure = static_cast<Number>(**number);
  return {};
}

// "blue:4,green:2"
Answer<void> read_counts(const Command& command, std::string_view key,
                         std::map<std::string, int>& counts) {
  const std::string text = command.find(key).value_or("");
  size_t at = 0;
  while (at < text.size()) {
    const size_t end = std::min(text.find(',', at), text.size());
    const size_t colon = text.find(':', at);
    const std::string digits = colon < end ? text.substr(colon + 1, end - colon - 1) : "";
    if (digits.empty() || digits.size() > 4 || counts.size() >= 16 ||
        digits.find_first_not_of("0123456789") != std::string::npos) {
      return deny(AdminCode::usage, std::string(key), "counts are COLOR:N,COLOR:N");
    }
    counts[text.substr(at, colon - at)] = std::stoi(digits);
    at = end + 1;
  }
  return {};
}

Answer<AgentFigures> figures_of(const Command& command) {
  AgentFigures figures;
  Answer<void> read = read_figure(command, "cpus", 100'000, figures.cpus);
  if (read) read = read_figure(command, "memory", INT64_MAX, figures.memory_bytes);
  if (read) read = read_figure(command, "memory_free", INT64_MAX, figures.memory_free_bytes);
  if (read) read = read_figure(command, "connections", INT64_MAX, figures.connections);
  if (read) read = read_figure(command, "connections_max", INT64_MAX, figures.connections_max);
  if (read) read = read_counts(command, "workers", figures.workers);
  if (read) read = read_counts(command, "env_workers", figures.env_workers);
  if (!read) return tl::unexpected(read.error());
  return figures;
}

Answer<ActionState> state_of(const Command& command) {
  const std::string name = command.find("state").value_or("");
  for (ActionState state : {ActionState::pending, ActionState::started, ActionState::done,
                            ActionState::failed, ActionState::unknown}) {
    if (text_of(state) == name) return state;
  }
  return deny(AdminCode::usage, "state",
              "state is pending, started, done, failed or unknown, not \"" + name + "\"");
}

template <class Value>
OrderedJson number_or_null(const std::optional<Value>& value) {
  return value ? OrderedJson(*value) : OrderedJson(nullptr);
}

OrderedJson figures_json(const AgentFigures& figures) {
  return {{"cpus", number_or_null(figures.cpus)},
          {"memory_bytes", number_or_null(figures.memory_bytes)},
          {"memory_free_bytes", number_or_null(figures.memory_free_bytes)},
          {"connections", number_or_null(figures.connections)},
          {"connections_max", number_or_null(figures.connections_max)},
          {"workers", figures.workers},
          {"env_workers", figures.env_workers}};
}

std::string list_json(const ControlLoop& control) {
  const Actions& actions = control.actions();
  std::vector<std::string> list;
  for (const Action& action : actions.list()) list.push_back(action_json(action));
  LogLine agent;
  agent.add("connected", actions.has_agent())
      .add("pid", actions.agent().pid)
      .add("uid", static_cast<int64_t>(actions.agent().uid))
      .add("version", actions.agent().version)
      .add_raw("figures", figures_json(actions.figures()).dump());
  return ok_json(control,
                 LogLine().add_raw("agent", json_of(agent)).add_raw("actions", join_json(list)));
}

}  // namespace

std::string action_json(const Action& action) {
  const OrderedJson json = {{"id", action.id},
                            {"kind", text_of(action.ask.kind)},
                            {"color", action.ask.color},
                            {"arguments", action.ask.arguments},
                            {"deadline_s", action.ask.deadline.count() / 1000},
                            {"state", text_of(action.state)},
                            {"message", action.message},
                            {"tail", action.tail},
                            {"result", action.result},
                            {"asked_ms", action.asked.time_since_epoch().count()},
                            {"since_ms", action.since.time_since_epoch().count()}};
  return json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
}

AdminAgent::AdminAgent(ControlLoop& control, Events& events) : control_(control), events_(events) {
  control_.actions().set_on_change([this](const Action& action) { tell(action); });
}

bool AdminAgent::may(const AdminConfig& config, const Command& command, uint32_t uid) {
  const Verb verb = command.spec->verb;
  if (verb == Verb::agent || (verb == Verb::actions && !command.words.empty())) {
    return is_in(config.agent_uids, uid);
  }
  return !is_in(config.agent_uids, uid) || is_in(config.allow_uids, uid);
}

Answer<void> AdminAgent::run(const Command& command, const std::shared_ptr<Reply>& reply) {
  const std::string word = command.words.empty() ? "" : command.words.front();
  if (command.spec->verb == Verb::agent && word == "hello") return hello(command, reply);
  if (command.spec->verb == Verb::actions) {
    if (word.empty() && command.keys.empty())
      return reply->finish(list_json(control_)), Answer<void>{};
    if (word == "take" && command.words.size() == 1) return take(command, reply);
    if (word == "report" && command.words.size() == 2) return report(command, reply);
  }
  return deny(
      AdminCode::usage, word,
      "usage: " + std::string(command.spec->name) + " " + std::string(command.spec->arguments));
}

Answer<void> AdminAgent::hello(const Command& command, const std::shared_ptr<Reply>& reply) {
  AgentHello agent;
  agent.journal = command.find("journal").value_or("");
  if (agent.journal.empty() || agent.journal.size() > 64) {
    return deny(AdminCode::usage, "journal", "journal= is needed, at most 64 bytes");
  }
  auto pid = needed(command, "pid", 1);
  if (!pid) return tl::unexpected(pid.error());
  auto figures = figures_of(command);
  if (!figures) return tl::unexpected(figures.error());
  agent.pid = *pid;
  agent.uid = reply->caller().uid;
  agent.version = bounded(command.find("version").value_or(""));
  auto session = control_.actions().hello(agent, std::move(*figures));
  if (!session) return tl::unexpected(session.error());
  if (taker_) {  // of the session before
    taker_->reply->finish(error_json({AdminCode::conflict, "another hello came", "session"}));
    taker_.reset();
  }
  events_.add(Level::info, "agent_hello",
              LogLine().add("pid", agent.pid).add("uid", static_cast<int64_t>(agent.uid)));
  OrderedJson open = OrderedJson::array();
  for (const Action* action : control_.actions().open()) {
    open.push_back({{"id", action->id}, {"asked_ms", action->asked.time_since_epoch().count()}});
  }
  reply->finish(ok_json(
      control_,
      LogLine().add("session", static_cast<int64_t>(*session)).add_raw("open", open.dump())));
  return {};
}

Answer<void> AdminAgent::take(const Command& command, const std::shared_ptr<Reply>& reply) {
  auto session = needed(command, "session", 1);
  if (!session) return tl::unexpected(session.error());
  auto wait = duration_of(command, "wait", base::Millis{0}, kTakeWaitMax);
  if (!wait) return tl::unexpected(wait.error());
  auto figures = figures_of(command);
  if (!figures) return tl::unexpected(figures.error());
  Actions& actions = control_.actions();
  if (auto heard = actions.heard(static_cast<uint64_t>(*session)); !heard) return heard;
  actions.set_figures(std::move(*figures));
  if (taker_) return deny(AdminCode::conflict, "session", "a take waits already");
  if (auto open = actions.open(); !open.empty()) {
    return deny(AdminCode::conflict, "session",
                "action " + std::to_string(open.front()->id) + " is not over: report it first");
  }
  taker_ = Taker{reply, control_.now() + wait->value_or(kTakeWait)};
  answer_taker();
  return {};
}

Answer<void> AdminAgent::report(const Command& command, const std::shared_ptr<Reply>& reply) {
  auto session = needed(command, "session", 1);
  if (!session) return tl::unexpected(session.error());
  ActionReport report;
  const std::string& id = command.words[1];
  if (id.size() > 18 || id.find_first_not_of("0123456789") != std::string::npos) {
    return deny(AdminCode::usage, "id", "an id is a number");
  }
  report.id = std::stoull(id);
  auto state = state_of(command);
  if (!state) return tl::unexpected(state.error());
  report.state = *state;
  report.message = bounded(command.find("message").value_or(""));
  report.tail = lines_of(command.find("tail").value_or(""));
  for (const char* key : kResults) {
    if (auto value = command.find(key)) report.result[key] = bounded(std::move(*value));
  }
  Actions& actions = control_.actions();
  if (auto heard = actions.heard(static_cast<uint64_t>(*session)); !heard) return heard;
  if (auto taken = actions.report(report); !taken) return taken;
  // An end that is on disk here may be forgotten there.
  const bool saved = !actions.is_unsaved() || control_.save_now();
  reply->finish(ok_json(control_, LogLine().add("saved", saved)));
  return {};
}

void AdminAgent::tick() {
  if (taker_ && taker_->reply->is_gone()) {
    taker_.reset();
    control_.actions().agent_left();
    events_.add(Level::warning, "agent_left");
  }
  if (taker_) answer_taker();
}

// Handed out only once it is on disk that it was: else its id could be given again.
void AdminAgent::answer_taker() {
  Actions& actions = control_.actions();
  const Action* action = actions.take();
  if (action == nullptr) {
    if (control_.now() < taker_->until) return;
  } else if (!control_.save_now()) {
    actions.give_back(action->id);
    action = nullptr;
    if (control_.now() < taker_->until) return;
  }
  const auto reply = std::exchange(taker_, std::nullopt)->reply;
  reply->finish(ok_json(
      control_,
      LogLine().add_raw("action", action == nullptr ? std::string("null") : action_json(*action))));
}

void AdminAgent::tell(const Action& action) {
  const bool is_bad = action.state == ActionState::failed || action.state == ActionState::unknown;
  LogLine line;
  line.add("id", static_cast<int64_t>(action.id))
      .add("kind", text_of(action.ask.kind))
      .add("color", action.ask.color)
      .add("state", text_of(action.state));
  if (!action.message.empty()) line.add("message", action.message);
  events_.add(is_bad ? Level::error : Level::info, "action", std::move(line));
}

}  // namespace control

#include "shifter/agent/docker.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

namespace agent {
namespace {

using base::ErrorCode;
using base::Side;

tl::unexpected<base::Error> failed(std::string detail) {
  return base::fail(ErrorCode::io_failed, Side::backend, std::move(detail));
}

// What people call it: "compose up odoo_green".
std::string name_of(const AgentConfig& config, const Words& words, const Names& names) {
  std::string name;
  for (size_t i = 0; i < words.size() && i < 8 && name.size() < 60; ++i) {
    if (words[i].empty() || words[i][0] == '-') continue;
    if (!name.empty()) name += " ";
    name += words[i] == "{compose}" ? "compose" : fill_in(config, {words[i]}, names).front();
  }
  return name;
}

std::string last_line(const std::vector<std::string>& tail) {
  for (auto line = tail.rbegin(); line != tail.rend(); ++line) {
    if (line->find_first_not_of(' ') != std::string::npos) return ": " + *line;
  }
  return {};
}

}  // namespace

Docker::Docker(const AgentConfig& config, Commands& commands, Names names, base::Millis deadline)
    : config_(config),
      commands_(commands),
      names_(std::move(names)),
      until_(commands.now() + deadline) {}

base::Millis Docker::left() const {
  return std::chrono::duration_cast<base::Millis>(until_ - commands_.now());
}

void Docker::begin_undo() {
  undoes_ = true;
  until_ = commands_.now() + config_.undo_deadline;
}

ChildEnd Docker::run_words(const Words& words, const Names& more, base::Millis deadline,
                           std::vector<std::pair<std::string, std::string>> environment) {
  Names names = names_;
  for (const auto& [key, value] : more) names[key] = value;
  ChildAsk ask;
  ask.words = fill_in(config_, words, names);
  ask.folder = config_.folder;
  ask.environment = std::move(environment);
  ask.deadline = std::clamp(left(), base::Millis{0}, deadline);
  ChildEnd end;
  if (is_late()) {
    end.why = commands_.stops() ? ChildEnd::Why::stopped : ChildEnd::Why::deadline;
    end.deadline = ask.deadline;
    return end;
  }
  return commands_.run(ask, undoes_);
}

void Docker::keep(const ChildEnd& end) {
  for (const std::string& line : end.tail) tail_.add(line + "\n");
}

base::Result<std::string> Docker::run(const Words& words, const Names& more,
                                      std::optional<base::Millis> deadline) {
  ChildEnd end = run_words(words, more, deadline.value_or(base::Millis{86'400'000}), {});
  if (!deadline || !end.good()) keep(end);  // what a look found is nobody's last words
  if (end.good()) return std::move(end.output);
  Names names = names_;
  for (const auto& [key, value] : more) names[key] = value;
  return failed(name_of(config_, words, names) + ": " + end.text() + last_line(end.tail));
}

base::Result<int> Docker::check(const Words& words, const Names& more) {
  const ChildEnd end = run_words(words, more, config_.look_deadline, {});
  keep(end);
  if (end.why == ChildEnd::Why::exited) return end.code;
  return failed(name_of(config_, words, names_) + ": " + end.text());
}

ChildEnd Docker::run_hook(const Words& words,
                          std::vector<std::pair<std::string, std::string>> more) {
  more.emplace_back("SHIFTER_COLOR", names_["color"]);
  more.emplace_back("SHIFTER_EPOCH", names_["epoch"]);
  ChildEnd end = run_words(words, {}, base::Millis{86'400'000}, std::move(more));
  keep(end);
  return end;
}

base::Result<std::string> Docker::find_container() {
  auto output = run(config_.commands.find, {}, config_.look_deadline);
  if (!output) return tl::unexpected(output.error());
  std::istringstream words(*output);
  std::string id, second;
  words >> id >> second;
  if (second.empty()) return id;
  return failed("service " + names_["service"] + " has more than one container");
}

base::Result<ContainerState> Docker::inspect(const std::string& container) {
  auto output = run(config_.commands.inspect, {{"container", container}}, config_.look_deadline);
  if (!output) return tl::unexpected(output.error());
  std::istringstream words(*output);
  ContainerState state;
  if (words >> state.status >> state.health >> state.image) return state;
  return failed("commands.inspect printed no state, health and image");
}

base::Result<ImageIdentity> Docker::resolve(const std::string& image, std::string named) {
  if (named.empty()) named = image;
  const Names names = {{"image", image}};
  auto output = run(config_.commands.resolve, names, config_.look_deadline);
  if (!output && !config_.commands.pull.empty()) {
    if (auto pulled = run(config_.commands.pull, names); !pulled) {
      return tl::unexpected(pulled.error());
    }
    output = run(config_.commands.resolve, names, config_.look_deadline);
  }
  if (!output) return tl::unexpected(output.error());
  const size_t space = output->rfind(' ');
  ImageIdentity identity;
  if (space != std::string::npos) {
    std::istringstream(output->substr(space)) >> identity.id;
    const auto digests =
        nlohmann::json::parse(output->substr(0, space), nullptr, /*allow_exceptions=*/false);
    // Of several repositories the one that was named.
    const std::string repository = named.substr(0, named.find_first_of("@:", named.rfind('/') + 1));
    for (const auto& one : digests) {
      if (!one.is_string()) continue;
      const auto digest = one.get<std::string>();
      const bool is_named = digest.substr(0, digest.find('@')) == repository;
      if (identity.digest.empty() || is_named) identity.digest = digest;
    }
  }
  if (identity.id.empty()) return failed("commands.resolve printed no digests and id");
  if (identity.digest.empty()) identity.digest = identity.id;
  return identity;
}

base::Result<ProcessList> Docker::processes(const std::string& container) {
  auto output = run(config_.commands.count, {{"container", container}}, config_.look_deadline);
  if (!output) return tl::unexpected(output.error());
  auto list = read_processes(*output, config_.count_without, config_.count_other);
  if (list) return std::move(*list);
  return failed("commands.count listed no process");
}

}  // namespace agent

#include "shifter/control/actions_saved.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace control {
namespace {

using Json = nlohmann::json;

template <class Enum>
Enum named(const std::string& name, Enum last) {
  for (int i = 0; i <= static_cast<int>(last); ++i) {
    if (text_of(static_cast<Enum>(i)) == name) return static_cast<Enum>(i);
  }
  throw std::runtime_error("actions: nothing is called " + name);
}

Json write_action(const Action& action, const TimeBase& time) {
  Json json = {{"id", action.id},
               {"kind", text_of(action.ask.kind)},
               {"color", action.ask.color},
               {"arguments", action.ask.arguments},
               {"deadline_ms", action.ask.deadline.count()},
               {"state", text_of(action.state)},
               {"message", action.message},
               {"tail", action.tail},
               {"result", action.result},
               {"asked_ms", action.asked.time_since_epoch().count()},
               {"since_ms", action.since.time_since_epoch().count()}};
  if (action.ends) {
    const auto ahead = std::chrono::duration_cast<base::Millis>(*action.ends - time.now);
    const auto mono = std::chrono::duration_cast<base::Millis>(action.ends->time_since_epoch());
    json["ends"] = {{"mono_ms", mono.count()},
                    {"wall_ms", (time.wall + ahead).time_since_epoch().count()}};
  }
  return json;
}

Action read_action(const Json& json, bool same_boot, const TimeBase& time) {
  Action action;
  action.id = json.at("id").get<uint64_t>();
  action.ask.kind = named(json.at("kind").get<std::string>(), ActionKind::custom);
  action.ask.color = json.at("color").get<std::string>();
  action.ask.arguments = json.at("arguments").get<std::map<std::string, std::string>>();
  action.ask.deadline = base::Millis{json.at("deadline_ms").get<int64_t>()};
  action.state = named(json.at("state").get<std::string>(), ActionState::unknown);
  action.message = json.at("message").get<std::string>();
  action.tail = json.at("tail").get<std::vector<std::string>>();
  action.result = json.at("result").get<std::map<std::string, std::string>>();
  action.asked = base::WallTime{base::Millis{json.value("asked_ms", int64_t{0})}};
  action.since = base::WallTime{base::Millis{json.at("since_ms").get<int64_t>()}};
  if (json.contains("ends")) {
    const Json& ends = json.at("ends");
    if (same_boot) {
      action.ends = base::Instant{base::Millis{ends.at("mono_ms").get<int64_t>()}};
    } else {
      const base::WallTime wall{base::Millis{ends.at("wall_ms").get<int64_t>()}};
      // Never longer than it was meant, whatever the wall clock says now.
      action.ends = std::min(time.now + (wall - time.wall),
                             time.now + std::chrono::nanoseconds(action.ask.deadline));
    }
  }
  return action;
}

}  // namespace

Json write_actions(const SavedActions& actions, const TimeBase& time) {
  Json json = {{"last_id", actions.last_id},
               {"journal", actions.journal},
               {"hook_failures", actions.hook_failures},
               {"list", Json::array()}};
  for (const Action& action : actions.actions) json["list"].push_back(write_action(action, time));
  return json;
}

SavedActions read_actions(const Json& json, bool same_boot, const TimeBase& time) {
  SavedActions actions;
  actions.last_id = json.at("last_id").get<uint64_t>();
  actions.journal = json.at("journal").get<std::string>();
  actions.hook_failures = json.at("hook_failures").get<std::map<std::string, int64_t>>();
  for (const Json& one : json.at("list")) {
    actions.actions.push_back(read_action(one, same_boot, time));
    if (actions.actions.back().id > actions.last_id) throw std::runtime_error("actions: an id");
  }
  return actions;
}

}  // namespace control

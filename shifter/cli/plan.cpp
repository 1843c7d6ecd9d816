#include "shifter/cli/plan.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "proxy/base/yaml.h"
#include "shifter/cli/units.h"

namespace cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr int64_t kWeightMax = 1'000'000;

std::string figure(const ColorView& color, const Snapshot& seen) {
  std::string text = std::to_string(color.weight);
  const auto share = static_cast<int>(seen.share_of(color) * 100 + 0.5);
  return text + " (" + std::to_string(share) + " % of new users)";
}

std::string running(const ColorView& color) {
  return std::to_string(color.queued + color.http) + " requests, " +
         std::to_string(color.longpoll) + " polls, " + std::to_string(color.websocket) +
         " websockets";
}

bool is_last(const ColorView& color, const Snapshot& seen) {
  return std::none_of(seen.colors.begin(), seen.colors.end(), [&](const ColorView& other) {
    return other.name != color.name && other.is_open() && (other.weight > 0 || seen.fallback);
  });
}

std::string drained_state(const Arguments& arguments, const ColorView& color) {
  if (arguments.verb->name == "maint") return "closing, then maint";
  const std::string deadline = arguments.key("deadline").value_or("");
  const auto time = base::parse_duration(deadline);
  if (time && time->count() == 0) return "closing, then maint";
  if (color.state == "draining" && deadline.empty()) return "draining goes on, then maint";
  return "draining for at most " + (deadline.empty() ? "the default" : deadline) +
         ", then closing, then maint";
}

base::Result<Plan> usage(std::string message) {
  return base::fail(base::ErrorCode::bad_input, base::Side::client, std::move(message));
}

// What the daemon's policy and machine say to it is known only there.
Plan scale_plan(const Arguments& arguments, const Snapshot& seen) {
  Plan plan;
  const std::string word = arguments.words.empty() ? "" : arguments.words.front();
  const std::string time = word == "auto" ? "" : " for " + arguments.key("for").value_or("2h");
  plan.lines.push_back({"workers", seen.scaler, word + time});
  return plan;
}

base::Result<Plan> weights_plan(const Arguments& arguments, const Snapshot& seen) {
  int64_t sum = 0;
  for (const auto& [name, value] : arguments.keys) {
    if (name == "reason" || name == "if-epoch") continue;
    if (seen.color(name) == nullptr) {
      return usage("no color is named " + name + "; there is " + seen.color_names());
    }
    const auto weight = weight_number(value);
    if (!weight || *weight < 0 || *weight > kWeightMax) {
      return usage(name + "=" + value + " is no weight from 0 to 1000000");
    }
    sum += *weight;
  }
  Plan plan;
  const Snapshot next = with_weights(arguments, seen);
  for (const ColorView& color : seen.colors) {
    if (!arguments.key(color.name))
      return usage("weights names every color; " + color.name + " is missing");
    plan.lines.push_back(
        {"weight of " + color.name, figure(color, seen), figure(*next.color(color.name), next)});
  }
  if (sum == 0) return usage("weights that are all 0 serve nobody");
  return plan;
}

base::Result<Plan> hold_plan(const Arguments& arguments, const Snapshot& seen) {
  const std::string word = arguments.words.empty() ? "" : arguments.words.front();
  if (word != "on" && word != "off") return usage("usage: hold on|off");
  const auto text = [](bool on, const std::string& max, const std::string& timeout) {
    return on ? "on, at most " + max + " requests for " + timeout : std::string("off");
  };
  Plan plan;
  plan.lines.push_back({"hold",
                        text(seen.hold_on, std::to_string(seen.hold_max), seen.hold_timeout),
                        text(word == "on", arguments.key("max").value_or("200"),
                             arguments.key("timeout").value_or("15s"))});
  return plan;
}

base::Result<Plan> color_plan(const Arguments& arguments, const Snapshot& seen) {
  const ColorView* color = meant_color(arguments, seen);
  if (color == nullptr) {
    if (arguments.words.empty()) return usage("a color is needed: " + seen.color_names());
    return usage("no color is named " + arguments.words.front() + "; there is " +
                 seen.color_names());
  }
  Plan plan;
  Snapshot next = seen;
  for (ColorView& one : next.colors) {
    if (one.name == color->name) one.state = arguments.verb->name == "ready" ? "ready" : "closing";
  }
  if (arguments.verb->name == "ready") {
    plan.lines.push_back({"state of " + color->name, color->state, "ready"});
  } else {
    plan.lines.push_back(
        {"state of " + color->name, color->state, drained_state(arguments, *color)});
    const bool cuts = arguments.key("force") == "yes";
    plan.lines.push_back({"running on " + color->name, running(*color),
                          cuts ? "cut when the wait is over" : "goes on until it ends"});
    if (color->is_open() && is_last(*color, seen) && arguments.key("last") != "yes") {
      plan.refusal = color->name + " is the last color that takes users (last=yes)";
    }
  }
  for (const ColorView& one : seen.colors) {
    plan.lines.push_back(
        {"weight of " + one.name, figure(one, seen), figure(*next.color(one.name), next)});
  }
  return plan;
}

}  // namespace

base::Result<Plan> plan_of(const Arguments& arguments, const Snapshot& seen) {
  const std::string_view verb = arguments.verb->name;
  base::Result<Plan> plan = verb == "weights" ? weights_plan(arguments, seen)
                            : verb == "hold"  ? hold_plan(arguments, seen)
                            : verb == "scale" ? scale_plan(arguments, seen)
                                              : color_plan(arguments, seen);
  if (plan) plan->guard = guard_of(arguments, seen);
  return plan;
}

std::string plan_text(const Plan& plan, const Snapshot& seen) {
  std::vector<Row> rows = {{"what", "now", "would be"}};
  for (const PlanLine& line : plan.lines) rows.push_back({line.what, line.current, line.wanted});
  std::string text = table_text(rows);
  text += "nothing was changed (epoch " + std::to_string(seen.epoch) + ")\n";
  if (plan.guard) {
    text += "asks first: " + plan.guard->why + " (--confirm=" + plan.guard->color + ")\n";
  }
  if (!plan.refusal.empty()) text += "would be refused: " + plan.refusal + "\n";
  return text;
}

std::string plan_json(const Plan& plan, const Arguments& arguments, const Snapshot& seen) {
  Json changes = Json::array();
  for (const PlanLine& line : plan.lines) {
    changes.push_back({{"what", line.what}, {"current", line.current}, {"wanted", line.wanted}});
  }
  Json json = {{"ok", plan.refusal.empty()},
               {"dry_run", true},
               {"epoch", seen.epoch},
               {"command", arguments.line},
               {"changes", changes}};
  json["confirm"] = plan.guard ? Json(plan.guard->color) : Json();
  if (!plan.refusal.empty()) {
    json["error"] = {{"code", "refused"}, {"message", plan.refusal}};
  }
  return json.dump() + "\n";
}

}  // namespace cli

#include "shifter/control/scale_saved.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "shifter/control/state_file.h"

namespace control {
namespace {

using base::Instant;
using base::Millis;
using Json = nlohmann::json;

constexpr std::string_view kSavedModes[] = {"auto", "number", "freeze"};
constexpr Millis kModeMax{30 * 86'400'000LL};  // as the command has it

Json moment(const std::optional<Instant>& at, const TimeBase& time) {
  if (!at) return nullptr;
  const auto mono = std::chrono::duration_cast<Millis>(at->time_since_epoch());
  const auto ahead = std::chrono::duration_cast<Millis>(*at - time.now);
  return {{"mono_ms", mono.count()}, {"wall_ms", (time.wall + ahead).time_since_epoch().count()}};
}

std::optional<Instant> read_moment(const Json& json, bool same_boot, const TimeBase& time) {
  if (json.is_null()) return std::nullopt;
  if (same_boot) return Instant{Millis{json.at("mono_ms").get<int64_t>()}};
  const base::WallTime wall{Millis{json.at("wall_ms").get<int64_t>()}};
  return time.now + (wall - time.wall);
}

}  // namespace

Json write_scale(const ScaleState& state, const TimeBase& time) {
  Json json = {{"changed", moment(state.changed, time)},
               {"failures", state.failures},
               {"retry_at", moment(state.retry_at, time)},
               {"frozen", state.frozen},
               {"mode", kSavedModes[static_cast<size_t>(state.mode)]},
               {"number", state.number},
               {"until", moment(state.until, time)},
               {"reason", state.reason}};
  if (state.under_way) {
    json["under_way"] = {{"id", state.under_way->id},
                         {"apply", policy::text_of(state.under_way->apply)},
                         {"from", state.under_way->from},
                         {"to", state.under_way->to}};
  }
  return json;
}

ScaleState read_scale(const Json& json, bool same_boot, const TimeBase& time) {
  ScaleState state;
  state.changed = read_moment(json.at("changed"), same_boot, time);
  // Whatever the wall clock says now: it lies in the past, so that no pause is longer than meant.
  if (state.changed) state.changed = std::min(*state.changed, time.now);
  state.failures = std::clamp(json.at("failures").get<int>(), 0, 1000);
  state.retry_at = read_moment(json.at("retry_at"), same_boot, time);
  if (state.retry_at) state.retry_at = std::min(*state.retry_at, time.now + Millis{3'600'000});
  state.frozen = json.at("frozen").get<bool>();
  const auto mode = json.at("mode").get<std::string>();
  const auto* found = std::find(std::begin(kSavedModes), std::end(kSavedModes), mode);
  if (found == std::end(kSavedModes)) throw std::runtime_error("an unknown mode of the scaler");
  state.mode = static_cast<ScaleMode>(found - std::begin(kSavedModes));
  state.number = json.at("number").get<int>();
  if (state.number < 0 || state.number > policy::kWorkersMax) {
    throw std::runtime_error("the scaler's number");
  }
  state.until = read_moment(json.at("until"), same_boot, time);
  if (state.until) state.until = std::min(*state.until, time.now + kModeMax);
  state.reason = json.at("reason").get<std::string>();
  if (json.contains("under_way")) {
    const Json& under_way = json.at("under_way");
    ScaleUnderWay change;
    change.id = under_way.at("id").get<uint64_t>();
    change.apply = under_way.at("apply").get<std::string>() == "live" ? policy::Apply::live
                                                                      : policy::Apply::redeploy;
    change.from = under_way.at("from").get<int>();
    change.to = under_way.at("to").get<int>();
    state.under_way = change;
  }
  return state;
}

}  // namespace control

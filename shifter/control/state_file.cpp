#include "shifter/control/state_file.h"

#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>

#include "proxy/base/files.h"
#include "proxy/base/mac.h"
#include "shifter/control/actions_saved.h"
#include "shifter/control/scale_saved.h"

namespace control {
namespace {

using Json = nlohmann::json;
using base::ErrorCode;
using base::Side;

constexpr int kSchema = 1;  // what we write
constexpr int kReads = 1;   // the oldest program that may read it
constexpr std::string_view kOldSuffix = ".old";
constexpr size_t kBytesMax = 1 << 20;

int64_t millis_of(base::Instant at) {
  return std::chrono::duration_cast<base::Millis>(at.time_since_epoch()).count();
}

std::string hex(std::span<const uint8_t> bytes) {
  std::string text;
  for (uint8_t byte : bytes) {
    char digits[3];
    std::snprintf(digits, sizeof digits, "%02x", byte);
    text += digits;
  }
  return text;
}

bool unhex(std::string_view text, std::span<uint8_t> bytes) {
  if (text.size() != 2 * bytes.size()) return false;
  if (text.find_first_not_of("0123456789abcdef") != std::string_view::npos) return false;
  for (size_t i = 0; i < bytes.size(); ++i) {
    auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
    bytes[i] = static_cast<uint8_t>(digit(text[2 * i]) * 16 + digit(text[2 * i + 1]));
  }
  return true;
}

// Finds files that were cut or filled with zeros; it is no protection against people.
std::string sum_of(const std::string& text) {
  char digits[17];
  const uint64_t sum = base::sip_hash({}, text);
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(sum));
  return digits;
}

Json write_moment(base::Instant at, const TimeBase& time) {
  const auto ahead = std::chrono::duration_cast<base::Millis>(at - time.now);
  return {{"mono_ms", millis_of(at)}, {"wall_ms", (time.wall + ahead).time_since_epoch().count()}};
}

base::Instant read_moment(const Json& json, bool same_boot, const TimeBase& time) {
  if (same_boot) return base::Instant{base::Millis{json.at("mono_ms").get<int64_t>()}};
  const base::WallTime wall{base::Millis{json.at("wall_ms").get<int64_t>()}};
  return time.now + (wall - time.wall);
}

Json write_color(const FleetColor& color, const TimeBase& time) {
  Json json = {{"name", color.name},
               {"state", routing::text_of(color.state)},
               {"weight", color.weight},
               {"valid_from", color.valid_from}};
  if (color.drain) {
    json["drain"] = {{"since", write_moment(color.drain->since, time)},
                     {"deadline", write_moment(color.drain->deadline, time)},
                     {"quiet_ms", color.drain->quiet.count()}};
  }
  return json;
}

std::optional<ColorState> state_named(const std::string& name) {
  for (ColorState state :
       {ColorState::ready, ColorState::draining, ColorState::closing, ColorState::maint}) {
    if (routing::text_of(state) == name) return state;
  }
  return std::nullopt;
}

// Throws std::exception where the shape is wrong.
FleetColor read_color(const Json& json, bool same_boot, const TimeBase& time) {
  FleetColor color;
  color.name = json.at("name").get<std::string>();
  auto state = state_named(json.at("state").get<std::string>());
  if (!state) throw std::runtime_error("an unknown state of " + color.name);
  color.state = *state;
  color.weight = json.at("weight").get<int>();
  if (color.weight < 0 || color.weight > kWeightMax) {
    throw std::runtime_error("weight of " + color.name);
  }
  color.valid_from = json.at("valid_from").get<uint64_t>();
  if (json.contains("drain")) {
    const Json& drain = json.at("drain");
    DrainFacts facts;
    facts.since = read_moment(drain.at("since"), same_boot, time);
    facts.deadline = read_moment(drain.at("deadline"), same_boot, time);
    facts.quiet = base::Millis{drain.at("quiet_ms").get<int64_t>()};
    if (!same_boot) {  // never longer than it was meant, whatever the wall clock says now
      const auto whole = facts.deadline - facts.since;
      facts.deadline = std::min(facts.deadline, time.now + whole);
    }
    color.drain = facts;
  }
  if (color.state == ColorState::draining && !color.drain) {
    throw std::runtime_error(color.name + " drains without a deadline");
  }
  return color;
}

std::vector<FleetColor> read_colors(const Json& list, bool same_boot, const TimeBase& time) {
  std::vector<FleetColor> colors;
  for (const Json& one : list) colors.push_back(read_color(one, same_boot, time));
  return colors;
}

SavedState read_saved(const Json& json, const TimeBase& time) {
  SavedState state;
  const bool same_boot =
      !time.boot_id.empty() && json.at("boot_id").get<std::string>() == time.boot_id;
  state.fleet.epoch = json.at("epoch").get<uint64_t>();
  state.fleet.colors = read_colors(json.at("colors"), same_boot, time);
  state.fleet.parked = read_colors(json.at("parked"), same_boot, time);
  const Json& hold = json.at("hold");
  state.fleet.hold.on = hold.at("on").get<bool>();
  state.fleet.hold.max = hold.at("max").get<int>();
  state.fleet.hold.timeout = base::Millis{hold.at("timeout_ms").get<int64_t>()};
  for (const Json& one : json.at("health")) {
    SavedHealth health;
    health.color = one.at("color").get<std::string>();
    health.port = one.at("port").get<std::string>() == "websocket" ? routing::Port::websocket
                                                                   : routing::Port::http;
    health.address = one.at("address").get<std::string>();
    health.seen = base::WallTime{base::Millis{one.at("seen_ms").get<int64_t>()}};
    state.health.push_back(std::move(health));
  }
  if (!unhex(json.at("draw_key").get<std::string>(), state.draw_key)) {
    throw std::runtime_error("draw_key");
  }
  // Absent in files of earlier versions.
  if (json.contains("actions")) state.actions = read_actions(json.at("actions"), same_boot, time);
  if (json.contains("redraw")) {
    const Json& redraw = json.at("redraw");
    if (auto color = state.fleet.color_named(redraw.at("color").get<std::string>())) {
      state.fleet.redraw = {static_cast<routing::ColorIndex>(*color),
                            redraw.at("epoch").get<uint64_t>()};
    }
  }
  if (json.contains("scale")) state.scale = read_scale(json.at("scale"), same_boot, time);
  if (json.contains("rollout")) state.rollout = read_rollout(json.at("rollout"), same_boot, time);
  return state;
}

}  // namespace

TimeBase time_base(const base::Clock& clock) {
  TimeBase time{clock.now(), clock.wall(), {}};
  if (auto id = base::read_file("/proc/sys/kernel/random/boot_id", 256)) {
    time.boot_id = id->substr(0, id->find('\n'));
  }
  return time;
}

std::string write_state(const SavedState& state, const TimeBase& time) {
  Json json = {{"boot_id", time.boot_id},
               {"saved_ms", time.wall.time_since_epoch().count()},
               {"epoch", state.fleet.epoch},
               {"colors", Json::array()},
               {"parked", Json::array()},
               {"hold",
                {{"on", state.fleet.hold.on},
                 {"max", state.fleet.hold.max},
                 {"timeout_ms", state.fleet.hold.timeout.count()}}},
               {"health", Json::array()},
               {"draw_key", hex(state.draw_key)},
               {"actions", write_actions(state.actions, time)}};
  json["rollout"] = write_rollout(state.rollout, time);
  json["scale"] = write_scale(state.scale, time);
  const auto& redraw = state.fleet.redraw;
  if (redraw && redraw->color < state.fleet.colors.size()) {
    json["redraw"] = {{"color", state.fleet.colors[redraw->color].name}, {"epoch", redraw->epoch}};
  }
  for (const FleetColor& color : state.fleet.colors) {
    json["colors"].push_back(write_color(color, time));
  }
  for (const FleetColor& color : state.fleet.parked) {
    json["parked"].push_back(write_color(color, time));
  }
  for (const SavedHealth& one : state.health) {
    json["health"].push_back({{"color", one.color},
                              {"port", one.port == routing::Port::http ? "http" : "websocket"},
                              {"address", one.address},
                              {"seen_ms", one.seen.time_since_epoch().count()}});
  }
  Json file = {{"schema", kSchema}, {"reads", kReads}, {"sum", sum_of(json.dump())}};
  file["state"] = std::move(json);
  return file.dump(1) + "\n";
}

base::Result<SavedState> parse_state(std::string_view text, const TimeBase& time) {
  try {
    const Json file = Json::parse(text);
    if (file.at("reads").get<int>() > kSchema) {
      return base::fail(ErrorCode::bad_input, Side::proxy,
                        "its schema " + file.at("schema").dump() + " is newer than this program");
    }
    const Json& state = file.at("state");
    if (sum_of(state.dump()) != file.at("sum").get<std::string>()) {
      return base::fail(ErrorCode::bad_input, Side::proxy, "its check sum is wrong");
    }
    return read_saved(state, time);
  } catch (const std::exception& error) {
    return base::fail(ErrorCode::bad_input, Side::proxy, error.what());
  }
}

base::Result<> StateFile::save(const SavedState& state, const TimeBase& time) {
  return base::write_file_durably(path_, write_state(state, time), 0600, /*keep_old=*/true);
}

base::Result<StateFile::Loaded> StateFile::load(const TimeBase& time) const {
  const std::string old = path_ + std::string(kOldSuffix);
  std::string faults;
  bool any = false;
  for (const std::string& path : {path_, old}) {
    auto text = base::read_file(path, kBytesMax);
    const bool is_missing = !text && text.error().code == ErrorCode::not_found;
    any = any || !is_missing;
    auto state =
        text ? parse_state(*text, time) : base::Result<SavedState>(tl::unexpected(text.error()));
    if (state) return Loaded{true, std::move(*state), faults};
    if (!faults.empty()) faults += "; ";
    faults += path + ": " + state.error().detail;
  }
  if (!any) return Loaded{};
  return base::fail(ErrorCode::io_failed, Side::proxy,
                    "no usable state: " + faults + " (move it away to start from the config)");
}

}  // namespace control

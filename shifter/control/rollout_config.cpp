#include "shifter/control/rollout_config.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>
#include <optional>

namespace control {
namespace {

using base::Millis;
using base::Section;

constexpr Millis kDay{86'400'000};
constexpr size_t kStepsMax = 20;
constexpr std::array<std::string_view, 7> kWeekdays = {"sun", "mon", "tue", "wed",
                                                       "thu", "fri", "sat"};

std::optional<int> number_in(std::string_view text, int least, int most) {
  int value = 0;
  const char* end = text.data() + text.size();
  auto [at, error] = std::from_chars(text.data(), end, value);
  if (text.empty() || error != std::errc() || at != end || value < least || value > most) {
    return std::nullopt;
  }
  return value;
}

// "08:30"; 24:00 is the end of the day.
std::optional<int> minute_of(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  const auto hour = number_in(text.substr(0, 2), 0, 24);
  const auto minute = number_in(text.substr(3), 0, 59);
  if (!hour || !minute || (*hour == 24 && *minute != 0)) return std::nullopt;
  return *hour * 60 + *minute;
}

std::string text_of_minute(int minute) {
  std::string text = std::to_string(minute / 60 / 10) + std::to_string(minute / 60 % 10) + ":";
  return text + std::to_string(minute % 60 / 10) + std::to_string(minute % 10);
}

void read_minute(Section& section, std::string_view key, int& minute) {
  std::string text = text_of_minute(minute);
  section.read(key, text);
  if (auto read = minute_of(text)) {
    minute = *read;
  } else {
    section.fault(key, "\"" + text + "\" is not a time of day such as \"08:30\"");
  }
}

RolloutWindow read_window(Section section) {
  RolloutWindow window;
  read_minute(section, "from", window.from_minute);
  read_minute(section, "to", window.to_minute);
  std::vector<std::string> words;
  section.read("weekdays", words);
  for (const std::string& word : words) {
    const auto at = std::find(kWeekdays.begin(), kWeekdays.end(), word);
    if (at == kWeekdays.end()) {
      section.fault("weekdays", "\"" + word + "\" is none of sun mon tue wed thu fri sat");
    } else {
      window.weekdays.push_back(static_cast<int>(at - kWeekdays.begin()));
    }
  }
  words.clear();
  section.read("except_month_days", words);
  for (const std::string& word : words) {
    if (auto day = number_in(word, 1, 31)) {
      window.except_month_days.push_back(*day);
    } else {
      section.fault("except_month_days", "\"" + word + "\" is no day from 1 to 31");
    }
  }
  if (window.from_minute == window.to_minute) section.fault("to", "the window is never open");
  return window;
}

NotifyConfig read_notify(Section section) {
  NotifyConfig notify;
  section.read("webhook", notify.webhook);
  section.read("exec", notify.exec);
  section.read("timeout", notify.timeout, Millis{100}, Millis{60'000});
  if (!notify.webhook.empty() && notify.webhook.rfind("http://", 0) != 0) {
    section.fault("webhook", "an address that begins with http:// is needed");
  }
  return notify;
}

bool is_between(int minute, int from, int to) {
  return from <= to ? minute >= from && minute < to : minute >= from || minute < to;
}

}  // namespace

bool RolloutWindow::is_open(base::WallTime at) const {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(at);
  std::tm local{};
  if (localtime_r(&seconds, &local) == nullptr) return false;
  const auto has = [](const std::vector<int>& days, int day) {
    return std::find(days.begin(), days.end(), day) != days.end();
  };
  if (!weekdays.empty() && !has(weekdays, local.tm_wday)) return false;
  if (has(except_month_days, local.tm_mday)) return false;
  return is_between(local.tm_hour * 60 + local.tm_min, from_minute, to_minute);
}

std::vector<int> parse_steps(std::string_view text) {
  std::vector<int> steps;
  while (true) {
    const size_t end = text.find(',');
    const auto step = number_in(text.substr(0, end), steps.empty() ? 1 : steps.back() + 1, 100);
    if (!step || steps.size() == kStepsMax) return {};
    steps.push_back(*step);
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  if (steps.back() != 100) return {};
  return steps;
}

std::string text_of_steps(const std::vector<int>& steps) {
  std::string text;
  for (int step : steps) text += (text.empty() ? "" : ",") + std::to_string(step);
  return text;
}

std::string text_of(const RolloutWindow& window) {
  std::string text = text_of_minute(window.from_minute) + "-" + text_of_minute(window.to_minute);
  for (int day : window.weekdays) text += " " + std::string(kWeekdays[static_cast<size_t>(day)]);
  if (!window.except_month_days.empty()) text += " but on the";
  for (int day : window.except_month_days) text += " " + std::to_string(day);
  return text;
}

RolloutConfig read_rollout_config(Section section) {
  RolloutConfig config;
  std::vector<std::string> steps;
  section.read("steps", steps);
  if (!steps.empty()) {
    std::string text;
    for (const std::string& step : steps) text += (text.empty() ? "" : ",") + step;
    config.steps = parse_steps(text);
    if (config.steps.empty()) {
      section.fault("steps", "rising percents from 1, the last is 100, at most 20 of them");
      config.steps = {100};
    }
  }
  section.read("step_min", config.step_min, Millis{0}, kDay);
  section.read("hold_max", config.hold_max, Millis{1'000}, 7 * kDay);
  section.read("bake", config.bake, Millis{0}, kDay);
  section.read("bake_hold_max", config.bake_hold_max, Millis{1'000}, 7 * kDay);
  std::string what(text_of(config.on_no_evidence));
  section.read_word("on_no_evidence", what, {"keep", "promote", "rollback"});
  if (what == "promote") config.on_no_evidence = OnNoEvidence::promote;
  if (what == "rollback") config.on_no_evidence = OnNoEvidence::rollback;
  section.read("warm_for", config.warm_for, Millis{0}, Millis{3'600'000});
  section.read("prepare_max", config.prepare_max, Millis{1'000}, kDay);
  section.read("look", config.look, Millis{100}, Millis{60'000});
  section.read("rollback_step", config.rollback_step, Millis{0}, Millis{3'600'000});
  section.read("scale_bake", config.scale_bake, Millis{0}, kDay);
  section.read("stop_max", config.stop_max, Millis{1'000}, kDay);
  section.read("pre_canary", config.pre_canary);
  section.read("post_switch", config.post_switch);
  config.window = read_window(section.section("window"));
  config.notify = read_notify(section.section("notify"));
  return config;
}

}  // namespace control

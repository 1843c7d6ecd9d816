#include "shifter/cli/rollout_view.h"

#include <nlohmann/json.hpp>

#include "shifter/cli/units.h"

namespace cli {
namespace {

using Json = nlohmann::ordered_json;

std::string text(const Json& object, const char* key) {
  if (!object.is_object() || !object.contains(key)) return {};
  const Json& value = object.at(key);
  return printable(value.is_string() ? value.get<std::string>() : value.dump());
}

std::string number(const Json& object, const char* key) {
  if (!object.contains(key) || !object.at(key).is_number()) return "-";
  char line[40];
  std::snprintf(line, sizeof line, "%.3g", object.at(key).get<double>());
  return line;
}

// "error 3/40, control 2/380, evidence 12 of 66.7"
std::string evidence_line(const Json& signal) {
  std::string name = text(signal, "signal");
  name.resize(std::max<size_t>(name.size(), 9), ' ');
  std::string line = name + " " + text(signal, "canary_bad") + "/" +
                     text(signal, "canary_exposed") + ", control " + text(signal, "control_bad") +
                     "/" + text(signal, "control_exposed") + ", evidence " +
                     number(signal, "e_value") + " of " + number(signal, "limit");
  if (const std::string missing = text(signal, "missing"); !missing.empty()) {
    line += ", missing " + missing;
  }
  return line;
}

std::string past_line(const Json& past) {
  std::string line = text(past, "number") + "  " + text(past, "purpose") + " " +
                     text(past, "canary") + " (release " + text(past, "release") +
                     "): " + text(past, "end") + ", " + text(past, "ended");
  if (const std::string why = text(past, "text"); !why.empty()) line += ": " + why;
  return line + "\n";
}

std::string history_text(const Json& answer) {
  std::string out;
  for (const Json& past : answer.at("rollouts")) out += past_line(past);
  if (out.empty()) out = "no rollout was ever over\n";
  std::vector<Row> rows = {{"release", "color", "state", "label", "image", "since"}};
  for (const Json& one : answer.at("releases")) {
    std::string mark = one.value("way_back", false) ? " (way back)" : "";
    rows.push_back({text(one, "number"), text(one, "color"), text(one, "state") + mark,
                    text(one, "label"), text(one, "image"), text(one, "since")});
  }
  if (rows.size() > 1) out += table_text(rows);
  const Json& aa = answer.at("aa");
  if (aa.at("ends").get<int64_t>() > 0) {
    out += "same against same: " + text(aa, "rollbacks") + " of " + text(aa, "ends") +
           " were rolled back\n";
  }
  return out;
}

std::string explain_text(const Json& answer) {
  const Json& rollout = answer.at("rollout");
  std::string out = "rollout " + text(rollout, "number") + ", " + text(rollout, "purpose") +
                    " of " + text(rollout, "canary") + " against " + text(rollout, "stable") + "\n";
  if (rollout.contains("state")) out += "state: " + text(rollout, "state") + "\n";
  if (rollout.contains("end")) out += "end: " + text(rollout, "end") + "\n";
  if (const std::string why = text(rollout, "text"); !why.empty()) out += "why: " + why + "\n";
  if (!rollout.contains("verdict")) return out;
  const Json& verdict = rollout.at("verdict");
  out += "verdict: " + text(verdict, "kind") + ", " + text(verdict, "text") + "\n";
  for (const Json& signal : verdict.at("signals")) out += "  " + evidence_line(signal) + "\n";
  if (!answer.contains("replay") || !answer.at("replay").is_object()) return out;
  const Json& replay = answer.at("replay");
  out += "made again from the stored counts: ";
  out += replay.value("same", false) ? "the same verdict\n"
                                     : text(replay.at("verdict"), "text") + "\n";
  return out;
}

std::string simulate_text(const Json& answer) {
  std::string out = text(answer, "policy") + " with the traffic of " + text(answer, "color") +
                    ", " + number(answer, "recorded_hours") + " hours of it:\n";
  std::vector<Row> rows = {{"share", "hours", "canary sessions", "floors"}};
  for (const Json& step : answer.at("steps")) {
    rows.push_back({text(step, "share") + " %", number(step, "hours"), number(step, "sessions"),
                    step.value("reached", false) ? "met" : "not met"});
  }
  if (rows.size() > 1) out += table_text(rows);
  out += "equal colors: " + text(answer, "false_rollbacks") + " of " + text(answer, "runs") +
         " replays rolled back\n";
  return out + "faults " + number(answer, "worse") + " times as often: " + text(answer, "found") +
         " of " + text(answer, "runs") + "\n";
}

std::string lock_text(const Json& lock) {
  if (!lock.is_object()) return {};
  return text(lock.at("who"), "user") + "@" + text(lock.at("who"), "host") + " for " +
         seconds_text(lock.value("age_s", int64_t{0})) + ": " + text(lock, "reason");
}

}  // namespace

bool is_rollout_verb(std::string_view verb) {
  for (const char* one : {"canary", "switch", "rollback", "pause", "resume", "promote", "abort",
                          "lock", "unlock", "history", "explain", "simulate"}) {
    if (verb == one) return true;
  }
  return false;
}

RolloutView rollout_view(const Json& status) {
  RolloutView view;
  if (status.contains("lock")) view.lock = lock_text(status.at("lock"));
  if (!status.contains("rollout") || !status.at("rollout").is_object()) return view;
  const Json& rollout = status.at("rollout");
  view.known = true;
  view.state = text(rollout, "state");
  view.number = rollout.value("number", int64_t{0});
  view.canary = text(rollout, "canary");
  view.stable = text(rollout, "stable");
  view.end = text(rollout, "end");
  view.end_text = text(rollout, "text");
  view.purpose = text(rollout, "purpose");
  view.steps = text(rollout, "steps");
  view.share = rollout.value("share", int64_t{0});
  view.since_s = rollout.value("since_s", int64_t{0});
  view.deadline_in_s = rollout.value("deadline_in_s", int64_t{-1});
  view.waits_for_window = rollout.value("waits_for_window", false);
  view.would_roll_back = text(rollout, "would_roll_back");
  if (rollout.contains("verdict")) {
    view.verdict = text(rollout.at("verdict"), "text");
    for (const Json& signal : rollout.at("verdict").at("signals")) {
      view.evidence.push_back(evidence_line(signal));
    }
  }
  return view;
}

std::vector<std::string> rollout_lines(const RolloutView& rollout) {
  std::vector<std::string> lines;
  if (rollout.is_idle()) {
    if (!rollout.lock.empty()) lines.push_back("locked by " + rollout.lock);
    return lines;
  }
  std::string head = rollout.purpose + " " + rollout.canary + ": " + rollout.state + " for " +
                     seconds_text(rollout.since_s) + ", steps " + rollout.steps;
  if (rollout.deadline_in_s >= 0) {
    head += ", at most " + seconds_text(rollout.deadline_in_s) + " more";
  }
  if (rollout.waits_for_window) head += ", waits for its window";
  lines.push_back(std::move(head));
  for (const std::string& line : rollout.evidence) lines.push_back("  " + line);
  if (rollout.evidence.empty() && !rollout.verdict.empty()) lines.push_back("  " + rollout.verdict);
  if (!rollout.would_roll_back.empty()) {
    lines.push_back("would roll back: " + rollout.would_roll_back);
  }
  return lines;
}

std::string rollout_text(std::string_view verb, const Json& answer) {
  if (verb == "history") return history_text(answer);
  if (verb == "explain") return explain_text(answer);
  if (verb == "simulate") return simulate_text(answer);
  if (verb == "lock" || verb == "unlock") {
    const std::string lock = lock_text(answer.at("lock"));
    return lock.empty() ? "nobody holds the lock\n" : "the lock is held by " + lock + "\n";
  }
  std::string out = text(answer, "text");
  if (!out.empty()) out += "\n";
  if (answer.value("dry_run", false)) return out + "it could begin now; nothing was changed\n";
  const RolloutView view = rollout_view(answer);
  return out + "rollout " + std::to_string(view.number) + " of " + view.canary + ": " + view.state +
         " (epoch " + text(answer, "epoch") + ")\n";
}

}  // namespace cli

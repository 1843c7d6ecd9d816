#include "shifter/cli/doctor.h"

#include <sys/stat.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "proxy/base/files.h"
#include "proxy/base/yaml_tree.h"
#include "proxy/base/yaml_values.h"
#include "shifter/cli/admin_connection.h"
#include "shifter/cli/units.h"
#include "shifter/policy/policy.h"

namespace cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kConfig = "/etc/sidecar/sidecar.yaml";
constexpr int64_t kStateFreeMin = 64 << 20;
constexpr int64_t kSchemaOfDoctor = 1;

const base::YamlNode* find(const base::YamlNode* node, std::string_view key) {
  if (node == nullptr) return nullptr;
  for (const auto& [name, value] : node->entries) {
    if (name.scalar == key) return &value;
  }
  return nullptr;
}

void take(const base::YamlNode& root, std::string_view section, std::string_view key,
          std::string& value) {
  const base::YamlNode* found = find(find(&root, section), key);
  if (found != nullptr && found->kind == base::YamlNode::Kind::scalar) value = found->scalar;
}

std::string folder_of(const std::string& file) {
  const size_t slash = file.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : file.substr(0, slash);
}

std::optional<std::string> ask(const std::string& socket, std::string_view line,
                               std::string& fault) {
  auto connection = AdminConnection::open(socket);
  if (!connection) {
    fault = connection.error().detail;
    return std::nullopt;
  }
  if (auto sent = connection->send(line); !sent) {
    fault = sent.error().detail;
    return std::nullopt;
  }
  auto answer = connection->receive();
  if (!answer) {
    fault = answer.error().detail;
    return std::nullopt;
  }
  return *std::move(answer);
}

void check_daemon(const std::string& socket, Diagnosis& diagnosis) {
  std::string fault;
  const auto status = ask(socket, "status", fault);
  diagnosis.checked.emplace_back("socket");
  if (!status) {
    diagnosis.findings.push_back(
        {"socket", socket, fault, "start the sidecar, or name its socket with --socket"});
    return;
  }
  struct stat seen {};
  if (::stat(socket.c_str(), &seen) == 0 && (seen.st_mode & S_IRWXO) != 0) {
    diagnosis.findings.push_back({"socket", socket, "everybody may write to it",
                                  "admin.mode: \"0660\" in the sidecar's config"});
  }
  check_status(*status, diagnosis);
  if (const auto actions = ask(socket, "actions", fault)) check_agent(*actions, diagnosis);
}

}  // namespace

DoctorFacts read_doctor_facts(const std::string& config, Diagnosis& diagnosis) {
  DoctorFacts facts;
  auto text = base::read_file(config, 1 << 20);
  if (!text) {
    diagnosis.not_checked.push_back(
        {"config", config, text.error().detail, "name the sidecar's config: config=FILE"});
    return facts;
  }
  std::vector<base::ConfigFault> faults;  // told by the sidecar's own check
  const base::YamlNode root = base::read_yaml_tree(config, *text, faults);
  take(root, "scaling", "policy", facts.policy);
  take(root, "state", "file", facts.state_file);
  take(root, "spool", "dir", facts.spool);
  std::string free_min;
  take(root, "spool", "min_free", free_min);
  facts.spool_free_min = base::parse_size(free_min).value_or(facts.spool_free_min);
  if (const base::YamlNode* colors = find(&root, "colors"); colors && !colors->entries.empty()) {
    facts.colors.clear();
    for (const auto& [name, value] : colors->entries) facts.colors.push_back(name.scalar);
  }
  check_config(config, diagnosis);
  return facts;
}

void check_policy(const std::string& file, Diagnosis& diagnosis) {
  diagnosis.checked.emplace_back("policy");
  for (const base::ConfigFault& fault : policy::load(file).faults) {
    diagnosis.findings.push_back({"policy", fault.file + ":" + std::to_string(fault.line),
                                  (fault.key.empty() ? "" : fault.key + ": ") + fault.message,
                                  "mend this line; the policy before holds until then"});
  }
}

void check_status(std::string_view status, Diagnosis& diagnosis) {
  const Json seen = Json::parse(status, nullptr, false);
  if (!seen.is_object() || !seen.value("ok", false)) {
    diagnosis.findings.push_back({"status", "status", "an answer that is none",
                                  "shifter and sidecar should be of one version"});
    return;
  }
  diagnosis.checked.emplace_back("status");
  for (const Json& reason : seen.value("degraded", Json::array())) {
    if (!reason.is_string()) continue;
    diagnosis.findings.push_back(
        {"status", "status", reason.get<std::string>(), "shifter status, shifter events follow"});
  }
  const Json scaler = seen.value("scaler", Json::object());
  if (!scaler.is_object()) return;
  const std::string decision = scaler.value("decision", "");
  const std::string detail = scaler.value("detail", "");
  if (decision == "hold(down_threshold_unreachable)") {
    diagnosis.findings.push_back({"policy", "scaler", detail,
                                  "even idle it is above scale_down.p95_latency_s: choose "
                                  "rule: little, or a higher edge"});
  } else if (decision == "refused(slots)") {
    diagnosis.findings.push_back(
        {"policy", "scaler", detail, "colors.COLOR.slots: auto, or a number above max_workers"});
  }
}

void check_agent(std::string_view actions, Diagnosis& diagnosis) {
  const Json seen = Json::parse(actions, nullptr, false);
  const Json agent = seen.is_object() ? seen.value("agent", Json::object()) : Json::object();
  if (!agent.is_object() || !agent.contains("connected")) {
    diagnosis.not_checked.push_back({"agent", "actions", "the daemon does not tell", ""});
    return;
  }
  diagnosis.checked.emplace_back("agent");
  if (!agent.value("connected", false)) {
    diagnosis.findings.push_back({"agent", "agent", "no agent is connected: nothing is deployed, "
                                                    "stopped or scaled",
                                  "start shifter agent --config FILE; its uid belongs into "
                                  "admin.agent_uids"});
    return;
  }
  const Json figures = agent.value("figures", Json::object());
  const Json observed = figures.value("workers", Json::object());
  const Json written = figures.value("env_workers", Json::object());
  diagnosis.checked.emplace_back("workers");
  for (const auto& [color, wanted] : written.items()) {
    if (!observed.contains(color) || !wanted.is_number_integer()) continue;
    const Json& counted = observed.at(color);
    if (!counted.is_number_integer() || counted == wanted) continue;
    // A restart keeps the environment that the container was made with.
    diagnosis.findings.push_back(
        {"workers", color, "env " + wanted.dump() + ", observed " + counted.dump(),
         "a restart does not read the file again: deploy the color (shifter scale, or a rollout), "
         "or see whether its image reads the number"});
  }
}

std::string doctor_text(const Diagnosis& diagnosis) {
  std::string text;
  for (const Finding& one : diagnosis.findings) {
    text += printable(one.check + ": " + one.place + ": " + one.found) + "\n";
    if (!one.advice.empty()) text += "    do: " + printable(one.advice) + "\n";
  }
  for (const Finding& one : diagnosis.not_checked) {
    text += printable("not checked: " + one.check + ": " + one.place + ": " + one.found) + "\n";
    if (!one.advice.empty()) text += "    do: " + printable(one.advice) + "\n";
  }
  std::string checked;
  for (const std::string& one : diagnosis.checked) checked += " " + one;
  text += diagnosis.findings.empty() ? "nothing was found;" : "";
  return text + (diagnosis.findings.empty() ? " checked:" : "checked:") + checked + "\n";
}

std::string doctor_json(const Diagnosis& diagnosis) {
  const auto list = [](const std::vector<Finding>& findings) {
    Json all = Json::array();
    for (const Finding& one : findings) {
      all.push_back({{"check", one.check},
                     {"place", one.place},
                     {"found", one.found},
                     {"do", one.advice}});
    }
    return all;
  };
  const Json json = {{"ok", true},
                     {"schema", kSchemaOfDoctor},
                     {"healthy", diagnosis.findings.empty()},
                     {"checked", diagnosis.checked},
                     {"findings", list(diagnosis.findings)},
                     {"not_checked", list(diagnosis.not_checked)}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

int run_doctor(const Arguments& arguments, const Console& console) {
  for (const auto& [key, value] : arguments.keys) {
    if (key == "config" || key == "compose" || key == "policy") continue;
    console.complain("usage: doctor [config=FILE] [compose=FILE] [policy=FILE]");
    return kUsage;
  }
  if (!arguments.words.empty()) {
    console.complain("usage: doctor [config=FILE] [compose=FILE] [policy=FILE]");
    return kUsage;
  }
  Diagnosis diagnosis;
  const DoctorFacts facts =
      read_doctor_facts(arguments.key("config").value_or(kConfig), diagnosis);
  const std::string policy = arguments.key("policy").value_or(facts.policy);
  if (!policy.empty()) check_policy(policy, diagnosis);
  if (auto compose = arguments.key("compose")) {
    check_compose(*compose, facts.colors, diagnosis);
  } else {
    diagnosis.not_checked.push_back({"compose", "", "no file was named", "compose=FILE"});
  }
  check_daemon(arguments.socket, diagnosis);
  check_disk("disk", facts.spool, facts.spool_free_min, diagnosis);
  check_disk("disk", folder_of(facts.state_file), kStateFreeMin, diagnosis);
  check_clock(diagnosis);
  console.print(arguments.json ? doctor_json(diagnosis) : doctor_text(diagnosis));
  return diagnosis.findings.empty() ? kDone : kNotReached;
}

}  // namespace cli

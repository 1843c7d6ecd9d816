// An agent that a test plays: takes one action after the other from the admin socket, says that it
// began, does what the test says and says how it ended.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "tests/integration/harness/sidecar_process.h"

namespace harness {

class ScriptedAgent {
 public:
  // Answers more words of the report "done", such as "workers=green:4". In the agent's thread.
  using Script = std::function<std::string(const nlohmann::json& action)>;

  // `figures`: said with every take, asked for each time.
  ScriptedAgent(const SidecarProcess& sidecar, std::function<std::string()> figures, Script script)
      : admin_(sidecar.socket_path()), figures_(std::move(figures)), script_(std::move(script)) {
    const nlohmann::json hello = said("agent hello journal=test pid=1 " + figures_());
    session_ = std::to_string(hello.at("session").get<int64_t>());
    thread_ = std::thread([this] { run(); });
  }
  ~ScriptedAgent() {
    ending_ = true;
    thread_.join();
  }
  ScriptedAgent(const ScriptedAgent&) = delete;

  // "deploy green", "notify green end", in the order in which they were done.
  std::vector<std::string> did() const {
    const std::lock_guard lock(mutex_);
    return did_;
  }
  // What came of it if the socket failed; "" is good.
  std::string fault() const {
    const std::lock_guard lock(mutex_);
    return fault_;
  }

 private:
  nlohmann::json said(const std::string& line) {
    nlohmann::json answer = nlohmann::json::parse(admin_.ask(line));
    if (!answer.at("ok").get<bool>()) throw Failure(line + " → " + answer.dump());
    return answer;
  }
  void run() {
    try {
      while (!ending_) {
        const nlohmann::json taken =
            said("actions take session=" + session_ + " wait=200ms " + figures_());
        if (!taken.at("action").is_null()) carry_out(taken.at("action"));
      }
    } catch (const std::exception& failure) {
      const std::lock_guard lock(mutex_);
      fault_ = failure.what();
    }
  }
  void carry_out(const nlohmann::json& action) {
    const std::string report = "actions report " + std::to_string(action.at("id").get<int64_t>()) +
                               " session=" + session_ + " state=";
    said(report + "started");
    const std::string more = script_(action);
    {
      const std::lock_guard lock(mutex_);
      did_.push_back(name_of(action));
    }
    said(report + "done " + more);
  }

  static std::string name_of(const nlohmann::json& action) {
    const nlohmann::json& arguments = action.at("arguments");
    const std::string kind = action.at("kind");
    const std::string color = action.at("color");
    if (kind != "custom") return kind + " " + color;
    return arguments.value("hook", "") + " " + color + " " + arguments.value("kind", "");
  }

  AdminClient admin_;
  std::function<std::string()> figures_;
  Script script_;
  std::string session_;
  std::atomic<bool> ending_{false};
  mutable std::mutex mutex_;
  std::vector<std::string> did_;
  std::string fault_;
  std::thread thread_;
};

}  // namespace harness

// What a sidecar told about its rollout: the states in their order, with the time of each.
#pragma once

#include <sys/socket.h>

#include <cstdio>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "tests/integration/harness/sidecar_process.h"

namespace harness {

class RolloutStory {
 public:
  struct Chapter {
    std::string state;  // "canary(10)"
    std::string end;    // "rolled_back(error)", where it is known
    std::string text;   // and why
    double at_s = 0;    // since the story began
  };

  // Follows the events until the sidecar or this object ends.
  explicit RolloutStory(const SidecarProcess& sidecar) : admin_(sidecar.socket_path()) {
    admin_.send("events follow");
    thread_ = std::thread([this] { listen(); });
  }
  ~RolloutStory() {
    ::shutdown(admin_.socket().descriptor(), SHUT_RDWR);
    thread_.join();
  }
  RolloutStory(const RolloutStory&) = delete;

  std::vector<Chapter> chapters() const {
    const std::lock_guard lock(mutex_);
    return chapters_;
  }
  // The first chapter with this state; `at_s` is negative if there was none.
  Chapter find(const std::string& state) const {
    for (const Chapter& one : chapters()) {
      if (one.state == state) return one;
    }
    return {{}, {}, {}, -1};
  }
  // Throws with all that was told when it does not come in time.
  Chapter wait_for(const std::string& state, Millis within) const {
    try {
      await(
          state, [&] { return find(state).at_s >= 0; }, within);
    } catch (const Failure& failure) {
      throw Failure(std::string(failure.what()) + "; it told:\n" + text());
    }
    return find(state);
  }
  std::string text() const {
    std::string text;
    for (const Chapter& one : chapters()) {
      char at[24];
      std::snprintf(at, sizeof at, "%6.2f s ", one.at_s);
      text += at + one.state + (one.end.empty() ? "" : " " + one.end + ": " + one.text) + "\n";
    }
    return text;
  }

 private:
  void listen() {
    try {
      for (;;) {
        const nlohmann::json event = nlohmann::json::parse(admin_.read_line(Millis{600'000}));
        if (event.value("event", "") != "rollout") continue;
        const std::lock_guard lock(mutex_);
        chapters_.push_back({event.value("state", ""), event.value("end", ""),
                             event.value("text", ""), seconds_since(began_)});
      }
    } catch (const std::exception&) {
      // the end of the stream
    }
  }

  AdminClient admin_;
  SteadyClock::time_point began_ = SteadyClock::now();
  mutable std::mutex mutex_;
  std::vector<Chapter> chapters_;
  std::thread thread_;
};

}  // namespace harness

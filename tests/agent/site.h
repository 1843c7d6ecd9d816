// Where the scenes take place: a compose project of stand-in images, on a Docker engine or with the
// recording stand-in for docker; and a real agent that serves it.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tests/agent/control_desk.h"
#include "tests/integration/harness/process.h"

namespace agent_tests {

class Site {
 public:
  // `on_engine`: with docker and docker-compose as installed. The project runs when this returns.
  // `limits`: what the agent waits for at most; a scene that waits in vain asks for less.
  explicit Site(bool on_engine, const std::string& more_config = "",
                const std::string& limits = "health: 15s, count: 4s");
  ~Site();
  Site(const Site&) = delete;
  Site& operator=(const Site&) = delete;

  ControlDesk& desk() { return desk_; }
  harness::Process& agent() { return *agent_; }
  void start_agent();  // and waits until it has said hello

  std::string env() const { return harness::read_text(folder_ / ".env"); }
  std::string env_value(const std::string& key) const;
  void set_env(const std::string& key, const std::string& value);
  std::string folder(const std::string& name) const { return folder_ / name; }

  // Container ids by service, running or not; services without one are absent.
  std::map<std::string, std::string> containers() const;
  std::string status_of(const std::string& service) const;  // running, exited, created, none
  std::string image_of(const std::string& service) const;   // id
  int workers_of(const std::string& service) const;
  std::string image_id(const std::string& name) const;
  void tag(const std::string& image, const std::string& name);  // NAME means IMAGE from now on
  void compose(std::vector<std::string> words) const;           // must succeed

  // To the file that AGENT_SCENES_LOG names, if it does: a scene's containers, and what was said.
  void note(const std::string& title) const;
  // What became of the agent's log and of the calls; for people who read a failure.
  std::string story() const;

 private:
  void prepare_standin();
  void build_images();
  std::string docker(std::vector<std::string> words) const;

  bool on_engine_;
  harness::TempFolder folder_;
  std::string path_before_;
  std::string project_;
  std::vector<std::string> tags_;
  ControlDesk desk_;
  std::unique_ptr<harness::Process> agent_;
};

// Whether an engine answers, and docker-compose is there.
bool has_engine();

}  // namespace agent_tests

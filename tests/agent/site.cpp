#include "tests/agent/site.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/agent/standin_docker.h"

namespace agent_tests {
namespace {

using harness::Failure;
using harness::program;
using harness::read_text;
using harness::write_text;
using nlohmann::json;

const std::map<std::string, std::map<std::string, std::string>> kImages = {
    {"shifter-stub:1", {}},
    {"shifter-stub:2", {{"RELEASE", "2"}}},
    {"shifter-stub:deaf", {{"DEAF", "1"}}},
    {"shifter-stub:sick", {{"SICK", "1"}}}};

std::string trimmed(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

}  // namespace

bool has_engine() {
  static const bool answers = [] {
    try {
      return harness::run_program(
                 {"/usr/bin/env", "docker", "version", "--format", "{{.Server.Version}}"})
                     .code == 0 &&
             harness::run_program({"/usr/bin/env", "docker-compose", "version"}).code == 0;
    } catch (const Failure&) {
      return false;
    }
  }();
  return answers;
}

Site::Site(bool on_engine, const std::string& more_config, const std::string& limits)
    : on_engine_(on_engine), path_before_(std::getenv("PATH")) {
  project_ = "agentscene" + std::to_string(::getpid());
  write_text(folder_ / ".env",
             "# colors\nIMAGE_BLUE=shifter-stub:1\nIMAGE_GREEN=shifter-stub:1\n"
             "WORKERS_BLUE=2\nWORKERS_GREEN=2");
  std::filesystem::copy_file(SOURCE_FOLDER "/tests/agent/compose.yml", folder_ / "compose.yml");
  on_engine_ ? build_images() : prepare_standin();
  compose({"up", "-d"});
  write_text(
      folder_ / "agent.yaml",
      "socket: " + desk_.socket() + "\njournal: " + folder_ / "journal/journal.json" +
          "\nenv_file: " + folder_ / ".env" + "\ncompose: { folder: " + folder_.path() +
          ", project: " + project_ + ", files: [compose.yml] }\n" +
          "colors:\n"
          "  blue: { service: odoo_blue, workers_key: WORKERS_BLUE, image_key: IMAGE_BLUE }\n"
          "  green: { service: odoo_green, workers_key: WORKERS_GREEN, image_key: IMAGE_GREEN }\n"
          "times: { " +
          limits +
          ", poll: 100ms, stop_grace: 5s, background: 30s, "
          "reconnect: 50ms }\n" +
          more_config);
  start_agent();
}

Site::~Site() {
  agent_.reset();
  try {
    if (on_engine_) {
      std::vector<std::string> words = {"rm", "-f"};  // does not wait for anybody's end
      for (const auto& [service, id] : containers()) words.push_back(id);
      if (words.size() > 2) docker(words);
    } else {
      compose({"rm", "-s", "-f"});
    }
    for (const std::string& tag : tags_) {
      if (on_engine_) docker({"image", "rm", tag});
    }
  } catch (const Failure&) {
    // What is left is told by the next look at docker; the scene has been judged.
  }
  ::setenv("PATH", path_before_.c_str(), 1);
}

void Site::start_agent() {
  agent_.reset();
  agent_ = std::make_unique<harness::Process>(
      std::vector<std::string>{program("shifter"), "agent", "--config", folder_ / "agent.yaml"},
      folder_ / "agent.log");
  harness::await(
      "hello", [&] { return desk_.has_agent(); }, base::Millis{30'000});
}

void Site::prepare_standin() {
  std::map<std::string, StandinImage> images;
  for (const auto& [name, environment] : kImages) images[name] = {environment, {}, {}};
  for (const std::string& pair : put_standin_docker(folder_.path(), images)) {
    const size_t equals = pair.find('=');
    ::setenv(pair.substr(0, equals).c_str(), pair.substr(equals + 1).c_str(), 1);
  }
}

// From nothing but one static program. Once: they are told by what they were made from.
void Site::build_images() {
  const std::string stub =
      std::to_string(std::hash<std::string>()(read_text(program("stub_odoo"))));
  std::vector<std::string> look = {"/usr/bin/env", "docker",   "image",
                                   "inspect",      "--format", "{{.Config.Labels.stub}}"};
  std::string made;
  for (const auto& [name, environment] : kImages) {
    look.push_back(name);
    made += stub + "\n";
  }
  if (harness::run_program(look).output == made) return;
  for (const auto& [name, environment] : kImages) {
    const std::string place = folder_ / name;
    std::filesystem::create_directory(place);
    std::filesystem::copy_file(program("stub_odoo"), place + "/odoo");
    std::string file =
        "FROM scratch\nCOPY odoo /odoo\nENTRYPOINT [\"/odoo\"]\nLABEL stub=" + stub + "\n";
    for (const auto& [key, value] : environment) file += "ENV " + key + "=" + value + "\n";
    write_text(place + "/Dockerfile", file);
    docker({"build", "-q", "-t", name, place});
  }
}

std::string Site::docker(std::vector<std::string> words) const {
  words.insert(words.begin(), {"/usr/bin/env", "docker"});
  const auto end = harness::run_program(words, base::Millis{60'000});
  if (end.code != 0) throw Failure(words[2] + ": " + end.output);
  return trimmed(end.output);
}

void Site::compose(std::vector<std::string> words) const {
  words.insert(words.begin(), {"-p", project_});
  if (on_engine_) {
    words.insert(words.begin() + 2,
                 {"--project-directory", folder_.path(), "-f", folder_ / "compose.yml"});
  }
  words.insert(words.begin(), {"/usr/bin/env", "docker-compose"});
  const auto end = harness::run_program(words, base::Millis{120'000});
  if (end.code != 0) throw Failure("docker-compose: " + end.output);
}

std::string Site::env_value(const std::string& key) const {
  std::istringstream lines(env());
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind(key + "=", 0) == 0) return line.substr(key.size() + 1);
  }
  return "(none)";
}

void Site::set_env(const std::string& key, const std::string& value) {
  std::string text = env();
  const std::string old = key + "=" + env_value(key);
  text.replace(text.find(old), old.size(), key + "=" + value);
  write_text(folder_ / ".env", text);
}

std::map<std::string, std::string> Site::containers() const {
  std::istringstream rows(
      docker({"ps", "-a", "--no-trunc", "--filter", "label=com.docker.compose.project=" + project_,
              "--format", "{{.Label \"com.docker.compose.service\"}} {{.ID}}"}));
  std::map<std::string, std::string> ids;
  for (std::string service, id; rows >> service >> id;) ids[service] = id;
  return ids;
}

std::string Site::status_of(const std::string& service) const {
  const auto ids = containers();
  const auto at = ids.find(service);
  if (at == ids.end()) return "none";
  const std::string seen = docker({"inspect", "--format", "{{.State.Status}} x", at->second});
  return seen.substr(0, seen.find(' '));
}

std::string Site::image_of(const std::string& service) const {
  const std::string seen =
      docker({"inspect", "--format", "x {{.Image}}", containers().at(service)});
  return seen.substr(seen.rfind(' ') + 1);
}

int Site::workers_of(const std::string& service) const {
  std::istringstream lines(docker({"top", containers().at(service), "-eo", "pid,ppid,times,args"}));
  // Children of the first process. What docker's health check runs is nobody's child here.
  std::string heading, master;
  std::getline(lines, heading);
  int processes = 0;
  for (std::string pid, parent, rest; lines >> pid >> parent && std::getline(lines, rest);) {
    if (master.empty()) master = pid;
    processes += parent == master && rest.find("gevent") == std::string::npos ? 1 : 0;
  }
  return processes;
}

std::string Site::image_id(const std::string& name) const {
  const std::string seen = docker({"image", "inspect", "--format", "x {{.Id}}", name});
  return seen.substr(seen.rfind(' ') + 1);
}

void Site::tag(const std::string& image, const std::string& name) {
  if (on_engine_) {
    docker({"tag", image, name});
    tags_.push_back(name);
    return;
  }
  json images = json::parse(read_text(folder_ / "images.json"));
  images[name] = images.at(image);
  write_text(folder_ / "images.json", images.dump());
}

void Site::note(const std::string& title) const {
  const char* path = std::getenv("AGENT_SCENES_LOG");
  if (path == nullptr) return;
  std::ofstream log(path, std::ios::app);
  log << "== " << ::testing::UnitTest::GetInstance()->current_test_info()->name() << ": " << title
      << "\n";
  for (const auto& [service, id] : containers()) {
    log << service << " " << id.substr(0, 12) << " " << status_of(service) << " "
        << image_of(service).substr(0, 19) << "\n";
  }
  log << env() << "\n" << read_text(folder_ / "agent.log");
}

std::string Site::story() const {
  return "agent:\n" + read_text(folder_ / "agent.log") + "calls:\n" + read_text(folder_ / "calls");
}

}  // namespace agent_tests

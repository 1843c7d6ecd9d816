#include "tests/integration/harness/sidecar_process.h"

#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

namespace harness {
namespace {

using nlohmann::json;

uint16_t port_of(const std::string& address) {
  return static_cast<uint16_t>(std::atoi(address.c_str() + address.rfind(':') + 1));
}

std::string list(const std::vector<std::string>& words) {
  std::string text = "[";
  for (const std::string& word : words) text += (text.size() > 1 ? ", \"" : "\"") + word + "\"";
  return text + "]";
}

}  // namespace

SidecarProcess::SidecarProcess(SidecarSetup setup) : setup_(std::move(setup)) {
  write_config();
  start();
}

SidecarProcess::~SidecarProcess() {
  if (!killed_ && !stop()) {
    process_->signal(SIGKILL);
    std::fprintf(stderr, "the sidecar did not end by SIGTERM; its log:\n%s\n", log().c_str());
    std::abort();
  }
  if (const std::string found = alarms(); !found.empty()) {
    std::fprintf(stderr, "the sidecar said:\n%s\n", found.c_str());
    std::abort();
  }
}

void SidecarProcess::write_config() {
  const std::string& folder = folder_.path();
  std::map<std::string, std::string> keys = {
      {"listen", "127.0.0.1:0"},
      {"workers", std::to_string(setup_.workers)},
      {"admin", "{ socket: " + folder + "/admin.sock }"},
      {"metrics", "{ listen: 127.0.0.1:0 }"},
      {"state", "{ file: " + folder + "/state.json }"},
      {"spool", "{ dir: " + folder + ", memory: 64MiB, disk: 1GiB, min_free: 16MiB }"},
      {"log", folder + "/sidecar.log"},
      {"audit_log", folder + "/audit.jsonl"},
      {"access_log", folder + "/access.log"},
      {"affinity", "{ cookie: color, secret_file: " + folder + "/affinity.key }"},
      {"health", "{ interval: 100ms, page_interval: 500ms, timeout: 1s, rise: 2, fall: 3 }"},
      {"shutdown", "{ lame_duck: 0s, finish: 5s }"},
  };
  for (const auto& [key, value] : setup_.keys) keys[key] = value;
  std::string colors = "\n";
  for (const ColorSetup& color : setup_.colors) {
    colors += "  " + color.name + ": { weight: " + std::to_string(color.weight) +
              ", slots: " + color.slots + ", reuse: " + (color.reuse ? "on" : "off") +
              (color.tls.empty() ? "" : ", tls: " + color.tls) + ", http: " + list(color.http) +
              ", websocket: " + list(color.websocket) + " }\n";
  }
  std::string text;
  for (const auto& [key, value] : keys) text += key + ": " + value + "\n";
  write_text(config_path(), text + "colors:" + colors);
}

void SidecarProcess::start() {
  if (process_ && process_->running() && !stop()) throw Failure("the sidecar did not end");
  killed_ = false;
  std::filesystem::remove(socket_path());
  process_ = launch(/*takeover=*/false);
  await("the sidecar to listen", [this] {
    if (!process_->running()) throw Failure("the sidecar ended: " + process_->output() + log());
    return ::access(socket_path().c_str(), F_OK) == 0 && read_ports();
  });
}

std::unique_ptr<Process> SidecarProcess::launch(bool takeover) {
  std::vector<std::string> words = {program("sidecar"), "--config", config_path()};
  if (takeover) words.emplace_back("--takeover");
  return std::make_unique<Process>(words, folder_ / "output", setup_.environment,
                                   takeover ? -1 : setup_.activated_socket);
}

bool SidecarProcess::read_ports() {
  try {
    const json status = json::parse(ask("status"));
    port_ = port_of(status.at("listen").at(0).get<std::string>());
    metrics_port_ = port_of(status.at("metrics").get<std::string>());
  } catch (const Failure&) {
    return false;  // the socket is there before its listener
  }
  return port_ != 0;
}

void SidecarProcess::take_over(Millis within) {
  const auto count = [this] {
    const std::string text = log();
    int found = 0;
    for (size_t at = 0; (at = text.find("\"took_over\"", at)) != std::string::npos; ++at) ++found;
    return found;
  };
  const int before = count();
  std::unique_ptr<Process> next = launch(/*takeover=*/true);
  await(
      "the new process to take over",
      [&] {
        if (!next->running()) throw Failure("it ended: " + next->output() + log());
        return count() > before;
      },
      within);
  if (previous_ && previous_->wait(Millis{0}) != 0) {
    throw Failure("it did not wait until the process before the last had ended");
  }
  previous_ = std::exchange(process_, std::move(next));
  await("its answer", [this] { return read_ports(); });
}

int SidecarProcess::wait_for_previous(Millis within) {
  return previous_->wait(within * kSlowness).value_or(-1);
}

std::string SidecarProcess::command(const std::string& line) {
  std::string answer = ask(line);
  if (answer.find("\"ok\":true") == std::string::npos) throw Failure(line + " → " + answer);
  return answer;
}

bool SidecarProcess::is_up(const std::string& color) const {
  const json status = json::parse(AdminClient(socket_path()).ask("status"));
  const json& colors = status.at("colors");
  return colors.contains(color) &&
         colors.at(color).at("health").get<std::string>().rfind("up", 0) == 0;
}

void SidecarProcess::wait_until_up(const std::vector<std::string>& colors, Millis within) {
  for (const std::string& color : colors) {
    await(
        color + " to be up", [&] { return is_up(color); }, within);
  }
}

std::optional<int> SidecarProcess::stop(Millis within) {
  process_->signal(SIGTERM);
  return process_->wait(within * kSlowness);
}

void SidecarProcess::kill() {
  killed_ = true;
  process_->signal(SIGKILL);
  process_->wait(Millis{10'000});
}

std::string SidecarProcess::read_alarms() const {
  // The log is JSON lines; a report of a sanitizer or a broken invariant goes to standard error.
  std::string found;
  const std::string text = log();
  for (const char* word : {"Sanitizer", "broken invariant", "\"level\":\"alert\""}) {
    if (text.find(word) != std::string::npos) found += std::string(word) + " in its log\n";
  }
  return found;
}

}  // namespace harness

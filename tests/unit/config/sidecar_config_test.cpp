#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>

#include "proxy/config.h"

namespace sidecar {
namespace {

constexpr const char* kShipped = "conf/sidecar.yaml";  // tests run in the root of the sources

// A config file that goes away.
class File {
 public:
  explicit File(const std::string& text) {
    char name[] = "/tmp/sidecar_config_XXXXXX";
    descriptor_ = mkstemp(name);
    path_ = name;
    std::ofstream(path_) << text;
  }
  ~File() {
    close(descriptor_);
    unlink(path_.c_str());
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  int descriptor_ = -1;
};

const char* kLeast =
    "colors:\n"
    "  blue:  { weight: 10, http: [\"127.0.0.1:8069\"], websocket: [\"127.0.0.1:8072\"] }\n"
    "  green: { weight: 0, http: [\"127.0.0.1:8169\"], websocket: [\"127.0.0.1:8172\"] }\n";

std::string text_of(const std::vector<base::ConfigFault>& faults) {
  std::string text;
  for (const auto& fault : faults) text += fault.text() + "\n";
  return text;
}

TEST(SidecarConfig, ShipsAFileWithoutFaults) {
  const LoadedConfig loaded = load_config(kShipped);
  EXPECT_TRUE(loaded.faults.empty()) << text_of(loaded.faults);
}

TEST(SidecarConfig, ShipsEveryKeyWithItsDefault) {
  const LoadedConfig shipped = load_config(kShipped);
  const File least(kLeast);
  const LoadedConfig defaults = load_config(least.path());
  ASSERT_TRUE(defaults.faults.empty()) << text_of(defaults.faults);
  EXPECT_EQ(describe_config(shipped.config), describe_config(defaults.config));
  EXPECT_EQ(shipped.hash, defaults.hash);
  base::YamlFile file = base::YamlFile::from_path(kShipped);
  base::Section top = file.top();
  for (const auto& [key, value] : describe_config(shipped.config)) {
    if (key.starts_with("routes.")) continue;  // said in a comment there
    std::vector<base::Section> path = {top};
    std::string_view rest = key;
    for (size_t dot = 0; (dot = rest.find('.')) != std::string::npos;) {
      path.push_back(path.back().section(rest.substr(0, dot)));
      rest.remove_prefix(dot + 1);
    }
    EXPECT_TRUE(path.back().has(rest)) << key;
  }
}

TEST(SidecarConfig, SaysEveryFaultOfOneFileWithLineAndKey) {
  const File file(std::string(kLeast) +
                  "queue: { lenght: 5 }\nhealth:\n  rise: 0\nworkers: many\n");
  const LoadedConfig loaded = load_config(file.path());
  ASSERT_EQ(loaded.faults.size(), 3u) << text_of(loaded.faults);
  EXPECT_EQ(loaded.faults[0].line, 4);
  EXPECT_EQ(loaded.faults[0].key, "queue.lenght");
  EXPECT_NE(loaded.faults[0].message.find("length"), std::string::npos) << "the nearest name";
  EXPECT_EQ(loaded.faults[1].line, 6);
  EXPECT_EQ(loaded.faults[1].key, "health.rise");
  EXPECT_EQ(loaded.faults[2].line, 7);
  EXPECT_EQ(loaded.faults[2].key, "workers");
  for (const auto& fault : loaded.faults) EXPECT_EQ(fault.file, file.path());
}

TEST(SidecarConfig, FindsFaultsInTheControlPlanesKeys) {
  const std::map<std::string, std::string> cases = {
      {"admin: { mode: \"0666\" }", "admin.mode"},
      {"admin: { mode: 660 }", "admin.mode"},
      {"admin: { allow_uids: [root] }", "admin.allow_uids"},
      {"admin: { socket: \"" + std::string(120, 'x') + "\" }", "admin.socket"},
      {"metrics: { listen: localhost:9145 }", "metrics.listen"},
      {"state: { file: \"\" }", "state.file"},
      {"health: { http_path: health }", "health.http_path"},
      {"health: { page_path: \"/a b\" }", "health.page_path"},
      {"health: { fall: 101 }", "health.fall"},
      {"health: { interval: 1ms }", "health.interval"},
      {"drain: { deadline: 2d }", "drain.deadline"},
      {"names: { interval: 1ms }", "names.interval"},
      {"log: \"\"", "log"},
      {"audit_log: stderr", "audit_log"},
      {"helth: {}", "helth"},
  };
  for (const auto& [line, key] : cases) {
    const File file(kLeast + line + "\n");
    const LoadedConfig loaded = load_config(file.path());
    ASSERT_EQ(loaded.faults.size(), 1u) << line << "\n" << text_of(loaded.faults);
    EXPECT_EQ(loaded.faults[0].key, key) << line;
    EXPECT_EQ(loaded.faults[0].line, 4) << line;
  }
}

TEST(SidecarConfig, TakesNoPageProbeForAnEmptyPath) {
  const File file(std::string(kLeast) + "health: { page_path: \"\" }\n");
  const LoadedConfig loaded = load_config(file.path());
  EXPECT_TRUE(loaded.faults.empty()) << text_of(loaded.faults);
  EXPECT_EQ(loaded.config.control.health.page_path, "");
}

// C36: a config without green still starts.
TEST(SidecarConfig, StartsWithOneColor) {
  const File file(
      "colors:\n  blue: { weight: 10, http: [\"127.0.0.1:8069\"], "
      "websocket: [\"127.0.0.1:8072\"] }\n");
  EXPECT_TRUE(load_config(file.path()).faults.empty());
}

TEST(SidecarConfig, ReportsAFileThatIsNotThere) {
  const LoadedConfig loaded = load_config("/nonexistent/sidecar.yaml");
  ASSERT_EQ(loaded.faults.size(), 1u);
  EXPECT_EQ(loaded.faults[0].file, "/nonexistent/sidecar.yaml");
}

TEST(SidecarConfig, KnowsWhatNeedsARestart) {
  const File before(kLeast);
  const File after(std::string(kLeast) +
                   "listen: 127.0.0.1:9999\nhealth: { fall: 5 }\nqueue: { length: 9 }\n"
                   "fallback: deny\n");
  const LoadedConfig running = load_config(before.path());
  const LoadedConfig fresh = load_config(after.path());
  ASSERT_TRUE(fresh.faults.empty()) << text_of(fresh.faults);
  EXPECT_EQ(needs_restart(running.config, fresh.config),
            (std::vector<std::string>{"listen", "queue.length"}));
  EXPECT_TRUE(needs_restart(running.config, running.config).empty());
  EXPECT_NE(running.hash, fresh.hash);
}

TEST(SidecarConfig, TakesOverExactlyWhatNeedsNoRestart) {
  const File before(kLeast);
  const File after(
      "colors:\n"
      "  blue: { weight: 5, slots: 9, reuse: on, http: [\"a:1\"], websocket: [\"a:2\"] }\n"
      "  green: { weight: 1, http: [\"b:1\"], websocket: [\"b:2\"] }\n"
      "fallback: deny\nhold: { max: 1 }\nhealth: { rise: 9 }\ndrain: { wait: 1s }\n"
      "names: { interval: 9s }\naffinity: { cookie: c, session_keys: [s], secret_file: /k }\n"
      "routes: [ { name: all, prefix: / } ]\nforce: { header: X-F }\nlog: /l\n");
  SidecarConfig running = load_config(before.path()).config;
  const LoadedConfig fresh = load_config(after.path());
  ASSERT_TRUE(fresh.faults.empty()) << text_of(fresh.faults);
  const auto left = needs_restart(running, fresh.config);
  EXPECT_EQ(left, (std::vector<std::string>{"affinity.secret_file", "force.header", "log"}));
  take_over(running, fresh.config);
  EXPECT_EQ(needs_restart(running, fresh.config), left);
  std::vector<std::string> differ;
  const auto now = describe_config(running);
  const auto wanted = describe_config(fresh.config);
  ASSERT_EQ(now.size(), wanted.size());
  for (size_t i = 0; i < now.size(); ++i) {
    if (now[i] != wanted[i]) differ.push_back(now[i].first);
  }
  EXPECT_EQ(differ, left) << "what is taken over is what is said to be";
}

}  // namespace
}  // namespace sidecar

// What was acknowledged survives: a power cut at every moment, and SIGKILL at random ones.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <random>

#include "proxy/base/clock.h"
#include "shifter/control/state_file.h"
#include "tests/integration/harness/crash_disk.h"
#include "tests/integration/harness/scripted_backend.h"
#include "tests/integration/harness/sidecar_process.h"

namespace {

using namespace harness;
using nlohmann::json;

struct RealClock final : base::Clock {
  base::Instant now() const override { return std::chrono::steady_clock::now(); }
  base::WallTime wall() const override {
    return std::chrono::time_point_cast<base::Millis>(std::chrono::system_clock::now());
  }
};

std::string weights_command(int number) {
  return "weights blue=" + std::to_string(number) + " green=1";
}

int blue_weight(const std::string& status) {
  return json::parse(status).at("colors").at("blue").at("weight").get<int>();
}

SidecarSetup two_colors(const ScriptedBackend& backend, const std::string& state_file) {
  SidecarSetup setup;
  setup.workers = 1;
  setup.colors = {{"blue", 5000, {backend.address()}, {backend.address()}, "auto", false},
                  {"green", 1, {backend.address()}, {backend.address()}, "auto", false}};
  setup.keys["state"] = "{ file: " + state_file + " }";
  setup.keys["health"] = "{ interval: 10s }";  // health is saved as well, and is not meant here
  return setup;
}

// The blue weight that the program would start with from these files; -1: it would refuse to start.
int loaded_weight(const CrashDisk::Contents& contents, const std::string& folder,
                  const std::string& state_path) {
  const std::string there = folder + "/state.json";
  for (const char* suffix : {"", ".old"}) {
    const auto found = contents.find(state_path + suffix);
    if (found == contents.end()) {
      ::unlink((there + suffix).c_str());
    } else {
      write_text(there + suffix, found->second);
    }
  }
  const RealClock clock;
  const auto loaded = control::StateFile(there).load(control::time_base(clock));
  if (!loaded) return -1;
  if (!loaded->found) return 0;
  const auto blue = loaded->state.fleet.color_named("blue");
  return blue ? loaded->state.fleet.colors[*blue].weight : -1;
}

TEST(State, APowerCutAtAnyMomentLosesNoAcknowledgedWeight) {
  constexpr int kCommands = 1000;
  const ScriptedBackend backend;
  const TempFolder folder;
  const std::string state_folder = folder / "state";
  std::filesystem::create_directory(state_folder);
  const std::string state_path = state_folder + "/state.json";
  SidecarSetup setup = two_colors(backend, state_path);
  setup.environment = {"LD_PRELOAD=" FILE_RECORDER, "FILE_RECORDER_LOG=" + folder / "calls",
                       "FILE_RECORDER_FOLDER=" + state_folder};
  std::vector<std::string> replies;
  {
    SidecarProcess sidecar(setup);
    AdminClient admin(sidecar.socket_path());
    for (int i = 1; i <= kCommands; ++i) {
      replies.push_back(admin.ask(weights_command(i)));
      ASSERT_NE(replies.back().find("\"ok\":true"), std::string::npos) << replies.back();
    }
    sidecar.kill();
  }
  CrashDisk disk(state_folder);
  std::map<CrashDisk::Contents, int> known;  // each distinct disk is loaded once
  int acknowledged = 0, disks = 0, refused = 0;
  std::map<FileCall, int> calls;
  for (const FileEvent& event : read_file_events(folder / "calls")) {
    ++calls[event.call];
    if (event.call == FileCall::reply) {
      const std::string& next =
          replies[std::min<size_t>(static_cast<size_t>(acknowledged), replies.size() - 1)];
      if (next.compare(0, event.first.size() - 1, event.first, 0, event.first.size() - 1) == 0) {
        ++acknowledged;
      }
    }
    disk.apply(event);
    for (const auto& contents : disk.possible({state_path, state_path + ".old"})) {
      ++disks;
      auto found = known.find(contents);
      if (found == known.end()) {
        const int weight = loaded_weight(contents, folder.path(), state_path);
        found = known.emplace(contents, weight).first;
      }
      if (acknowledged == 0) continue;
      if (found->second < 0) ++refused;
      ASSERT_TRUE(found->second == acknowledged || found->second == acknowledged + 1)
          << "after " << acknowledged << " acknowledged commands a power cut could leave "
          << found->second;
    }
  }
  EXPECT_EQ(acknowledged, kCommands);
  EXPECT_EQ(refused, 0);
  EXPECT_GE(calls[FileCall::sync], kCommands);
  EXPECT_GE(calls[FileCall::rename], kCommands);
  EXPECT_GE(calls[FileCall::sync_folder], kCommands);
  std::printf("%d disks after power cuts, %zu distinct, %d writes, %d syncs, %d of the folder\n",
              disks, known.size(), calls[FileCall::write], calls[FileCall::sync],
              calls[FileCall::sync_folder]);
}

// The checker itself must see a program that forgets a sync.
TEST(State, TheDiskModelSeesAForgottenSync) {
  const auto event = [](FileCall call, int descriptor, int64_t offset, std::string first,
                        std::string second = "") {
    return FileEvent{call, descriptor, offset, std::move(first), std::move(second)};
  };
  for (const bool synced : {true, false}) {
    CrashDisk disk("/s");
    disk.apply(event(FileCall::open, 3, O_CREAT | O_WRONLY, "/s/new"));
    disk.apply(event(FileCall::write, 3, 0, "state"));
    if (synced) disk.apply(event(FileCall::sync, 3, 0, ""));
    disk.apply(event(FileCall::close, 3, 0, ""));
    disk.apply(event(FileCall::rename, -1, 0, "/s/new", "/s/state"));
    disk.apply(event(FileCall::sync_folder, 4, 0, ""));
    const auto possible = disk.possible({"/s/state"});
    EXPECT_EQ(possible.size() == 1, synced) << possible.size();
  }
}

TEST(State, SurvivesSigkillAtRandomMomentsOfWeightCommands) {
  constexpr int kKills = kSlowness > 1 ? 40 : 200;
  const uint64_t seed = std::random_device{}();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  std::mt19937_64 random(seed);
  const ScriptedBackend backend;
  const TempFolder folder;
  SidecarProcess sidecar(two_colors(backend, folder / "state.json"));
  int number = 0, acknowledged = 0, commands = 0;
  for (int kill = 0; kill < kKills; ++kill) {
    AdminClient admin(sidecar.socket_path());
    // Some commands are answered, then one or more are under way when the end comes.
    for (uint64_t answered = random() % 4; answered > 0; --answered, ++commands) {
      ASSERT_NE(admin.ask(weights_command(++number)).find("\"ok\":true"), std::string::npos);
      acknowledged = number;
    }
    for (uint64_t more = random() % 3; more > 0; --more, ++commands) {
      admin.send(weights_command(++number));
    }
    const Deadline moment(Millis{0});
    for (uint64_t spins = random() % 40'000; spins > 0; --spins) (void)moment.passed();
    sidecar.kill();
    sidecar.start();
    const int now = blue_weight(sidecar.ask("status"));
    ASSERT_GE(now, acknowledged == 0 ? 1 : acknowledged) << "after kill " << kill;
    ASSERT_LE(now, std::max(number, 5000)) << "after kill " << kill;
    if (acknowledged > 0) {
      ASSERT_LE(now, number) << "after kill " << kill;
    }
    acknowledged = now == 5000 ? 0 : now;
    number = std::max(number, acknowledged);
  }
  std::printf("%d kills, %d commands\n", kKills, commands);
}

TEST(State, AFileThatWasCutFallsBackToTheVersionBeforeWithAnError) {
  const ScriptedBackend backend;
  const TempFolder folder;
  const std::string state = folder / "state.json";
  SidecarProcess sidecar(two_colors(backend, state));
  sidecar.command("weights blue=3 green=1");
  sidecar.command("weights blue=4 green=1");
  sidecar.kill();
  const std::string text = read_text(state);
  ASSERT_FALSE(text.empty());
  write_text(state, text.substr(0, text.size() / 2));
  sidecar.start();
  const int now = blue_weight(sidecar.ask("status"));
  EXPECT_TRUE(now == 3 || now == 4) << now;  // 4: health was saved after the last command
  EXPECT_NE(sidecar.log().find("state"), std::string::npos);
}

}  // namespace

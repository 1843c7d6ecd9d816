// What was acknowledged survives: a power cut at every moment, and SIGKILL at random ones.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <ostream>
#include <random>

#include "proxy/base/clock.h"
#include "shifter/control/state_file.h"
#include "tests/integration/harness/crash_disk.h"
#include "tests/integration/harness/gatekeeper.h"
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

// What the file must remember: blue's weight, and the state that green is in.
struct Snapshot {
  int weight = 0;
  std::string state;
  bool operator==(const Snapshot&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Snapshot& one) {
  return out << "blue=" << one.weight << " green(" << one.state << ")";
}

std::string weights_command(int number) {
  return "weights blue=" + std::to_string(number) + " green=1";
}

Snapshot shown(const std::string& status) {
  const json colors = json::parse(status).at("colors");
  return {colors.at("blue").at("weight").get<int>(),
          colors.at("green").at("state").get<std::string>()};
}

// A color that had work when the end came has none after it.
bool is_same(const Snapshot& now, Snapshot acknowledged) {
  if (now == acknowledged) return true;
  if (acknowledged.state != "closing") return false;
  acknowledged.state = "maint";
  return now == acknowledged;
}

SidecarSetup two_colors(const ScriptedBackend& blue, const ScriptedBackend& green,
                        const std::string& state_file) {
  SidecarSetup setup;
  setup.workers = 1;
  setup.colors = {{"blue", 5000, {blue.address()}, {blue.address()}, "auto", false},
                  {"green", 1, {green.address()}, {green.address()}, "auto", false}};
  setup.keys["state"] = "{ file: " + state_file + " }";
  setup.keys["health"] = "{ interval: 10s, rise: 1 }";  // it is saved as well, and not meant here
  setup.keys["routes"] = "[{ name: slow, prefix: /slow, pin: green }, { name: web, prefix: / }]";
  return setup;
}

// Two colors of which green can be brought into any state and kept there.
class Scene {
 public:
  explicit Scene(const std::string& state_file, std::vector<std::string> environment = {})
      : green_([this](Peer& peer, const std::string&) {
          gate_.wait_for_turn();
          peer.send(plain_answer(200, "late"));
        }),
        sidecar_([&] {
          SidecarSetup setup = two_colors(blue_, green_, state_file);
          setup.environment = std::move(environment);
          return setup;
        }()) {
    sidecar_.wait_until_up({"blue", "green"});
  }
  ~Scene() { gate_.open(); }
  SidecarProcess& sidecar() { return sidecar_; }

  // The commands that bring green there, each answered, given to `told` with its reply.
  template <class Told>
  void bring_green_to(const std::string& state, AdminClient& admin, Told told) {
    const auto ask = [&](const std::string& command, const std::string& after) {
      const std::string reply = admin.ask(command);
      if (reply.find("\"ok\":true") == std::string::npos) throw Failure(command + " → " + reply);
      told(reply, after);
    };
    if (state == "ready") return ask("ready green", "ready");
    if (state == "draining") {
      ask("ready green", "ready");
      return ask("drain green deadline=20m wait=0", "draining");
    }
    if (state == "maint") return ask("maint green", "closing");
    ask("ready green", "ready");
    const double before = sidecar_.in_flight("color", "green");
    work_.emplace_back(sidecar_.port());
    work_.back().send("GET /slow HTTP/1.1\r\nHost: t\r\n\r\n");
    await("work on green", [&] { return sidecar_.in_flight("color", "green") > before; });
    ask("maint green", "closing");
  }
  void forget_work() { work_.clear(); }

 private:
  Gatekeeper gate_;
  const ScriptedBackend blue_;
  const ScriptedBackend green_;
  SidecarProcess sidecar_;
  std::vector<RawClient> work_;
};

// The snapshot that the program would start with from these files; nothing: it would refuse to.
std::optional<Snapshot> loaded_from(const CrashDisk::Contents& contents, const std::string& folder,
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
  if (!loaded) return std::nullopt;
  if (!loaded->found) return Snapshot{};
  const auto& colors = loaded->state.fleet.colors;
  return Snapshot{colors.at(0).weight, std::string(routing::text_of(colors.at(1).state))};
}

// Weights while green is in one state, and every disk that a power cut could leave.
void cut_the_power(const std::string& state, int commands) {
  const TempFolder folder(/*in_memory=*/true);
  const std::string state_folder = folder / "state";
  std::filesystem::create_directory(state_folder);
  const std::string state_path = state_folder + "/state.json";
  std::vector<std::string> replies;
  std::vector<Snapshot> snapshots = {{5000, "ready"}};  // by replies seen
  {
    Scene scene(state_path, {"LD_PRELOAD=" FILE_RECORDER, "FILE_RECORDER_LOG=" + folder / "calls",
                             "FILE_RECORDER_FOLDER=" + state_folder});
    AdminClient admin(scene.sidecar().socket_path());
    scene.bring_green_to(state, admin, [&](const std::string& reply, const std::string& after) {
      replies.push_back(reply);
      snapshots.push_back({5000, after});
    });
    if (state == "maint") {
      await("green to be empty",
            [&] { return shown(scene.sidecar().ask("status")).state == "maint"; });
    }
    for (int i = 1; i <= commands; ++i) {
      replies.push_back(admin.ask(weights_command(i)));
      snapshots.push_back({i, state});
      ASSERT_NE(replies.back().find("\"ok\":true"), std::string::npos) << replies.back();
    }
    EXPECT_EQ(shown(scene.sidecar().ask("status")), snapshots.back());
    scene.sidecar().kill();
  }
  CrashDisk disk(state_folder);
  std::map<CrashDisk::Contents, std::optional<Snapshot>> known;  // each disk is loaded once
  size_t acknowledged = 0;
  int disks = 0;
  std::map<FileCall, int> calls;
  for (const FileEvent& event : read_file_events(folder / "calls")) {
    ++calls[event.call];
    if (event.call == FileCall::reply && acknowledged < replies.size()) {
      const std::string& next = replies[acknowledged];
      if (next.compare(0, event.first.size() - 1, event.first, 0, event.first.size() - 1) == 0) {
        ++acknowledged;
      }
    }
    disk.apply(event);
    for (const auto& contents : disk.possible({state_path, state_path + ".old"})) {
      ++disks;
      auto found = known.find(contents);
      if (found == known.end()) {
        found = known.emplace(contents, loaded_from(contents, folder.path(), state_path)).first;
      }
      if (acknowledged == 0) continue;
      ASSERT_TRUE(found->second.has_value()) << "after " << acknowledged << " replies";
      const size_t next = std::min(acknowledged + 1, replies.size());
      ASSERT_TRUE(is_same(*found->second, snapshots[acknowledged]) ||
                  is_same(*found->second, snapshots[next]))
          << "after " << acknowledged << " replies a power cut could leave " << *found->second;
    }
  }
  EXPECT_EQ(acknowledged, replies.size());
  EXPECT_GE(calls[FileCall::sync], commands);
  EXPECT_GE(calls[FileCall::rename], commands);
  EXPECT_GE(calls[FileCall::sync_folder], commands);
  std::printf(
      "%s: %d disks after power cuts, %zu distinct, %d writes, %d syncs, %d of the folder\n",
      state.c_str(), disks, known.size(), calls[FileCall::write], calls[FileCall::sync],
      calls[FileCall::sync_folder]);
}

// C49, for every color state.
TEST(State, APowerCutAtAnyMomentLosesNothingAcknowledgedReady) { cut_the_power("ready", 1000); }
TEST(State, APowerCutAtAnyMomentLosesNothingAcknowledgedDraining) {
  cut_the_power("draining", 200);
}
TEST(State, APowerCutAtAnyMomentLosesNothingAcknowledgedClosing) { cut_the_power("closing", 200); }
TEST(State, APowerCutAtAnyMomentLosesNothingAcknowledgedMaint) { cut_the_power("maint", 200); }

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

// Green is brought into `state`, weights follow, sometimes green leaves the state again; the end
// comes at any moment. What is there after the start is what was acknowledged last, or what was
// under way, whole.
void kill_at_random(const std::string& state, int kills) {
  const uint64_t seed = std::random_device{}();
  std::mt19937_64 random(seed);
  const TempFolder folder(/*in_memory=*/true);
  Scene scene(folder / "state.json");
  SidecarProcess& sidecar = scene.sidecar();
  int number = 0, commands = 0;
  Snapshot at{5000, "ready"};
  for (int kill = 1; kill <= kills; ++kill) {
    AdminClient admin(sidecar.socket_path());
    scene.bring_green_to(state, admin, [&](const std::string&, const std::string& after) {
      at.state = after;
      ++commands;
    });
    // Some commands are answered, then one or more are under way when the end comes.
    for (uint64_t answered = random() % 3; answered > 0; --answered, ++commands) {
      ASSERT_NE(admin.ask(weights_command(++number)).find("\"ok\":true"), std::string::npos);
      at.weight = number;
    }
    std::vector<Snapshot> possible = {at};
    for (uint64_t more = random() % 3; more > 0; --more, ++commands) {
      Snapshot next = possible.back();
      if (random() % 3 == 0) {
        next.state = "ready";
        admin.send("ready green");
      } else {
        next.weight = ++number;
        admin.send(weights_command(number));
      }
      possible.push_back(next);
    }
    const Deadline moment(Millis{0});
    for (uint64_t spins = random() % 40'000; spins > 0; --spins) (void)moment.passed();
    sidecar.kill();
    scene.forget_work();
    sidecar.start();
    const Snapshot now = shown(sidecar.ask("status"));
    ASSERT_TRUE(std::any_of(possible.begin(), possible.end(),
                            [&](const Snapshot& one) { return is_same(now, one); }))
        << now << " after kill " << kill << ", acknowledged was " << at << ", seed " << seed;
    at = now;
  }
  std::printf("%s: %d kills, %d commands, seed %llu\n", state.c_str(), kills, commands,
              static_cast<unsigned long long>(seed));
}

// C49.
constexpr int kKills = kSlowness > 1 ? 20 : 50;
TEST(State, SurvivesSigkillAtRandomMomentsReady) { kill_at_random("ready", kKills); }
TEST(State, SurvivesSigkillAtRandomMomentsDraining) { kill_at_random("draining", kKills); }
TEST(State, SurvivesSigkillAtRandomMomentsClosing) { kill_at_random("closing", kKills); }
TEST(State, SurvivesSigkillAtRandomMomentsMaint) { kill_at_random("maint", kKills); }

TEST(State, AFileThatWasCutFallsBackToTheVersionBeforeWithAnError) {
  const ScriptedBackend backend;
  const TempFolder folder;
  const std::string state = folder / "state.json";
  SidecarProcess sidecar(two_colors(backend, backend, state));
  sidecar.command("weights blue=3 green=1");
  sidecar.command("weights blue=4 green=1");
  sidecar.kill();
  const std::string text = read_text(state);
  ASSERT_FALSE(text.empty());
  write_text(state, text.substr(0, text.size() / 2));
  sidecar.start();
  const int now = shown(sidecar.ask("status")).weight;
  EXPECT_TRUE(now == 3 || now == 4) << now;  // 4: health was saved after the last command
  EXPECT_NE(sidecar.log().find("state"), std::string::npos);
}

}  // namespace

// The operator's command against a real daemon.
#include <gtest/gtest.h>
#include <signal.h>

#include <nlohmann/json.hpp>

#include "tests/integration/harness/gatekeeper.h"
#include "tests/integration/harness/json_schema.h"
#include "tests/integration/harness/raw_client.h"
#include "tests/integration/harness/scripted_backend.h"
#include "tests/integration/harness/sidecar_process.h"
#include "tests/integration/harness/terminal.h"

namespace {

using namespace harness;
using nlohmann::json;
using Words = std::vector<std::string>;

struct TwoColors {
  explicit TwoColors(ScriptedBackend::Script script = {})
      : blue(std::move(script)), sidecar(setup()) {
    sidecar.wait_until_up({"blue", "green"});
  }
  SidecarSetup setup() {
    SidecarSetup made;
    made.colors = {{"blue", 9, {blue.address()}, {blue.address()}, "auto", false},
                   {"green", 1, {green.address()}, {green.address()}, "auto", false}};
    return made;
  }
  Words words(Words given) const {
    given.insert(given.begin(), {program("shifter"), "--socket", sidecar.socket_path()});
    return given;
  }
  Finished run(Words given) const { return run_program(words(std::move(given))); }
  json status() { return json::parse(sidecar.ask("status")); }

  ScriptedBackend blue, green;
  SidecarProcess sidecar;
};

std::string faults_of(const std::string& schema, const std::string& text) {
  const json value = json::parse(text, nullptr, false);
  if (value.is_discarded()) return "not one JSON value: " + text;
  const JsonSchema shape(json::parse(read_text("docs/schema/" + schema + ".json")));
  std::string all;
  for (const std::string& fault : shape.faults(value)) all += fault + "\n";
  return all;
}

// R98
TEST(Shifter, AnswersInThePublishedShapes) {
  const TwoColors plant;
  const std::vector<std::pair<std::string, Words>> cases = {
      {"status", {"status"}},
      {"weights", {"weights", "blue=5", "green=5"}},
      {"hold", {"hold", "on", "max=7"}},
      {"hold", {"hold", "off"}},
      {"inflight", {"inflight"}},
      {"connections", {"connections"}},
      {"routes", {"routes"}},
      {"config", {"config"}},
      {"dry_run", {"drain", "green", "--dry-run"}},
      {"dry_run", {"weights", "blue=1", "green=0", "--dry-run"}},
      {"drain", {"drain", "green", "deadline=0", "--confirm=green"}},
      {"dry_run", {"maint", "blue", "--dry-run"}},  // it would be refused
      {"error", {"maint", "blue", "--confirm=blue"}},
      {"weights", {"weights", "blue=1", "green=1"}},  // with a warning
      {"ready", {"ready", "green"}},
      {"maint", {"maint", "green", "--confirm=green"}},
      {"reload", {"reload"}},
      {"audit", {"audit"}},
      {"actions", {"actions"}},
      {"scale", {"scale", "freeze", "for=1h"}},
      {"dry_run", {"scale", "auto", "--dry-run"}},
      {"scale", {"scale", "auto"}},
      {"doctor", {"doctor"}},
      {"policy", {"policy", "check", "conf/policy.yml"}},
      {"help", {"help"}},
      {"error", {"ready", "red"}},
  };
  for (const auto& [schema, words] : cases) {
    Words with = words;
    with.emplace_back("--json");
    EXPECT_EQ(faults_of(schema, plant.run(with).output), "") << words[0] << " " << schema;
  }
  AdminClient admin(plant.sidecar.socket_path());
  EXPECT_EQ(faults_of("help", admin.ask("help")), "");
  admin.send("events follow");
  EXPECT_EQ(faults_of("events", admin.read_line()), "");
}

TEST(Shifter, EveryVerbThatAsksTheDaemonHasAPublishedShape) {
  const json help = json::parse(run_program({program("shifter"), "help", "--json"}).output);
  int shapes = 0;
  for (const json& command : help.at("commands")) {
    const std::string usage = command.at("usage");
    const std::string verb = usage.substr(0, usage.find(' '));
    if (verb == "watch" || verb == "completion" || verb == "man" || verb == "agent") continue;
    EXPECT_NE(read_text("docs/schema/" + verb + ".json"), "") << verb;
    ++shapes;
  }
  EXPECT_GE(shapes, 18);
}

TEST(Shifter, ShapesRefuseWhatIsOfAnotherShape) {
  TwoColors plant;
  json status = plant.status();
  ASSERT_EQ(faults_of("status", status.dump()), "");
  status["colors"]["blue"]["weight"] = "9";
  EXPECT_EQ(faults_of("status", status.dump()), "/colors/blue/weight: is no \"integer\"\n");
  status["colors"]["blue"]["weight"] = -1;
  EXPECT_EQ(faults_of("status", status.dump()), "/colors/blue/weight: is too small\n");
  status["colors"]["blue"].erase("weight");
  EXPECT_EQ(faults_of("status", status.dump()), "/colors/blue: misses \"weight\"\n");
  EXPECT_NE(faults_of("error", R"({"ok":true})"), "");
}

TEST(Shifter, EndsWithTheCodeOfWhatHappened) {
  TwoColors plant;
  const auto code = [&](Words words) { return plant.run(std::move(words)).code; };
  EXPECT_EQ(code({"status"}), 0);
  EXPECT_EQ(code({"ready", "red"}), 2);
  EXPECT_EQ(code({"weights", "blue=0", "green=0"}), 2);
  EXPECT_EQ(code({"ready", "blue", "--if-epoch=999"}), 5);
  EXPECT_EQ(code({"drain", "green"}), 2) << "nobody is there to be asked";
  EXPECT_EQ(plant.status().at("colors").at("green").at("state"), "ready");
  EXPECT_EQ(code({"maint", "green", "--confirm=green", "--wait"}), 0);
  EXPECT_EQ(plant.status().at("colors").at("green").at("state"), "maint");
  EXPECT_EQ(code({"maint", "blue", "--confirm=blue"}), 6) << "the last color";
  plant.green.set_probe_status(500);
  await("green to be down", [&] { return !plant.sidecar.is_up("green"); });
  EXPECT_EQ(code({"ready", "green", "--wait=1s"}), 3);
  EXPECT_EQ(code({"status"}), 3) << "green has weight and is down";
  EXPECT_EQ(code({"weights", "blue=0", "green=1"}), 2) << "every user to a color that is down";
  plant.green.set_probe_status(200);
  EXPECT_EQ(code({"ready", "green", "--wait=20s"}), 0);
  ASSERT_EQ(plant.sidecar.stop(), 0);
  EXPECT_EQ(code({"status"}), 4);
}

TEST(Shifter, LeavesAWaitWhenInterruptedAndAbortsNothing) {
  Gatekeeper gate;
  TwoColors plant([&gate](Peer& peer, const std::string&) {
    gate.wait_for_turn();
    peer.send(plain_answer(200, "ok"));
  });
  RawClient client(plant.sidecar.port());
  plant.sidecar.command("weights blue=1 green=0");
  client.send("GET /a HTTP/1.1\r\nHost: t\r\n\r\n");
  await("a request at work",
        [&] { return plant.status().at("colors").at("blue").at("in_flight").at("http") == 1; });
  TempFolder folder;
  Process drain(plant.words({"drain", "blue", "deadline=0", "--wait=60s", "--confirm=blue"}),
                folder / "drain");
  await("the drain",
        [&] { return plant.status().at("colors").at("blue").at("state") == "closing"; });
  drain.signal(SIGINT);
  EXPECT_EQ(drain.wait(Millis{10'000}), 130);
  EXPECT_EQ(plant.status().at("colors").at("blue").at("state"), "closing");
  const Finished left = plant.run({"drain", "blue", "--wait=0s", "--json"});
  EXPECT_EQ(left.code, 3);
  EXPECT_EQ(faults_of("drain", left.output), "");
  EXPECT_EQ(json::parse(left.output).at("left").size(), 1u);
  gate.let_one_through();
  EXPECT_EQ(client.read_answer().status, 200);
  EXPECT_EQ(plant.run({"maint", "blue", "--wait=20s"}).code, 0) << "it went on by itself";
}

// R98
TEST(Shifter, WritesNoControlCodeIntoAPipe) {
  TwoColors plant;
  RawClient client(plant.sidecar.port());
  client.send("GET /a HTTP/1.1\r\nHost: t\r\nX-Request-Id: a\x1b[2Jb\r\n\r\n");
  client.read_answer();
  const auto is_clean = [](const std::string& text) {
    for (char c : text) {
      if (c != '\n' && static_cast<unsigned char>(c) < 0x20) return false;
    }
    return !text.empty();
  };
  for (const char* verb : {"status", "inflight", "connections", "routes", "config", "audit",
                           "reload", "help", "man"}) {
    const Finished done = plant.run({verb});
    EXPECT_TRUE(is_clean(done.output)) << verb << ": " << done.output;
  }
  TempFolder folder;
  Process watch(plant.words({"watch"}), folder / "watch");
  await("an event of its own line",
        [&] { return watch.output().find("color_health green: up\n") != std::string::npos; });
  plant.sidecar.command("hold on");
  await("the next event",
        [&] { return watch.output().find("command      hold on (uid ") != std::string::npos; });
  EXPECT_TRUE(is_clean(watch.output())) << watch.output();
  watch.signal(SIGINT);
  EXPECT_EQ(watch.wait(Millis{10'000}), 130);
}

// A shell completes verbs, options and the colors of the daemon that is named.
TEST(Shifter, IsCompletedByBash) {
  const TwoColors plant;
  const auto completed = [&](const std::string& line, int at) {
    const std::string script = "PATH=$(dirname " + program("shifter") +
                               "):$PATH; compopt() { :; }; . conf/completion/shifter.bash; "
                               "COMP_WORDS=(shifter --socket " +
                               plant.sidecar.socket_path() + " " + line +
                               "); COMP_CWORD=" + std::to_string(at) +
                               "; _shifter; echo \"${COMPREPLY[*]}\"";
    return run_program({"/bin/bash", "-c", script}).output;
  };
  EXPECT_EQ(completed("dr", 3), "drain\n");
  EXPECT_EQ(completed("drain b", 4), "blue\n");
  EXPECT_EQ(completed("weights ''", 4), "blue= green=\n");
  EXPECT_EQ(completed("drain blue --dr", 5), "--dry-run\n");
  EXPECT_EQ(completed("hold o", 4), "on off\n");
}

// The lines of one frame, without what moves the cursor.
Words frame_of(const std::string& bytes) {
  Words lines(1);
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] == '\x1b') {
      while (i + 1 < bytes.size() && (bytes[i] < '@' || bytes[i] == '[')) ++i;
    } else if (bytes[i] == '\n') {
      lines.emplace_back();
    } else if (bytes[i] != '\r') {
      lines.back() += bytes[i];
    }
  }
  return lines;
}

TEST(Shifter, WatchFitsTheTerminalAndGivesItBack) {
  TwoColors plant;
  Terminal terminal(plant.words({"watch"}), 80, 24);
  terminal.read_until("\x1b[?1049h");
  terminal.read_until("\x1b[H");
  const std::string first = terminal.read_until("\x1b[J");
  EXPECT_NE(first.find("\x1b[32mblue"), std::string::npos) << first;
  Words lines = frame_of(first);
  EXPECT_EQ(lines[2].substr(0, 13), "color  state ") << lines[2];
  for (const std::string& line : lines) EXPECT_LE(line.size(), 80u) << line;
  EXPECT_LE(lines.size(), 24u);
  plant.sidecar.command("hold on");
  terminal.read_until("hold is on");
  terminal.resize(40, 6);
  await("a frame of the new size", [&] {
    terminal.read_until("\x1b[H");
    lines = frame_of(terminal.read_until("\x1b[J"));
    return lines.size() <= 6;
  });
  for (const std::string& line : lines) EXPECT_LE(line.size(), 40u) << line;
  terminal.type("\x03");
  terminal.read_until("\x1b[?1049l");
  EXPECT_EQ(terminal.wait(), 130);
}

TEST(Shifter, WatchHonoursNoColor) {
  TwoColors plant;
  Terminal variable(plant.words({"watch"}), 80, 24, "NO_COLOR=1");
  Terminal option(plant.words({"watch", "--no-color"}), 80, 24);
  for (Terminal* terminal : {&variable, &option}) {
    terminal->read_until("\x1b[H");
    const std::string frame = terminal->read_until("\x1b[J");
    EXPECT_NE(frame.find("blue   ready"), std::string::npos) << frame;
    EXPECT_EQ(frame.find("\x1b[3"), std::string::npos) << frame;
    EXPECT_EQ(frame.find("\x1b[1m"), std::string::npos) << frame;
  }
}

TEST(Shifter, AsksAPersonForTheNameOfTheColor) {
  TwoColors plant;
  Terminal wrong(plant.words({"maint", "green"}), 80, 24);
  wrong.read_until("Type green to go on: ");
  wrong.type("blue\n");
  EXPECT_EQ(wrong.wait(), 2);
  EXPECT_EQ(plant.status().at("colors").at("green").at("state"), "ready");
  Terminal right(plant.words({"maint", "green"}), 80, 24);
  right.read_until("Type green to go on: ");
  right.type("green\n");
  EXPECT_EQ(right.wait(), 0);
  EXPECT_NE(plant.status().at("colors").at("green").at("state"), "ready");
}

}  // namespace

// What `status` shows is where requests go, whatever commands and failures come.
#include <algorithm>
#include <random>

#include "tests/integration/harness/load.h"
#include "tests/integration/harness/scripted_backend.h"
#include "tests/integration/harness/standin.h"

namespace {

using namespace harness;
using nlohmann::json;

struct NamedBackend {
  explicit NamedBackend(const std::string& color)
      : backend([color](Peer& peer, const std::string&) {
          peer.send(plain_answer(200, color, "X-Standin-Color: " + color + "\r\n"));
        }) {}
  ScriptedBackend backend;
};

SidecarSetup two_colors(const NamedBackend& blue, const NamedBackend& green) {
  SidecarSetup setup;
  setup.colors = {
      {"blue", 1, {blue.backend.address()}, {blue.backend.address()}, "auto", false},
      {"green", 1, {green.backend.address()}, {green.backend.address()}, "auto", false}};
  setup.keys["hold"] = "{ max: 0 }";  // with nobody to serve: 503 at once
  return setup;
}

bool takes_users(const json& color) {
  return color.at("state") == "ready" && color.at("health").get<std::string>().rfind("up", 0) == 0;
}

// Who may be given a new user, by what is displayed; nobody: 503.
std::vector<std::string> displayed(const json& status) {
  std::vector<std::string> weighted, open;
  for (const auto& [name, color] : status.at("colors").items()) {
    if (!takes_users(color)) continue;
    open.push_back(name);
    if (color.at("weight").get<int>() > 0) weighted.push_back(name);
  }
  return weighted.empty() ? open : weighted;  // fallback: allow
}

// C29: random commands and failures; after each, what is displayed is what is routed.
TEST(Admin, WhatIsDisplayedIsWhatIsRouted) {
  constexpr int kCommands = kSlowness > 1 ? 150 : 500;
  const uint64_t seed = std::random_device{}();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  std::mt19937_64 random(seed);
  NamedBackend blue("blue"), green("green");
  SidecarProcess sidecar(two_colors(blue, green));
  sidecar.wait_until_up({"blue", "green"});
  AdminClient admin(sidecar.socket_path());
  RawClient client(sidecar.port());
  const auto pick = [&](std::vector<std::string> words) { return words[random() % words.size()]; };
  int refused = 0, nobody = 0;
  for (int i = 0; i < kCommands; ++i) {
    const std::string color = pick({"blue", "green"});
    if (random() % 12 == 0) {  // a failure, or its end
      NamedBackend& backend = color == "blue" ? blue : green;
      const bool is_up = sidecar.is_up(color);
      backend.backend.set_probe_status(is_up ? 500 : 200);
      await("health to follow", [&] { return sidecar.is_up(color) != is_up; });
    }
    const std::string command = pick(
        {"weights blue=" + std::to_string(random() % 3) + " green=" + std::to_string(random() % 3),
         "ready " + color, "maint " + color + " last=yes", "ready " + color,
         "drain " + color + " deadline=0 wait=5s last=yes", "ready " + color});
    if (admin.ask(command).find("\"ok\":true") == std::string::npos) ++refused;
    const json status = json::parse(admin.ask("status"));
    const std::vector<std::string> expected = displayed(status);
    if (expected.empty()) ++nobody;
    for (int request = 0; request < 6; ++request) {
      client.send("GET /a HTTP/1.1\r\nHost: t\r\n\r\n");
      const Answer answer = client.read_answer();
      const std::string came_from = color_of(answer);
      if (expected.empty()) {
        ASSERT_EQ(answer.status, 503) << command << "\n" << status.dump(1);
      } else {
        ASSERT_NE(std::find(expected.begin(), expected.end(), came_from), expected.end())
            << command << " → " << answer.status << " from " << came_from << "\n"
            << status.dump(1);
      }
    }
  }
  std::printf("%d commands, %d of them refused, %d times nobody to serve\n", kCommands, refused,
              nobody);
}

TEST(Admin, ImpossibleWeightsAreRefusedByNameAndChangeNothing) {
  const NamedBackend blue("blue"), green("green");
  SidecarProcess sidecar(two_colors(blue, green));
  const auto epoch = [&] { return json::parse(sidecar.ask("status")).at("epoch").get<int>(); };
  const int before = epoch();
  for (const auto& [command, field] :
       std::vector<std::pair<std::string, std::string>>{{"weights blue=0 green=0", ""},
                                                        {"weights blue=-1 green=1", "blue"},
                                                        {"weights blue=ten green=1", "blue"},
                                                        {"weights blue=1 red=1", "red"}}) {
    const json answer = json::parse(sidecar.ask(command));
    EXPECT_FALSE(answer.at("ok").get<bool>()) << command;
    if (!field.empty()) {
      EXPECT_EQ(answer.at("error").at("field"), field) << answer.dump();
    }
  }
  EXPECT_EQ(epoch(), before);
}

TEST(Admin, TwoOperatorsCannotOverwriteEachOther) {
  const NamedBackend blue("blue"), green("green");
  SidecarProcess sidecar(two_colors(blue, green));
  const std::string epoch =
      std::to_string(json::parse(sidecar.ask("status")).at("epoch").get<int>());
  EXPECT_TRUE(json::parse(sidecar.ask("weights blue=2 green=1 if-epoch=" + epoch)).at("ok"));
  const json second = json::parse(sidecar.ask("weights blue=3 green=1 if-epoch=" + epoch));
  EXPECT_FALSE(second.at("ok").get<bool>());
  EXPECT_EQ(second.at("error").at("code"), "conflict");
  await("both in the audit log", [&] {
    const std::string audit = read_text(sidecar.folder() / "audit.jsonl");
    return audit.find("weights blue=2") != std::string::npos &&
           audit.find("weights blue=3") != std::string::npos &&
           audit.find("\"uid\"") != std::string::npos;
  });
}

}  // namespace

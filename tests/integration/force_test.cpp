// A tester's way to a color that its users do not see yet.
#include <fstream>

#include "tests/integration/harness/load.h"
#include "tests/integration/harness/scripted_backend.h"
#include "tests/integration/harness/sidecar_process.h"

namespace {

using namespace harness;

const std::string kToken = "0123456789abcdef-night";

struct TesterStage {
  TempFolder folder;
  ScriptedBackend blue, green;
  std::string file() const { return folder / "force.key"; }
  SidecarSetup setup() const {
    SidecarSetup setup;
    setup.colors = {{"blue", 100, {blue.address()}, {blue.address()}, "auto", false},
                    {"green", 0, {green.address()}, {green.address()}, "auto", false}};
    setup.keys["force"] = "{ token_file: " + file() + " }";
    return setup;
  }
  void write(const std::string& tokens) const { std::ofstream(file()) << tokens; }
};

Answer ask_as(uint16_t port, const std::string& fields) {
  RawClient client(port);
  client.send("GET /web HTTP/1.1\r\nHost: t\r\n" + fields + "\r\n");
  return client.read_answer();
}

// C19: force beats an old cookie and the weights; without a token it is stripped and ignored.
TEST(Testers, ReachTheirColorWithATokenOnly) {
  TesterStage stage;
  stage.write(kToken + "\n");
  SidecarProcess sidecar(stage.setup());
  sidecar.wait_until_up({"blue", "green"});
  const std::string cookie = ask_as(sidecar.port(), "").set_cookie("color");
  ASSERT_FALSE(cookie.empty());
  const std::string holder = "Cookie: color=" + cookie + "\r\n";

  const Answer forced =
      ask_as(sidecar.port(), holder + "X-Sidecar-Color: green:" + kToken + "\r\n");
  EXPECT_EQ(forced.status, 200);
  EXPECT_EQ(stage.green.heads().size(), 1u);
  EXPECT_EQ(forced.set_cookie("color"), "") << "a look moves nobody";
  ask_as(sidecar.port(), "Cookie: X-Sidecar-Color=green:" + kToken + "\r\n");
  EXPECT_EQ(stage.green.heads().size(), 2u);
  for (const std::string& head : stage.green.heads()) {
    EXPECT_EQ(head.find("night"), std::string::npos) << "the token went on";
  }

  ask_as(sidecar.port(), holder + "X-Sidecar-Color: green:0123456789abcdef-wrong\r\n");
  EXPECT_EQ(stage.green.heads().size(), 2u);
  EXPECT_EQ(stage.blue.heads().back().find("X-Sidecar-Color"), std::string::npos);
  const auto metrics = sidecar.scrape();
  EXPECT_EQ(metrics.sum("sidecar_forced_total", ""), 2);
  EXPECT_EQ(metrics.sum("sidecar_forces_rejected_total", ""), 1);
  EXPECT_EQ(sidecar.access_log().find(kToken), std::string::npos);
}

TEST(Testers, TokensAreReadAgainByReload) {
  TesterStage stage;
  SidecarProcess sidecar(stage.setup());
  sidecar.wait_until_up({"blue", "green"});
  const std::string word = "X-Sidecar-Color: green:" + kToken + "\r\n";
  ask_as(sidecar.port(), word);
  EXPECT_EQ(stage.green.heads().size(), 0u) << "no file, no force";
  stage.write(kToken + "\n");
  sidecar.command("reload");
  ask_as(sidecar.port(), word);
  EXPECT_EQ(stage.green.heads().size(), 1u);
  stage.write("short\n");
  const std::string refused = sidecar.ask("reload");
  EXPECT_NE(refused.find("force.key:1"), std::string::npos) << refused;
  ask_as(sidecar.port(), word);
  EXPECT_EQ(stage.green.heads().size(), 2u) << "a refused reload changes nothing";
}

}  // namespace

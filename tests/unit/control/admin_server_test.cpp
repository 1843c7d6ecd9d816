#include "shifter/control/admin_server.h"

#include <gtest/gtest.h>
#include <sys/un.h>

#include "shifter/control/admin_grammar.h"
#include "tests/unit/base/loop_fixture.h"
#include "tests/unit/control/fixtures.h"

namespace control {
namespace {

using base::RawPeer;

// Answers at once with the line, or keeps the reply of a line that begins with "wait".
struct Runner final : CommandRunner {
  void run(std::string_view line, std::shared_ptr<Reply> reply) override {
    lines.emplace_back(line);
    if (line.starts_with("wait")) {
      waiting.push_back(std::move(reply));
    } else {
      reply->finish("{\"line\":\"" + std::string(line) + "\"}");
    }
  }
  std::vector<std::string> lines;
  std::vector<std::shared_ptr<Reply>> waiting;
};

class AdminServerTest : public ::testing::Test {
 protected:
  void SetUp() override { open({static_cast<uint32_t>(geteuid())}); }
  void open(std::vector<uint32_t> uids) {
    server = std::make_unique<AdminServer>(loop, std::move(uids), runner);
    auto listener = loop.listen_unix(path, 0660, *server);
    ASSERT_TRUE(listener.has_value()) << listener.error().detail;
    server->serve(std::move(*listener));
  }
  RawPeer connect() {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    RawPeer peer(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::connect(peer.descriptor(), reinterpret_cast<sockaddr*>(&address), sizeof address),
              0);
    return peer;
  }
  void await(const std::function<bool()>& is_so) { base::run_until(loop, is_so); }
  // The answer to what was sent; the loop turns until it is there.
  std::string answer(RawPeer& peer) {
    await([&] {
      char byte;
      return recv(peer.descriptor(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0;
    });
    return peer.receive();
  }

  TemporaryFolder folder;
  std::string path = folder.file("admin.sock");
  Runner runner;
  base::UvLoop loop;
  std::unique_ptr<AdminServer> server;
};

TEST_F(AdminServerTest, AnswersOneLineForEachLine) {
  RawPeer peer = connect();
  peer.send("status\r\n");
  EXPECT_EQ(answer(peer), "{\"line\":\"status\"}\n");
  peer.send("a\nb\n");
  await([&] { return runner.lines.size() == 3; });
  EXPECT_EQ(answer(peer), "{\"line\":\"a\"}\n{\"line\":\"b\"}\n");
}

TEST_F(AdminServerTest, AnswersAClientThatHasFinishedWriting) {
  RawPeer peer = connect();
  peer.send("status");  // without a line feed, as some tools do
  peer.finish();
  EXPECT_EQ(answer(peer), "{\"line\":\"status\"}\n");
  await([&] { return server->clients() == 0; });
  EXPECT_EQ(peer.receive(), "");
}

TEST_F(AdminServerTest, RunsTheCommandsOfOneClientInOrder) {
  RawPeer peer = connect();
  RawPeer other = connect();
  peer.send("wait\nafter\n");
  await([&] { return runner.waiting.size() == 1; });
  other.send("other\n");
  EXPECT_EQ(answer(other), "{\"line\":\"other\"}\n") << "nobody waits for another client";
  EXPECT_EQ(runner.lines, (std::vector<std::string>{"wait", "other"}));
  runner.waiting[0]->finish("{}");
  await([&] { return runner.lines.size() == 3; });
  EXPECT_EQ(answer(peer), "{}\n{\"line\":\"after\"}\n");
}

TEST_F(AdminServerTest, KnowsWhoCommands) {
  RawPeer peer = connect();
  peer.send("wait\n");
  await([&] { return runner.waiting.size() == 1; });
  EXPECT_EQ(runner.waiting[0]->caller().uid, geteuid());
  EXPECT_EQ(runner.waiting[0]->caller().pid, getpid());
}

TEST_F(AdminServerTest, TellsAWaitingCommandThatItsClientLeft) {
  auto peer = std::make_unique<RawPeer>(connect());
  peer->send("wait\n");
  await([&] { return runner.waiting.size() == 1; });
  EXPECT_FALSE(runner.waiting[0]->is_gone());
  peer->close();
  await([&] {
    server->look_after_clients();
    return runner.waiting[0]->is_gone();
  });
  runner.waiting[0]->finish("{}");  // goes nowhere
  EXPECT_EQ(server->clients(), 0u);
}

TEST_F(AdminServerTest, WaitsForAClientThatOnlyFinishedWriting) {
  RawPeer peer = connect();
  peer.send("wait\n");
  peer.finish();
  await([&] { return runner.waiting.size() == 1; });
  for (int i = 0; i < 5; ++i) {
    base::settle(loop);
    server->look_after_clients();
  }
  ASSERT_FALSE(runner.waiting[0]->is_gone());
  runner.waiting[0]->finish("{}");
  EXPECT_EQ(answer(peer), "{}\n");
}

TEST_F(AdminServerTest, TakesALineOfEightKibibytesAndNotOneByteMore) {
  RawPeer peer = connect();
  peer.send(std::string(kCommandBytesMax, 'x') + "\n");
  await([&] { return runner.lines.size() == 1; });
  EXPECT_EQ(runner.lines[0].size(), kCommandBytesMax);
  RawPeer longer = connect();
  longer.send(std::string(kCommandBytesMax + 1, 'x') + "\n");
  EXPECT_NE(answer(longer).find("\"code\":\"usage\""), std::string::npos);
  RawPeer endless = connect();
  endless.send(std::string(kCommandBytesMax + 1, 'x'));
  EXPECT_NE(answer(endless).find("\"code\":\"usage\""), std::string::npos);
  EXPECT_EQ(runner.lines.size(), 1u);
}

TEST_F(AdminServerTest, ServesThirtyTwoClientsAndRefusesTheNext) {
  std::vector<RawPeer> peers;
  for (size_t i = 0; i < AdminServer::kClientsMax; ++i) peers.push_back(connect());
  await([&] { return server->clients() == AdminServer::kClientsMax; });
  RawPeer extra = connect();
  EXPECT_NE(answer(extra).find("\"code\":\"busy\""), std::string::npos);
  peers.pop_back();
  await([&] { return server->clients() == AdminServer::kClientsMax - 1; });
  RawPeer next = connect();
  next.send("status\n");
  EXPECT_EQ(answer(next), "{\"line\":\"status\"}\n");
}

TEST_F(AdminServerTest, RefusesAUidThatIsNotListed) {
  server.reset();
  open({static_cast<uint32_t>(geteuid()) + 1});
  RawPeer peer = connect();
  const std::string said = answer(peer);
  EXPECT_NE(said.find("\"code\":\"forbidden\""), std::string::npos) << said;
  EXPECT_EQ(peer.receive(), "");
  EXPECT_TRUE(runner.lines.empty());
}

TEST_F(AdminServerTest, DropsAFollowerThatDoesNotRead) {
  RawPeer peer = connect();
  peer.send("wait\n");
  await([&] { return runner.waiting.size() == 1; });
  const std::string line(64 << 10, 'x');
  for (int i = 0; i < 40 && !runner.waiting[0]->is_gone(); ++i) runner.waiting[0]->stream(line);
  EXPECT_TRUE(runner.waiting[0]->is_gone());
  EXPECT_EQ(server->clients(), 0u);
}

TEST_F(AdminServerTest, LetsGoOfThoseWhoseCommandGoesOn) {
  RawPeer waits = connect(), idle = connect();
  waits.send("wait\n");
  await([&] { return runner.waiting.size() == 1 && server->clients() == 2; });
  server->end_commands();
  EXPECT_TRUE(runner.waiting[0]->is_gone());
  EXPECT_EQ(answer(waits), "");
  idle.send("hello\n");
  EXPECT_EQ(answer(idle), "{\"line\":\"hello\"}\n");
}

TEST_F(AdminServerTest, KnowsWhetherItsNameIsStillItsOwn) {
  EXPECT_TRUE(server->is_reachable());
  const std::unique_ptr<AdminServer> before = std::move(server);
  server = std::make_unique<AdminServer>(loop, std::vector<uint32_t>{}, runner);
  EXPECT_FALSE(loop.listen_unix(path, 0660, *server).has_value()) << "another serves it";
  auto listener = loop.listen_unix(path, 0660, *server, /*replace=*/true);
  ASSERT_TRUE(listener.has_value()) << listener.error().detail;
  server->serve(std::move(*listener));
  EXPECT_TRUE(server->is_reachable());
  EXPECT_FALSE(before->is_reachable());
}

TEST_F(AdminServerTest, ForgetsItsClientsWhenItCloses) {
  RawPeer peer = connect();
  peer.send("wait\n");
  await([&] { return runner.waiting.size() == 1; });
  server->close();
  EXPECT_TRUE(runner.waiting[0]->is_gone());
  EXPECT_EQ(answer(peer), "");
}

}  // namespace
}  // namespace control

#include "shifter/control/notice_sender.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "shifter/control/agent_families.h"
#include "tests/unit/base/loop_fixture.h"
#include "tests/unit/control/rollout_plant.h"

namespace control {
namespace {

using Json = nlohmann::json;

// Somebody's webhook: keeps what came, answers what the test says, or nothing.
struct Webhook final : base::AcceptHandler, base::StreamHandler {
  explicit Webhook(base::UvLoop& loop) : listener(*loop.listen(base::kAnyPort, false, *this)) {}
  void on_accepted(std::unique_ptr<base::Stream> stream) override {
    streams.push_back(std::move(stream));
    streams.back()->set_handler(this);
    streams.back()->resume_reading();
  }
  void on_bytes(std::string_view bytes) override {
    came += bytes;
    if (answer.empty() || came.find("\r\n\r\n{") == std::string::npos) return;
    streams.back()->write(answer);
    streams.back()->finish_writing();
  }
  void on_end() override {}
  void on_broken(const base::Error&) override {}
  void on_flushed() override {}
  std::string address() const { return "127.0.0.1:" + std::to_string(listener->bound().port); }

  std::unique_ptr<base::Listener> listener;
  std::vector<std::unique_ptr<base::Stream>> streams;
  std::string answer = "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n";
  std::string came;
};

const Notice kEnd{"end", "green", "rollout 3 of green: rolled_back(error)", R"({"number":3})"};

class NoticeSenderTest : public testing::Test {
 protected:
  NoticeSenderTest() { config.timeout = 300ms; }
  Json body() const { return Json::parse(webhook.came.substr(webhook.came.find("\r\n\r\n") + 4)); }

  base::UvLoop loop;
  base::Resolver resolver{loop};
  Webhook webhook{loop};
  RolloutPlant p;
  NotifyConfig config;
  NoticeSender sender{loop, resolver, p.plant.events,
                      [this]() -> const NotifyConfig& { return config; },
                      [this]() -> Actions& { return p.actions(); }};
};

TEST_F(NoticeSenderTest, AWebhookGetsThePostOnce) {
  config.webhook = "http://" + webhook.address() + "/hooks/odoo?team=1";
  sender.notify(kEnd);
  base::run_until(loop, [&] { return webhook.came.find("\r\n\r\n{") != std::string::npos; });
  base::settle(loop);
  EXPECT_TRUE(webhook.came.starts_with("POST /hooks/odoo?team=1 HTTP/1.1\r\n")) << webhook.came;
  EXPECT_NE(webhook.came.find("Host: " + webhook.address() + "\r\n"), std::string::npos);
  EXPECT_NE(webhook.came.find("Content-Type: application/json\r\n"), std::string::npos);
  EXPECT_EQ(body().at("kind"), "end");
  EXPECT_EQ(body().at("summary"), kEnd.summary);
  EXPECT_EQ(body().at("rollout").at("number"), 3);
  EXPECT_EQ(webhook.streams.size(), 1u);
  EXPECT_EQ(sender.failures(), 0);
}

TEST_F(NoticeSenderTest, ANameIsLookedUp) {
  config.webhook = "http://localhost:" + std::to_string(webhook.listener->bound().port) + "/end";
  sender.notify(kEnd);
  base::run_until(loop, [&] { return !webhook.came.empty() || sender.failures() > 0; });
  EXPECT_TRUE(webhook.came.starts_with("POST /end ")) << webhook.came;
}

TEST_F(NoticeSenderTest, WhatDoesNotArriveIsCountedAndNotSentAgain) {
  config.webhook = "http://" + webhook.address();
  webhook.answer = "HTTP/1.0 500 no\r\nContent-Length: 0\r\n\r\n";
  sender.notify(kEnd);
  base::run_until(loop, [&] { return sender.failures() == 1; });
  webhook.answer = "";
  sender.notify(kEnd);  // nobody answers: its timeout
  base::run_until(loop, [&] { return sender.failures() == 2; });
  EXPECT_EQ(webhook.streams.size(), 2u);
  config.webhook = "http://127.0.0.1:1/";
  sender.notify(kEnd);
  base::run_until(loop, [&] { return sender.failures() == 3; });
  config.webhook = "http://[::1";
  sender.notify(kEnd);
  EXPECT_EQ(sender.failures(), 4);
}

TEST_F(NoticeSenderTest, AWebhookThatHangsHoldsAFewAtMost) {
  config.webhook = "http://" + webhook.address();
  webhook.answer = "";
  for (size_t i = 0; i < NoticeSender::kUnderWayMax + 3; ++i) sender.notify(kEnd);
  EXPECT_EQ(sender.under_way(), NoticeSender::kUnderWayMax);
  EXPECT_EQ(sender.failures(), 3);
}

// The agent's command `notify`, of the canary's color, with what there is to say.
TEST_F(NoticeSenderTest, TheAgentIsAskedForItsCommand) {
  config.exec = true;
  p.agent_comes();
  sender.notify(kEnd);
  (void)p.actions().heard(p.agent_session);
  const Action* taken = p.actions().take();
  ASSERT_NE(taken, nullptr) << "the color is known: it may be handed out";
  EXPECT_EQ(taken->ask.kind, ActionKind::custom);
  EXPECT_EQ(taken->hook, "notify");
  EXPECT_EQ(taken->ask.color, "green");
  EXPECT_EQ(taken->ask.arguments.at("kind"), "end");
  EXPECT_EQ(taken->ask.arguments.at("summary"), kEnd.summary);
  EXPECT_EQ(taken->ask.deadline, 300ms);
  EXPECT_EQ(sender.failures(), 0);

  ActionReport report;
  report.id = taken->id;
  report.state = ActionState::failed;
  ASSERT_TRUE(p.actions().report(report));
  AgentMetrics metrics;
  fill_agent_metrics(p.actions(), metrics);
  std::vector<base::MetricFamily> families;
  add_agent_families(metrics, {"blue", "green"}, families);
  double failures = -1;
  for (const base::MetricFamily& family : families) {
    if (family.name != "shifter_hook_failures_total") continue;
    for (const auto& sample : family.samples) {
      if (sample.labels[0].second == "notify") failures = sample.value;
    }
  }
  EXPECT_EQ(failures, 1);
}

TEST_F(NoticeSenderTest, WithoutAnAgentNothingIsLeftToWaitForOne) {
  config.exec = true;
  sender.notify(kEnd);
  EXPECT_EQ(sender.failures(), 1);
  EXPECT_TRUE(p.actions().list().empty());
}

// A rollout's end reaches the agent through the whole control plane.
TEST_F(NoticeSenderTest, TheEndOfARolloutNamesItsColor) {
  p.agent_comes();
  ASSERT_TRUE(p.switch_over());
  ASSERT_TRUE(p.abort());
  for (int i = 0; i < 100 && !p.rollouts->is_idle(); ++i) p.tick();
  ASSERT_EQ(p.notices.count("end"), 1);
  EXPECT_EQ(p.notices.list.back().color, "green");
  EXPECT_NE(p.notices.list.back().summary.find("aborted(operator)"), std::string::npos);
}

}  // namespace
}  // namespace control

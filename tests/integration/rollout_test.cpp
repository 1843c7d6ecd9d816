// Rollouts end to end: a sidecar, two stand-in Odoos, people who come and go. Steps are short by
// config; the judge, its floors and its limits are those of production.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/integration/harness/json_schema.h"
#include "tests/integration/harness/rollout_story.h"
#include "tests/integration/harness/scripted_agent.h"
#include "tests/integration/harness/scripted_backend.h"
#include "tests/integration/harness/standin.h"
#include "tests/integration/harness/visitors.h"

namespace {

using namespace harness;
using nlohmann::json;

// A step of a release with faults would last far longer than it takes to find them.
constexpr const char* kLongStep = "20s";

struct RolloutSite {
  explicit RolloutSite(const std::string& step_min, int standin_workers = 16,
                       const std::string& notify = "{}")
      : blue("blue", {"--workers", std::to_string(standin_workers)}),
        green("green", {"--workers", std::to_string(standin_workers)}) {
    SidecarSetup setup;
    setup.workers = 1;
    const std::string slots = std::to_string(standin_workers);
    setup.colors = {blue.as_color(100, slots), green.as_color(0, slots)};
    setup.keys = {
        {"rollout",
         "{ step_min: " + step_min +
             ", bake: 2s, warm_for: 300ms, look: 100ms, hold_max: 60s, notify: " + notify + " }"},
        {"drain", "{ deadline: 2s, quiet: 500ms, wait: 10s }"}};
    sidecar = std::make_unique<SidecarProcess>(std::move(setup));
    sidecar->wait_until_up({"blue", "green"});
  }
  json status() const { return json::parse(sidecar->ask("status")); }
  int weight(const std::string& color) const {
    return status().at("colors").at(color).at("weight").get<int>();
  }
  double rollbacks(const std::string& reason) const {
    return sidecar->scrape().value("shifter_rollbacks_total{reason=\"" + reason + "\"}");
  }
  json explained() const { return json::parse(sidecar->command("explain")); }

  Standin blue, green;
  std::unique_ptr<SidecarProcess> sidecar;
};

// By the published shape of the verb's answer; "" is good.
std::string misshapen(const std::string& verb, const json& answer) {
  std::string text;
  for (const std::string& fault :
       JsonSchema(json::parse(read_text("docs/schema/" + verb + ".json"))).faults(answer)) {
    text += verb + ": " + fault + "\n";
  }
  return text;
}

// Begins, and answers what became of it. `green` has its faults already.
RolloutStory::Chapter end_of(RolloutSite& site, const std::string& steps, Millis within,
                             int people = 16) {
  RolloutStory story(*site.sidecar);
  Visitors visitors(site.sidecar->port(), people);
  // Some people are there before it begins.
  await("visitors of blue", [&] { return visitors.of_color("blue") > 100; });
  site.sidecar->command("canary green steps=" + steps);
  const RolloutStory::Chapter end = story.wait_for("idle", within);
  const double first = story.find("canary(" + steps.substr(0, steps.find(',')) + ")").at_s;
  const double back = story.find("rolling_back").at_s;
  std::printf("%s", story.text().c_str());
  if (back >= 0) std::printf("users were taken back %.1f s after the first came\n", back - first);
  std::printf("%lld served, %lld errors\n", static_cast<long long>(visitors.served()),
              static_cast<long long>(visitors.errors()));
  EXPECT_EQ(visitors.unserved(), 0);
  if (back >= 0) {  // everybody is on blue again, once the last answers of green were read
    const auto more_of_blue = [&] {
      const int64_t blue = visitors.of_color("blue");
      await("answers after the end", [&] { return visitors.of_color("blue") > blue + 100; });
    };
    more_of_blue();
    const int64_t green = visitors.of_color("green");
    more_of_blue();
    EXPECT_EQ(visitors.of_color("green"), green);
  }
  return end;
}

// A release without faults: 5 to 100, bake, the old color drained and stopped; nobody notices.
TEST(Rollout, AGoodReleaseGetsEverybodyAndTheOldColorIsStopped) {
  RolloutSite site("500ms", 16, "{ exec: on }");
  ScriptedAgent agent(
      *site.sidecar, [] { return std::string("cpus=8 workers=blue:16,green:16"); },
      [](const json& action) {
        return action.at("kind") == "deploy" ? std::string("workers=green:16 digest=sha256:2")
                                             : std::string();
      });
  RolloutStory story(*site.sidecar);
  Visitors visitors(site.sidecar->port(), 16);
  await("visitors of blue", [&] { return visitors.of_color("blue") > 100; });
  const auto began = SteadyClock::now();
  const std::string begun = site.sidecar->command("canary green steps=5,10,25,50,100 label=17.0-2");
  EXPECT_EQ(misshapen("canary", json::parse(begun)), "");
  const RolloutStory::Chapter end = story.wait_for("idle", Millis{60'000});
  std::printf("%s5 → 100, baked, drained and stopped after %.1f s\n", story.text().c_str(),
              seconds_since(began));
  EXPECT_EQ(end.end, "done") << end.text;
  for (const char* state : {"preparing", "warming", "canary(5)", "canary(10)", "canary(25)",
                            "canary(50)", "switched", "draining", "stopping"}) {
    EXPECT_GE(story.find(state).at_s, 0) << state;
  }
  EXPECT_GE(story.find("draining").at_s - story.find("switched").at_s, 1.9) << "the bake";
  const int64_t green = visitors.of_color("green");
  await("answers of green", [&] { return visitors.of_color("green") > green + 100; });
  visitors.leave();
  EXPECT_EQ(visitors.errors() + visitors.unserved(), 0);
  await("the notice", [&] { return agent.did().size() == 3; });
  EXPECT_EQ(agent.did(),
            (std::vector<std::string>{"deploy green", "stop blue", "notify green end"}));
  EXPECT_EQ(agent.fault(), "");
  const json status = site.status();
  EXPECT_EQ(status.at("colors").at("green").at("weight"), 100);
  EXPECT_EQ(status.at("colors").at("blue").at("state"), "maint");
  const json history = json::parse(site.sidecar->command("history"));
  EXPECT_EQ(misshapen("history", history), "");
  const json& release = history.at("releases").back();
  EXPECT_EQ(release.at("label"), "17.0-2");
  EXPECT_EQ(release.at("image"), "sha256:2");
  EXPECT_EQ(release.at("state"), "live");
  EXPECT_EQ(site.sidecar->scrape().value("shifter_rollouts_total{end=\"done\"}"), 1);
}

TEST(Rollout, TenPercentErrorsAreRolledBackByItself) {
  ScriptedBackend webhook;
  RolloutSite site(kLongStep, 16, "{ webhook: \"http://" + webhook.address() + "/hook\" }");
  site.green.set("error_rate=0.1");
  const auto end = end_of(site, "10,25,50,100", Millis{60'000});
  EXPECT_TRUE(end.end == "rolled_back(error)" || end.end == "rolled_back(hard_limit)") << end.end;
  EXPECT_EQ(site.weight("blue"), 100);
  EXPECT_EQ(site.weight("green"), 0);
  EXPECT_EQ(site.rollbacks("error") + site.rollbacks("hard_limit"), 1);
  await("the notice", [&] { return !webhook.heads().empty(); });
  EXPECT_EQ(webhook.heads().at(0).rfind("POST /hook HTTP/1.1\r\n", 0), 0u);
  // R39: the verdict with its numbers, and once more from the stored counts, also after a restart.
  const json explained = site.explained();
  EXPECT_EQ(misshapen("explain", explained), "");
  EXPECT_EQ(explained.at("rollout").at("text"), end.text);
  EXPECT_TRUE(explained.at("replay").at("same").get<bool>()) << explained.dump();
  site.sidecar->stop();
  site.sidecar->start();
  EXPECT_EQ(site.explained(), explained);
  EXPECT_EQ(webhook.heads().size(), 1u) << "told once, also over a restart";
}

// Slow from the first request on: beyond what the warm-up excuses.
TEST(Rollout, ASlowReleaseIsRolledBackByItself) {
  RolloutSite site(kLongStep, 64);
  site.green.set("slow_rate=0.3&slow_ms=1250");
  const auto end = end_of(site, "50,100", Millis{90'000}, 48);
  EXPECT_EQ(end.end, "rolled_back(slow)") << end.text;
  EXPECT_EQ(site.weight("blue"), 100);
  EXPECT_EQ(site.rollbacks("slow"), 1);
}

// Every answer is a 200; the calls in them fail.
TEST(Rollout, AReleaseThatBreaksOnlyCallsIsRolledBack) {
  RolloutSite site(kLongStep);
  site.green.set("rpc_error_rate=0.2&rpc_error_name=builtins.KeyError");
  const auto end = end_of(site, "10,25,50,100", Millis{60'000});
  EXPECT_EQ(end.end, "rolled_back(rpc_error)") << end.text;
  EXPECT_EQ(site.weight("blue"), 100);
  EXPECT_EQ(site.rollbacks("rpc_error"), 1);
}

// The same answers, but what users did wrong and were told.
TEST(Rollout, AReleaseWhoseUsersMeetValidationErrorsIsNot) {
  RolloutSite site("500ms");
  site.green.set("rpc_error_rate=0.5&rpc_error_name=odoo.exceptions.ValidationError");
  const auto end = end_of(site, "25,50,100", Millis{60'000});
  EXPECT_EQ(end.end, "done") << end.text;
  EXPECT_EQ(site.weight("green"), 100);
  EXPECT_EQ(site.sidecar->scrape().sum("shifter_rollbacks_total"), 0);
}

}  // namespace

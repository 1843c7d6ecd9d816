// What people read of the numbers behind a decision.
#include "shifter/cli/rollout_view.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace cli {
namespace {

using Json = nlohmann::ordered_json;

TEST(RolloutText, SimulateShowsTheStepsAndWhatTheyWouldFind) {
  const Json answer = Json::parse(R"({"ok":true,"epoch":8,"color":"blue","policy":"5,50,100",
      "recorded_hours":23.9,"steps":[{"share":5,"hours":11.33,"sessions":100.2,"reached":true},
      {"share":50,"hours":0.4,"sessions":90,"reached":false}],"runs":200,"false_rollbacks":3,
      "worse":3,"found":141,"text":""})");
  EXPECT_EQ(rollout_text("simulate", answer),
            "5,50,100 with the traffic of blue, 23.9 hours of it:\n"
            "share  hours  canary sessions  floors\n"
            "5 %    11.3               100  met\n"
            "50 %   0.4                 90  not met\n"
            "equal colors: 3 of 200 replays rolled back\n"
            "faults 3 times as often: 141 of 200\n");
}

// R39
TEST(RolloutText, ExplainSaysWhetherTheStoredCountsGiveTheSameVerdict) {
  const std::string verdict = R"({"kind":"worse","reason":"error","text":"as it was","signals":[
      {"signal":"error","canary_bad":9,"canary_exposed":33,"control_bad":1,"control_exposed":262,
       "e_value":6660000,"limit":66.7,"enough":true,"missing":""}]})";
  const std::string rollout = R"json({"number":3,"purpose":"canary","canary":"green",
      "stable":"blue","end":"rolled_back(error)","text":"as it was","verdict":)json" +
                              verdict + "}";
  const auto text = [&](const std::string& replay) {
    return rollout_text("explain", Json::parse(R"({"ok":true,"epoch":8,"rollout":)" + rollout +
                                               R"(,"replay":)" + replay + "}"));
  };
  const std::string numbers =
      "rollout 3, canary of green against blue\nend: rolled_back(error)\nwhy: as it was\n"
      "verdict: worse, as it was\n"
      "  error     9/33, control 1/262, evidence 6.66e+06 of 66.7\n";
  EXPECT_EQ(text("null"), numbers);
  EXPECT_EQ(text(R"({"same":true,"inputs":{},"verdict":)" + verdict + "}"),
            numbers + "made again from the stored counts: the same verdict\n");
  EXPECT_EQ(text(R"({"same":false,"inputs":{},"verdict":{"text":"good now"}})"),
            numbers + "made again from the stored counts: good now\n");
}

}  // namespace
}  // namespace cli

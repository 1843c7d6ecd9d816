#include "shifter/cli/render.h"

#include "shifter/cli/units.h"
#include "shifter/cli/verbs.h"
#include "tests/unit/cli/fake_daemon.h"

namespace cli {
namespace {

TEST(Render, ShowsStatusAsATable) {
  FakeStatus status;
  status.blue.flight = R"({"queued":1,"http":2,"longpoll":3,"websocket":12,"mirror":0})";
  const Rendered rendered = render("status", status.json());
  EXPECT_EQ(rendered.code, kDone) << rendered.err;
  EXPECT_EQ(rendered.out,
            "color  state  health  weight  new users  queued  http  polls  websockets\n"
            "blue   ready  up          90       90 %       1     2      3          12\n"
            "green  ready  up          10       10 %       0     0      0           0\n"
            "epoch 7, up 2 h 5 min, listening on 127.0.0.1:8080\n");
}

TEST(Render, ShowsDrainHoldAndReasonsInStatusAndEndsWithThreeWhenDegraded) {
  FakeStatus status;
  status.blue.state = "draining";
  status.blue.drain = R"({"since_s":60,"deadline_in_s":1140,"quiet":"5m"})";
  status.hold = R"({"on":true,"max":200,"timeout":"15s"})";
  status.none = R"({"receiving":0,"held":4,"delivering":0})";
  status.degraded = R"(["no color is up"])";
  const Rendered rendered = render("status", status.json());
  EXPECT_EQ(rendered.code, kNotReached);
  for (const char* line :
       {"blue drains: 19 min to the deadline, or until none of its users came for 5m\n",
        "hold is on: 4 wait, at most 200 for 15s\n", "degraded: no color is up\n"}) {
    EXPECT_NE(rendered.out.find(line), std::string::npos) << rendered.out;
  }
}

TEST(Render, ListsWhatADrainLeft) {
  const Rendered rendered = render(
      "drain",
      R"({"ok":true,"epoch":3,"color":"blue","state":"closing","empty":false,"saved":true,"left":[)"
      R"({"color":"blue","kind":"http","route":"web","age_s":75.2,"peer":"10.0.0.9",)"
      R"("request_id":"r1"}]})");
  EXPECT_EQ(rendered.code, kNotReached);
  EXPECT_EQ(rendered.out,
            "blue is closing and not empty (epoch 3)\n"
            "color  kind  route  age         peer      request id\n"
            "blue   http  web    1 min 15 s  10.0.0.9  r1\n");
}

TEST(Render, DoesNotBelieveWhatIsNoAnswer) {
  for (const char* answer : {"", "nonsense", "[]", "{}", R"({"ok":true})", R"({"ok":1})",
                             R"({"ok":false})", R"({"ok":false,"error":7})"}) {
    EXPECT_EQ(render("status", answer).code, kUnreachable) << answer;
    EXPECT_NE(render("status", answer).err, "") << answer;
  }
}

TEST(Render, AddsWarnings) {
  const Rendered rendered =
      render("weights", R"({"ok":true,"epoch":2,"saved":true,"weights":{"blue":0,"green":1},)"
                        R"j("warnings":["green has weight but is down(refused)"]})j");
  EXPECT_EQ(rendered.out, "new users: blue 0 green 1 (epoch 2)\n");
  EXPECT_EQ(rendered.err, "warning: green has weight but is down(refused)");
}

TEST(Units, AreForPeople) {
  EXPECT_EQ(seconds_text(59), "59 s");
  EXPECT_EQ(seconds_text(125), "2 min 5 s");
  EXPECT_EQ(seconds_text(7200), "2 h");
  EXPECT_EQ(seconds_text(90'000), "1 d 1 h");
  EXPECT_EQ(percent_text(0.125), "12.5 %");
  EXPECT_EQ(percent_text(1), "100 %");
  EXPECT_EQ(rate_text(0.44), "0.4/s");
  EXPECT_EQ(rate_text(1240.4), "1240/s");
  EXPECT_EQ(latency_text(4'200), "4.2 ms");
  EXPECT_EQ(latency_text(310'000), "310 ms");
  EXPECT_EQ(latency_text(1'250'000), "1.25 s");
  EXPECT_EQ(latency_text(60'000'000), "60.0 s");
}

TEST(Units, CountCharactersNotBytes) {
  EXPECT_EQ(width_of("año"), 3u);
  EXPECT_EQ(clip("añejo", 2), "añ");
  EXPECT_EQ(clip("a", 5), "a");
  EXPECT_EQ(padded("ñ", 3, Align::right), "  ñ");
}

}  // namespace
}  // namespace cli

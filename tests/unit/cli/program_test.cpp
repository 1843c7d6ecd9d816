#include "shifter/cli/program.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "shifter/cli/render.h"
#include "shifter/cli/verbs.h"

namespace cli {
namespace {

std::string line_of(const std::vector<std::string>& words) {
  auto arguments = parse_arguments(words);
  return arguments ? arguments->line : "fault: " + arguments.error().detail;
}

TEST(Shifter, TurnsItsArgumentsIntoOneLine) {
  EXPECT_EQ(line_of({"status"}), "status");
  EXPECT_EQ(line_of({"weights", "blue=9", "green=1"}), "weights blue=9 green=1");
  EXPECT_EQ(line_of({"drain", "blue", "--wait=2m", "deadline=0"}), "drain blue deadline=0 wait=2m");
  EXPECT_EQ(line_of({"--reason", "night \"deploy\"", "ready", "blue", "--if-epoch", "7"}),
            R"(ready blue reason="night \"deploy\"" if-epoch=7)");
  EXPECT_EQ(line_of({"weights", "reason=two words"}), "weights reason=\"two words\"");
}

TEST(Shifter, ReadsItsOwnOptions) {
  auto arguments = parse_arguments({"--socket", "/x/y.sock", "--json", "status", "--no-color"});
  ASSERT_TRUE(arguments.has_value());
  EXPECT_EQ(arguments->socket, "/x/y.sock");
  EXPECT_TRUE(arguments->json);
  EXPECT_EQ(parse_arguments({"--socket=/z", "status"})->socket, "/z");
  EXPECT_EQ(parse_arguments({"status"})->socket, "/run/sidecar/admin.sock");
  EXPECT_TRUE(parse_arguments({"help"})->help);
}

TEST(Shifter, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(line_of({}), "fault: a verb is needed");
  EXPECT_EQ(line_of({"statsu"}), "fault: no verb is called statsu; did you mean status?");
  EXPECT_EQ(line_of({"status", "--jason"}), "fault: unknown or incomplete option --jason");
  EXPECT_EQ(line_of({"status", "--reason"}), "fault: unknown or incomplete option --reason");
  EXPECT_EQ(line_of({"ready", "blue\nweights"}), "fault: a line feed in an argument");
}

TEST(Shifter, EndsWithTheCodeThatTheAnswerMeans) {
  struct Case {
    std::string verb;
    std::string answer;
    int code;
  };
  const std::vector<Case> cases = {
      {"weights", R"({"ok":true,"epoch":2,"saved":true,"weights":{"blue":9}})", kDone},
      {"weights", R"({"ok":false,"error":{"code":"usage","message":"m","field":"blue"}})", kUsage},
      {"weights", R"({"ok":false,"error":{"code":"conflict","message":"m"}})", kConflict},
      {"drain", R"({"ok":false,"error":{"code":"refused","message":"m"}})", kRefused},
      {"status", R"({"ok":false,"error":{"code":"forbidden","message":"m"}})", kRefused},
      {"ready", R"({"ok":false,"error":{"code":"state_unwritable","message":"m"}})", kFailed},
      {"reload", R"({"ok":false,"error":{"code":"bad_config","message":"m"}})", kFailed},
      {"drain", R"({"ok":true,"color":"blue","state":"maint","empty":true,"saved":true})", kDone},
      {"drain",
       R"({"ok":true,"color":"blue","state":"closing","empty":false,"saved":true,"left":[]})",
       kNotReached},
      {"maint", R"({"ok":true,"color":"blue","state":"closing","empty":false,"left":[]})", kDone},
      {"status", "nonsense", kUnreachable},
      {"status", R"({"ok":true})", kUnreachable},
  };
  for (const Case& one : cases) {
    const Rendered rendered = render(one.verb, one.answer);
    EXPECT_EQ(rendered.code, one.code) << one.answer << rendered.err;
    const VerbSpec* verb = find_verb(one.verb);
    ASSERT_NE(verb, nullptr);
    EXPECT_NE(std::find(verb->codes.begin(), verb->codes.end(), one.code), verb->codes.end())
        << one.verb << " does not declare " << one.code;
  }
}

TEST(Shifter, ShowsStatusAsATableAndEndsWithThreeWhenDegraded) {
  const std::string colors =
      R"("colors":{"blue":{"state":"ready","weight":90,"health":"up","in_flight":{"queued":0,)"
      R"("http":2,"longpoll":0,"websocket":12}}})";
  const std::string rest =
      R"("table_version":57,"applied_version":57,"uptime_s":10,"listen":["127.0.0.1:8080"],)"
      R"("hold":{"on":false})";
  const std::string good = R"({"ok":true,"epoch":13,)" + colors + "," + rest + R"(,"degraded":[]})";
  const Rendered rendered = render("status", good);
  EXPECT_EQ(rendered.code, kDone) << rendered.err;
  EXPECT_NE(rendered.out.find("blue   ready  90"), std::string::npos) << rendered.out;
  EXPECT_NE(rendered.out.find("epoch 13"), std::string::npos);
  const std::string bad =
      R"({"ok":true,"epoch":13,)" + colors + "," + rest + R"(,"degraded":["no color is up"]})";
  EXPECT_EQ(render("status", bad).code, kNotReached);
  EXPECT_NE(render("status", bad).out.find("degraded: no color is up"), std::string::npos);
}

TEST(Shifter, SaysWhenAChangeIsNotOnDisk) {
  const Rendered rendered = render("hold", R"({"ok":true,"epoch":2,"saved":false})");
  EXPECT_EQ(rendered.code, kDone);
  EXPECT_NE(rendered.err.find("not on disk"), std::string::npos);
}

TEST(Shifter, SaysUnreachableWhenNobodyListens) {
  EXPECT_EQ(run({"--socket", "/nonexistent/admin.sock", "status"}), kUnreachable);
}

TEST(Shifter, ListsEveryVerbAndItsCodesInHelp) {
  const std::string help = help_text();
  for (const VerbSpec& verb : verb_table()) {
    EXPECT_NE(help.find("  " + std::string(verb.name)), std::string::npos) << verb.name;
    EXPECT_FALSE(verb.codes.empty());
  }
}

}  // namespace
}  // namespace cli

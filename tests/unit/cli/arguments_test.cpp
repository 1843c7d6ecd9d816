#include "shifter/cli/arguments.h"

#include <gtest/gtest.h>

namespace cli {
namespace {

std::string line_of(const std::vector<std::string>& words) {
  auto arguments = parse_arguments(words);
  return arguments ? arguments->line : "fault: " + arguments.error().detail;
}

TEST(Arguments, BecomeOneLine) {
  EXPECT_EQ(line_of({"status"}), "status");
  EXPECT_EQ(line_of({"weights", "blue=9", "green=1"}), "weights blue=9 green=1");
  EXPECT_EQ(line_of({"drain", "blue", "--wait=2m", "deadline=0"}), "drain blue deadline=0 wait=2m");
  EXPECT_EQ(line_of({"--reason", "night \"deploy\"", "ready", "blue", "--if-epoch", "7"}),
            R"(ready blue reason="night \"deploy\"" if-epoch=7)");
  EXPECT_EQ(line_of({"weights", "reason=two words"}), "weights reason=\"two words\"");
}

TEST(Arguments, HoldOptionsOfTheProgram) {
  auto arguments = parse_arguments({"--socket", "/x/y.sock", "--json", "status", "--no-color"});
  ASSERT_TRUE(arguments.has_value());
  EXPECT_EQ(arguments->socket, "/x/y.sock");
  EXPECT_TRUE(arguments->json);
  EXPECT_TRUE(arguments->no_color);
  EXPECT_EQ(parse_arguments({"--socket=/z", "status"})->socket, "/z");
  EXPECT_EQ(parse_arguments({"status"})->socket, "/run/sidecar/admin.sock");
  EXPECT_TRUE(parse_arguments({"-h"})->help);
  EXPECT_EQ(parse_arguments({"maint", "blue", "--confirm=blue"})->confirm, "blue");
}

TEST(Arguments, WaitAsLongAsTheySay) {
  EXPECT_FALSE(parse_arguments({"maint", "blue"})->wait);
  EXPECT_EQ(parse_arguments({"maint", "blue", "--wait"})->wait_time, kWaitDefault);
  EXPECT_EQ(parse_arguments({"maint", "blue", "--wait=90s"})->wait_time, base::Millis{90'000});
  EXPECT_EQ(line_of({"drain", "blue", "--wait"}), "drain blue wait=1m");
  EXPECT_EQ(line_of({"drain", "blue", "--wait", "wait=5s"}), "drain blue wait=5s");
}

TEST(Arguments, AreRefusedWithTheWordThatIsWrong) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
      {{}, "a verb is needed"},
      {{"statsu"}, "no verb is called statsu; did you mean status?"},
      {{"status", "--jason"}, "unknown option --jason; did you mean --json?"},
      {{"ready", "blue", "--reason"}, "--reason needs a value: --reason TEXT"},
      {{"status", "--json=yes"}, "--json takes no value"},
      {{"ready", "blue\nweights"}, "a control character in an argument"},
      {{"ready", "blue\x1b[2J"}, "a control character in an argument"},
      {{"maint", "blue", "--wait=soon"}, "--wait=soon is no time, such as 90s or 2m"},
      {{"hold", "on", "--wait"}, "--wait: there is nothing that hold waits for"},
      {{"status", "--dry-run"},
       "--reason, --if-epoch, --confirm and --dry-run are for changes; status changes nothing"},
      {{"reload", "--dry-run"},
       "a reload cannot be looked at beforehand; sidecar --check reads the file"},
  };
  for (const auto& [words, fault] : cases) EXPECT_EQ(line_of(words), "fault: " + fault);
}

}  // namespace
}  // namespace cli

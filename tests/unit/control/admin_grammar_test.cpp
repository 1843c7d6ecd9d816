#include "shifter/control/admin_grammar.h"

#include <gtest/gtest.h>

namespace control {
namespace {

using namespace std::chrono_literals;

TEST(AdminGrammar, ReadsWordsAndKeys) {
  auto command = parse_command("drain blue  deadline=0 wait=60s\tforce=yes");
  ASSERT_TRUE(command.has_value()) << command.error().message;
  EXPECT_EQ(command->spec->verb, Verb::drain);
  EXPECT_EQ(command->words, std::vector<std::string>{"blue"});
  EXPECT_EQ(command->find("wait"), "60s");
  EXPECT_EQ(**duration_of(*command, "wait", 0ms, 1h), 60s);
  EXPECT_EQ(**duration_of(*command, "deadline", 0ms, 1h), 0s);
  EXPECT_TRUE(*flag_of(*command, "force"));
  EXPECT_FALSE(*flag_of(*command, "last"));
  EXPECT_EQ(*duration_of(*command, "quiet", 0ms, 1h), std::nullopt);
}

TEST(AdminGrammar, KeepsSpacesAndQuotesInQuotedValues) {
  auto command = parse_command(R"(weights blue=9 green=1 reason="night \"deploy\", \\ o=k")");
  ASSERT_TRUE(command.has_value()) << command.error().message;
  EXPECT_EQ(command->find("reason"), R"(night "deploy", \ o=k)");
  EXPECT_EQ(command->find("blue"), "9");
}

TEST(AdminGrammar, NamesTheFieldOfEachFault) {
  struct Case {
    std::string line;
    std::string field;
    std::string said;
  };
  const std::vector<Case> cases = {
      {"", "command", "empty"},
      {"   ", "command", "empty"},
      {"statsu", "command", "did you mean status?"},
      {"drain blue waits=3s", "waits", "did you mean wait?"},
      {"drain blue wait=1s wait=2s", "wait", "twice"},
      {"drain", "arguments", "usage: drain COLOR"},
      {"drain blue green", "green", "usage: drain COLOR"},
      {"status now", "now", "usage: status"},
      {"ready blue reason=\"x", "", "quote"},
      {std::string("ready blue\x01"), "", "control character at byte 11"},
  };
  for (const Case& one : cases) {
    auto command = parse_command(one.line);
    ASSERT_FALSE(command.has_value()) << one.line;
    EXPECT_EQ(command.error().code, AdminCode::usage);
    EXPECT_EQ(command.error().field, one.field) << one.line;
    EXPECT_NE(command.error().message.find(one.said), std::string::npos) << command.error().message;
  }
}

TEST(AdminGrammar, RefusesValuesOutOfRange) {
  auto command = parse_command("drain blue wait=2d deadline=x quiet= force=maybe");
  ASSERT_TRUE(command.has_value());
  for (const char* key : {"wait", "deadline", "quiet"}) {
    auto value = duration_of(*command, key, 0ms, 24h);
    ASSERT_FALSE(value.has_value()) << key;
    EXPECT_EQ(value.error().field, key);
  }
  EXPECT_FALSE(flag_of(*command, "force").has_value());
  auto hold = parse_command("hold on max=-1");
  ASSERT_TRUE(hold.has_value());
  EXPECT_FALSE(number_of(*hold, "max", 0, 100).has_value());
}

TEST(AdminGrammar, TakesIfEpochAndReasonWithEveryChangeAndNoLook) {
  for (const CommandSpec& spec : command_table()) {
    std::string line(spec.name);
    for (int i = 0; i < spec.words_min; ++i) line += " blue";
    auto command = parse_command(line + " if-epoch=3 reason=x");
    EXPECT_EQ(command.has_value(), spec.changes) << spec.name;
  }
}

TEST(AdminGrammar, WritesErrorsAsJson) {
  EXPECT_EQ(error_json({AdminCode::conflict, "the epoch is \"3\"", "if-epoch"}),
            R"({"ok":false,"error":{"code":"conflict","message":"the epoch is \"3\"",)"
            R"("field":"if-epoch"}})");
  EXPECT_EQ(error_json({AdminCode::state_unwritable, "no", {}}),
            R"({"ok":false,"error":{"code":"state_unwritable","message":"no"}})");
}

}  // namespace
}  // namespace control

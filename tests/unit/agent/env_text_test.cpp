#include "shifter/agent/env_text.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace agent {
namespace {

const std::string kAwkward =
    "# WORKERS_GREEN=1\r\n"
    "XWORKERS_GREEN=7\n"
    "  WORKERS_GREEN_X = 8 # of another\n"
    "PASSWORD='it is #1 \\' \nWORKERS_GREEN=2\n'\n"
    "export WORKERS_BLUE=\"4\"   # quoted\r\n"
    "export WORKERS_GREEN=6\r\n"
    "\n"
    "not a line of a file\n"
    "EMPTY=\n"
    "COMMENT= # nothing\n"
    "URL=postgres://odoo@db:5432/odoo#fragment\n"
    "LAST=9";

std::string value_of(const std::string& bytes, std::string_view key) {
  auto text = EnvText::parse(bytes);
  return text ? text->value(key).value_or("(none)") : "(" + text.error().detail + ")";
}

TEST(EnvText, ReadsWhatComposeReads) {
  EXPECT_EQ(value_of(kAwkward, "WORKERS_GREEN"), "6");
  EXPECT_EQ(value_of(kAwkward, "WORKERS_BLUE"), "4");
  EXPECT_EQ(value_of(kAwkward, "XWORKERS_GREEN"), "7");
  EXPECT_EQ(value_of(kAwkward, "WORKERS_GREEN_X"), "8");
  EXPECT_EQ(value_of(kAwkward, "EMPTY"), "");
  EXPECT_EQ(value_of(kAwkward, "COMMENT"), "");
  EXPECT_EQ(value_of(kAwkward, "URL"), "postgres://odoo@db:5432/odoo#fragment");
  EXPECT_EQ(value_of(kAwkward, "LAST"), "9");
  EXPECT_EQ(value_of(kAwkward, "WORKERS"), "(none)");
  EXPECT_EQ(value_of("\xEF\xBB\xBF"
                     "A=1\n",
                     "A"),
            "1");
}

// R68: a byte diff shows only the digits of the one key.
TEST(EnvText, AHundredRandomEditsChangeTheDigitsOfTheOneKeyOnly) {
  std::mt19937 random(68);
  const std::vector<std::string> keys = {"WORKERS_GREEN",   "WORKERS_BLUE", "XWORKERS_GREEN",
                                         "WORKERS_GREEN_X", "LAST",         "EMPTY",
                                         "COMMENT"};
  std::string bytes = kAwkward;
  for (int i = 0; i < 100; ++i) {
    const std::string& key = keys[random() % keys.size()];
    const std::string number = std::to_string(random() % 1000);
    auto before = EnvText::parse(bytes);
    ASSERT_TRUE(before.has_value());
    const auto entry = std::find_if(before->entries().rbegin(), before->entries().rend(),
                                    [&](const auto& one) { return one.key == key; });
    auto after = before->with(key, number);
    ASSERT_TRUE(after.has_value()) << after.error().detail;
    EXPECT_EQ(after->substr(0, entry->value_at), bytes.substr(0, entry->value_at));
    EXPECT_EQ(after->substr(entry->value_at, number.size()), number);
    EXPECT_EQ(after->substr(entry->value_at + number.size()),
              bytes.substr(entry->value_at + entry->value_length));
    for (const std::string& other : keys) {
      EXPECT_EQ(value_of(*after, other), other == key ? number : value_of(bytes, other));
    }
    bytes = *after;
  }
  EXPECT_NE(bytes.find("# WORKERS_GREEN=1\r\n"), std::string::npos);
  EXPECT_NE(bytes.back(), '\n') << "no final newline was there";
}

TEST(EnvText, RefusesAKeyThatIsThereTwiceOrNotAtAll) {
  auto text = EnvText::parse("A=1\nB=2\nexport A=3\n");
  ASSERT_TRUE(text.has_value());
  EXPECT_EQ(text->value("A"), "3");
  auto twice = text->with("A", "4");
  ASSERT_FALSE(twice.has_value());
  EXPECT_EQ(twice.error().code, base::ErrorCode::refused);
  EXPECT_EQ(twice.error().detail, "A is there twice, in lines 1 and 3: leave one");
  EXPECT_EQ(text->with("C", "4").error().code, base::ErrorCode::not_found);
}

TEST(EnvText, RefusesAValueThatWouldNotReadBack) {
  auto text = EnvText::parse("A=1\n");
  for (const char* value : {"", "a b", "a#b", "a\nB=2", "'", "\"", "$HOME", "a\\"}) {
    EXPECT_FALSE(text->with("A", value).has_value()) << value;
  }
  const std::string digest = "registry:5000/odoo@sha256:" + std::string(64, 'a');
  EXPECT_EQ(value_of(*text->with("A", digest), "A"), digest);
}

TEST(EnvText, SaysWhereAFileIsFaulty) {
  EXPECT_EQ(value_of("A=1\nB=\"2\nC=3\n", "A"), "(line 2: the quote of B is not closed)");
  EXPECT_EQ(value_of(std::string("A=1\0", 4), "A"), "(byte 3 is 0)");
  EXPECT_FALSE(EnvText::parse(std::string(EnvText::kBytesMax + 1, '\n')).has_value());
}

}  // namespace
}  // namespace agent

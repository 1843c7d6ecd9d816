#include "shifter/control/force_tokens.h"

#include <gtest/gtest.h>

#include <fstream>

namespace control {
namespace {

std::string token_file(const std::string& text) {
  const std::string path = testing::TempDir() + "/force_tokens_test.key";
  std::ofstream(path) << text;
  return path;
}

TEST(ForceTokens, AreTheLinesOfAFile) {
  const auto tokens = read_force_tokens(
      token_file("# night team\n0123456789abcdef\r\n\nfedcba9876543210:with-colon\n"));
  ASSERT_TRUE(tokens.has_value());
  EXPECT_EQ(*tokens, (std::vector<std::string>{"0123456789abcdef", "fedcba9876543210:with-colon"}));
}

TEST(ForceTokens, AreNoneWithoutAFile) {
  for (const std::string& path : {std::string(), testing::TempDir() + "/no/such.key"}) {
    const auto tokens = read_force_tokens(path);
    ASSERT_TRUE(tokens.has_value());
    EXPECT_TRUE(tokens->empty());
  }
}

TEST(ForceTokens, ThatAreShortOrNoCookieAreFaultsThatDoNotShowThem) {
  for (const char* line : {"short", "has a space in it!!", "has;a;semicolon;in;it"}) {
    const auto tokens =
        read_force_tokens(token_file(std::string("0123456789abcdef\n") + line + "\n"));
    ASSERT_FALSE(tokens.has_value()) << line;
    EXPECT_NE(tokens.error().detail.find(".key:2: "), std::string::npos) << tokens.error().detail;
    EXPECT_EQ(tokens.error().detail.find(line), std::string::npos);
  }
}

}  // namespace
}  // namespace control

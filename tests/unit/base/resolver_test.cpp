#include "proxy/base/resolver.h"

#include "tests/unit/base/loop_fixture.h"

namespace base {
namespace {

using Answer = std::optional<Result<std::vector<Address>>>;

TEST(Resolver, ResolvesNamesAndLiteralsLaterOnTheLoop) {
  UvLoop loop;
  Resolver resolver(loop);
  Answer literal;
  Answer name;
  resolver.resolve("127.0.0.1", [&](auto result) { literal = std::move(result); });
  resolver.resolve("localhost", [&](auto result) { name = std::move(result); });
  EXPECT_FALSE(literal);
  run_until(loop, [&] { return literal && name; });
  ASSERT_TRUE(*literal) << literal->error().detail;
  EXPECT_EQ(**literal, std::vector<Address>{*parse_address("127.0.0.1:0")});
  ASSERT_TRUE(*name) << name->error().detail;
  EXPECT_FALSE((*name)->empty());
}

TEST(Resolver, SaysThatANameHasNoAddress) {
  UvLoop loop;
  Resolver resolver(loop);
  Answer answer;
  // Refused by the resolver itself, without asking a server: a label of 64 bytes.
  resolver.resolve(std::string(64, 'x') + ".invalid", [&](auto result) { answer = result; });
  run_until(loop, [&] { return answer.has_value(); });
  EXPECT_FALSE(*answer);
}

TEST(Resolver, LimitsHowManyNamesWait) {
  UvLoop loop;
  Resolver resolver(loop);
  int good = 0;
  int refused = 0;
  for (int i = 0; i < 2000; ++i) {
    resolver.resolve("127.0.0.1", [&](auto result) { result ? ++good : ++refused; });
  }
  run_until(loop, [&] { return good + refused == 2000; });
  EXPECT_GE(good, 256);
}

TEST(Resolver, DropsAnswersThatComeAfterItsEnd) {
  UvLoop loop;
  bool called = false;
  {
    Resolver resolver(loop);
    for (int i = 0; i < 100; ++i) {
      resolver.resolve("127.0.0.1", [&](const auto&) { called = true; });
    }
  }
  settle(loop);
  EXPECT_FALSE(called);
}

}  // namespace
}  // namespace base

#include "proxy/relay/rpc_outcome.h"

#include <gtest/gtest.h>

namespace relay {
namespace {

std::string error_of(const std::string& name) {
  return R"({"jsonrpc": "2.0", "id": 24, "error": {"code": 200, "message": "Odoo Server Error", )"
         R"("data": {"name": ")" +
         name + R"(", "debug": "…", "message": "m", "arguments": [], "context": {}}}})";
}

TEST(RpcOutcome, AResultIsFine) {
  EXPECT_EQ(read_rpc_outcome(R"({"jsonrpc": "2.0", "id": 1, "result": )"), RpcOutcome::fine);
  EXPECT_EQ(read_rpc_outcome(R"({"result":{"error":{"data":{"name":"x"}}}})"), RpcOutcome::fine);
  EXPECT_EQ(read_rpc_outcome(R"({"error":null,"result":[]})"), RpcOutcome::fine);
}

TEST(RpcOutcome, ErrorsThatTellAUserAboutItsDoingAreFine) {
  for (const char* name :
       {"odoo.exceptions.UserError", "odoo.exceptions.ValidationError",
        "odoo.exceptions.AccessError", "odoo.exceptions.AccessDenied",
        "odoo.exceptions.MissingError", "odoo.http.SessionExpiredException", "UserError"}) {
    EXPECT_EQ(read_rpc_outcome(error_of(name)), RpcOutcome::fine) << name;
  }
}

TEST(RpcOutcome, AnyOtherErrorIsUnexpected) {
  for (const char* name : {"builtins.ValueError", "psycopg2.errors.UndefinedColumn", "UserErrors",
                           "odoo.UserError.KeyError", ""}) {
    EXPECT_EQ(read_rpc_outcome(error_of(name)), RpcOutcome::unexpected) << name;
  }
  EXPECT_EQ(read_rpc_outcome(R"({"error": {"code": -32700, "message": "no data"}, "id": 1})"),
            RpcOutcome::unexpected);
  EXPECT_EQ(read_rpc_outcome(R"({"error": "text"})"), RpcOutcome::unexpected);
  EXPECT_EQ(read_rpc_outcome(R"({"error": {"data": {"debug": 1}}})"), RpcOutcome::unexpected);
  EXPECT_EQ(read_rpc_outcome(R"({"error": {"data": {"name": 7}}})"), RpcOutcome::unexpected);
}

TEST(RpcOutcome, AnErrorInsideAValueIsNone) {
  EXPECT_EQ(read_rpc_outcome(R"({"id": {"error": {"data": {"name": "x"}}}, "result": 1})"),
            RpcOutcome::fine);
  EXPECT_EQ(
      read_rpc_outcome(R"({"id": "\"error\": {", "list": [1, -2.5e3, true, "]"], "result": 1})"),
      RpcOutcome::fine);
}

TEST(RpcOutcome, WhatIsNotJsonCannotBeTold) {
  for (const char* text :
       {"<html>", "[{\"result\":1}]", "x", "{}", "{\"id\":1}x", "{\"a\" 1}", "{1:2}", "\x1f\x8b"}) {
    const RpcOutcome outcome = read_rpc_outcome(text);
    EXPECT_TRUE(outcome == RpcOutcome::unknown || outcome == RpcOutcome::open) << text;
    EXPECT_NE(outcome, RpcOutcome::fine) << text;
  }
  EXPECT_EQ(read_rpc_outcome("<html>"), RpcOutcome::unknown);
}

TEST(RpcOutcome, OnlyTheFirstKibibyteIsLookedAt) {
  const std::string late = R"({"id": ")" + std::string(1'024, 'x') + R"(", "result": 1})";
  EXPECT_EQ(read_rpc_outcome(late), RpcOutcome::unknown);
  RpcReader reader;
  reader.begin(true);
  for (const char c : late) reader.read({&c, 1});
  EXPECT_EQ(reader.end(), RpcOutcome::unknown);
  EXPECT_FALSE(reader.wants());
}

TEST(RpcOutcome, PiecesSayTheSame) {
  for (const std::string& text :
       {error_of("odoo.exceptions.UserError"), error_of("builtins.KeyError"),
        std::string(R"({"jsonrpc":"2.0","id":7,"result":[1,2]})")}) {
    for (const size_t piece : {1, 2, 3, 7, 100, 1'000}) {
      RpcReader reader;
      reader.begin(true);
      for (size_t at = 0; at < text.size(); at += piece) reader.read(text.substr(at, piece));
      // Nothing follows that could change it: what was kept is looked at as a whole.
      const RpcOutcome outcome = reader.end();
      EXPECT_EQ(outcome, read_rpc_outcome(text)) << piece << " " << text;
    }
  }
}

TEST(RpcOutcome, WhatCannotBeReadIsUnknown) {
  RpcReader reader;
  EXPECT_EQ(reader.end(), RpcOutcome::none);
  reader.begin(false);
  EXPECT_FALSE(reader.wants());
  EXPECT_EQ(reader.end(), RpcOutcome::unknown);
  reader.begin(true);
  EXPECT_EQ(reader.end(), RpcOutcome::unknown);
  reader.stop();
  EXPECT_EQ(reader.end(), RpcOutcome::none);
}

}  // namespace
}  // namespace relay

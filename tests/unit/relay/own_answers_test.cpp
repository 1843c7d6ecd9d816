#include "proxy/relay/own_answers.h"

#include <gtest/gtest.h>

#include "proxy/http/parser.h"

namespace relay {
namespace {

// What a client makes of an answer.
struct Read {
  int status = 0;
  std::vector<std::string> fields;
  std::string body;
  bool keep_alive = false;
  bool has(std::string_view field) const {
    return std::find(fields.begin(), fields.end(), field) != fields.end();
  }
};

Read read(const std::string& bytes, http::Method to = http::Method::get) {
  http::HeadParser parser{http::HeadLimits{}};
  http::ResponseHead head;
  const http::Parsed parsed = parser.parse_response(bytes, 0, to, false, head);
  EXPECT_EQ(parsed.state, http::Parsed::State::complete) << bytes;
  Read read;
  read.status = head.status;
  read.keep_alive = head.keep_alive;
  for (const http::Field& field : head.fields) {
    read.fields.push_back(std::string(field.name) + ": " + std::string(field.value));
  }
  read.body = bytes.substr(parsed.head_bytes);
  if (to != http::Method::head) {
    EXPECT_EQ(head.framing.body, http::BodyKind::length);
    EXPECT_EQ(head.framing.length, read.body.size());
  }
  return read;
}

OwnAnswer answer_of(int status) {
  OwnAnswer answer;
  answer.status = status;
  answer.request_id = "req-17";
  answer.date = "Tue, 30 Jun 2026 12:00:00 GMT";
  return answer;
}

std::string written(const OwnAnswer& answer) {
  std::string out;
  write_own_answer(answer, out);
  return out;
}

TEST(OwnAnswers, ArePagesInSpanishWithTheRequestId) {
  for (const int status :
       {400, 403, 404, 408, 413, 414, 417, 431, 500, 501, 502, 503, 504, 505, 508}) {
    const Read got = read(written(answer_of(status)));
    EXPECT_EQ(got.status, status);
    EXPECT_NE(got.body.find("<html lang=\"es\">"), std::string::npos);
    EXPECT_NE(got.body.find(std::to_string(status) + " · req-17"), std::string::npos);
    EXPECT_TRUE(got.has("X-Request-Id: req-17"));
    EXPECT_TRUE(got.has("Cache-Control: no-store"));
    EXPECT_TRUE(got.has("Date: Tue, 30 Jun 2026 12:00:00 GMT"));
  }
}

TEST(OwnAnswers, SpeakJsonRpcWhereClientsExpectIt) {
  OwnAnswer answer = answer_of(503);
  answer.json_rpc = true;
  const Read got = read(written(answer));
  EXPECT_TRUE(got.has("Content-Type: application/json"));
  EXPECT_EQ(got.body.rfind(R"({"jsonrpc":"2.0","id":null,"error":{"code":503,)", 0), 0u);
  EXPECT_NE(got.body.find(R"("request_id":"req-17"}}})"), std::string::npos);
}

TEST(OwnAnswers, HaveNoBodyForHead) {
  OwnAnswer answer = answer_of(404);
  answer.head_only = true;
  const std::string bytes = written(answer);
  EXPECT_EQ(bytes.substr(bytes.size() - 4), "\r\n\r\n");
  EXPECT_EQ(read(bytes, http::Method::head).status, 404);
}

TEST(OwnAnswers, SayWhenToComeAgainAndWhetherTheConnectionEnds) {
  OwnAnswer answer = answer_of(503);
  answer.retry_after_s = 5;
  answer.close = false;
  Read got = read(written(answer));
  EXPECT_TRUE(got.has("Retry-After: 5"));
  EXPECT_TRUE(got.keep_alive);
  answer.retry_after_s = 0;
  answer.close = true;
  got = read(written(answer));
  EXPECT_FALSE(got.has("Retry-After: 0"));
  EXPECT_FALSE(got.keep_alive);
}

TEST(OwnAnswers, NeedNoRequestId) {
  OwnAnswer answer = answer_of(400);
  answer.request_id = {};
  const Read got = read(written(answer));
  for (const std::string& field : got.fields)
    EXPECT_EQ(field.rfind("X-Request-Id", 0), std::string::npos);
}

TEST(HealthAnswer, SaysWhetherThisProcessServes) {
  std::string out;
  write_health_answer(true, "Tue, 30 Jun 2026 12:00:00 GMT", false, false, out);
  Read got = read(out);
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.body, R"({"status":"pass"})");
  EXPECT_TRUE(got.keep_alive);
  EXPECT_TRUE(got.has("Cache-Control: no-store"));

  out.clear();
  write_health_answer(false, "Tue, 30 Jun 2026 12:00:00 GMT", false, true, out);
  got = read(out);
  EXPECT_EQ(got.status, 503);
  EXPECT_EQ(got.body, R"({"status":"fail"})");
  EXPECT_FALSE(got.keep_alive);
}

TEST(JsonRpc, IsSpokenUnderTwoPaths) {
  for (const char* path : {"/jsonrpc", "/jsonrpc/", "/web/dataset", "/web/dataset/call_kw/a/b"}) {
    EXPECT_TRUE(speaks_json_rpc(path)) << path;
  }
  for (const char* path : {"/", "/jsonrpcx", "/web/datasets", "/xmlrpc/2/common", "/web"}) {
    EXPECT_FALSE(speaks_json_rpc(path)) << path;
  }
}

}  // namespace
}  // namespace relay

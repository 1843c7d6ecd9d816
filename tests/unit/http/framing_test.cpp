// Where a body ends, step by step.
#include "proxy/http/framing.h"

#include <gtest/gtest.h>

namespace http {
namespace {

using base::ErrorCode;
using base::Side;

BodyReader chunked(uint64_t bytes_max = UINT64_MAX, Side side = Side::client) {
  return BodyReader({BodyKind::chunked, 0}, bytes_max, side);
}

// The content of a whole body, or the label of the error.
std::string content(BodyReader reader, std::string_view bytes) {
  std::string result;
  while (!reader.is_done()) {
    const auto step = reader.read(bytes);
    if (!step) return std::string(base::facts_of(step.error().code).label);
    if (step->used == 0) return "incomplete";
    result += step->content;
    bytes.remove_prefix(step->used);
  }
  return result + (bytes.empty() ? "" : "|" + std::string(bytes));
}

TEST(Body, OfNothingIsDoneAtOnce) {
  EXPECT_TRUE(BodyReader().is_done());
  EXPECT_TRUE(BodyReader({BodyKind::none, 0}, 0, Side::client).is_done());
  EXPECT_TRUE(BodyReader({BodyKind::length, 0}, 0, Side::client).is_done());
}

TEST(Body, OfALengthTakesThatAndNoMore) {
  BodyReader reader({BodyKind::length, 5}, 0, Side::client);
  const std::string_view bytes = "hello, world";
  auto step = reader.read(bytes.substr(0, 2));
  EXPECT_EQ(step->used, 2u);
  step = reader.read(bytes.substr(2));
  EXPECT_EQ(step->used, 3u);
  EXPECT_EQ(step->content, "llo");
  EXPECT_EQ(step->content.data(), bytes.data() + 2) << "a view, not a copy";
  EXPECT_TRUE(reader.is_done());
  EXPECT_EQ(reader.content_bytes(), 5u);
  EXPECT_EQ(reader.read("x")->used, 0u);
}

TEST(Body, CutShortIsBroken) {
  BodyReader request({BodyKind::length, 5}, 0, Side::client);
  EXPECT_EQ(request.end().error().code, ErrorCode::client_gone);
  BodyReader response({BodyKind::length, 5}, 0, Side::backend);
  EXPECT_EQ(response.end().error().code, ErrorCode::backend_reset);
  BodyReader chunks = chunked(UINT64_MAX, Side::backend);
  ASSERT_TRUE(chunks.read("5\r\nhello\r\n0\r\n"));
  EXPECT_FALSE(chunks.end());
}

TEST(Body, UntilCloseIsWholeWhenThePeerCloses) {
  BodyReader reader({BodyKind::until_close, 0}, 5, Side::backend);
  EXPECT_EQ(reader.read("hell")->content, "hell");
  EXPECT_FALSE(reader.is_done());
  EXPECT_EQ(reader.read("o")->content, "o");
  BodyReader full = reader;
  EXPECT_TRUE(reader.end());
  EXPECT_TRUE(reader.is_done());
  EXPECT_EQ(full.read("!").error().code, ErrorCode::body_too_large);
}

TEST(Chunks, GiveTheirContentInRuns) {
  BodyReader reader = chunked();
  const std::string_view bytes = "5\r\nhello\r\n0\r\n\r\nGET";
  const auto first = reader.read(bytes);
  EXPECT_EQ(first->used, 8u);
  EXPECT_EQ(first->content.data(), bytes.data() + 3);
  EXPECT_EQ(first->content, "hello");
  const auto second = reader.read(bytes.substr(first->used));
  EXPECT_EQ(second->used, 7u);
  EXPECT_TRUE(second->content.empty());
  EXPECT_TRUE(reader.is_done());
  EXPECT_EQ(reader.content_bytes(), 5u);
}

TEST(Chunks, MayHaveExtensionsThatAreDropped) {
  for (const char* extension :
       {";a", ";a=b", ";a;b=c", ";a=\"\"", ";a=\"x\\\"y;\\\\\";b", ";a=\"\t \xff\""}) {
    EXPECT_EQ(content(chunked(), "1" + std::string(extension) + "\r\nx\r\n0\r\n\r\n"), "x")
        << extension;
    EXPECT_EQ(content(chunked(), "0" + std::string(extension) + "\r\n\r\n"), "") << extension;
  }
}

TEST(Chunks, WithMalformedLinesAreRefused) {
  for (const char* line : {"",
                           "x",
                           "1 ",
                           " 1",
                           "+1",
                           "-1",
                           "0x1",
                           "1;",
                           "1;=b",
                           "1;a=",
                           "1;a=b;",
                           "1; a",
                           "1 ;a",
                           "1;a =b",
                           "1;a=\"b",
                           "1;a=\"b\"c",
                           "1;a=b\"c\"",
                           "1;a=\"\x01\"",
                           "1;a=\"\\\x7f\"",
                           "1;a\n",
                           "1\r\r",
                           "1;\xff"}) {
    EXPECT_EQ(content(chunked(), std::string(line) + "\r\nx\r\n0\r\n\r\n"), "bad_message") << line;
  }
}

TEST(Chunks, AreRefusedByTheSideThatSentThem) {
  BodyReader reader = chunked(UINT64_MAX, Side::backend);
  const auto step = reader.read("g");
  EXPECT_EQ(step.error().code, ErrorCode::bad_backend_message);
  EXPECT_EQ(step.error().side, Side::backend);
}

TEST(Chunks, TooLargeAreRefusedBeforeTheirContent) {
  BodyReader reader = chunked(10);
  ASSERT_EQ(reader.read("6\r\nabcdef")->content, "abcdef");
  EXPECT_EQ(reader.read("\r\n5\r\n").error().code, ErrorCode::body_too_large);
  EXPECT_EQ(content(chunked(10), "ffffffffffffffff\r\n"), "body_too_large");
}

TEST(Trailers, AreCheckedAndDropped) {
  EXPECT_EQ(content(chunked(), "0\r\nX-T: 1\r\nX_y:\r\nHosts: \t\xe9\r\n\r\nnext"), "|next");
  for (const char* line : {": x", "a b: x", " a: x", "a", "a: \x01", "a: b\rc", "a: b\n"}) {
    EXPECT_EQ(content(chunked(), "0\r\n" + std::string(line) + "\r\n\r\n"), "bad_message") << line;
  }
}

TEST(Trailers, MayNotFrameOrRoute) {
  for (const char* name :
       {"Content-Length", "TRANSFER-ENCODING", "host", "content_length", "Transfer_encoding"}) {
    EXPECT_EQ(content(chunked(), "0\r\n" + std::string(name) + ": x\r\n\r\n"), "bad_message")
        << name;
    EXPECT_EQ(content(chunked(), "0\r\nX" + std::string(name) + ": x\r\n\r\n"), "") << name;
    EXPECT_EQ(content(chunked(), "0\r\n" + std::string(name) + "x: x\r\n\r\n"), "") << name;
  }
}

}  // namespace
}  // namespace http

#include "proxy/http/message.h"

#include <gtest/gtest.h>

#include <random>

#include "proxy/http/bytes.h"
#include "proxy/http/connection_options.h"
#include "proxy/http/writer.h"

namespace http {
namespace {

TEST(FieldNames, AreKnownInAnySpelling) {
  EXPECT_EQ(field_id("host"), FieldId::host);
  EXPECT_EQ(field_id("HOST"), FieldId::host);
  EXPECT_EQ(field_id("te"), FieldId::te);
  EXPECT_EQ(field_id("Content-Length"), FieldId::content_length);
  EXPECT_EQ(field_id("tRANSFER-eNCODING"), FieldId::transfer_encoding);
  EXPECT_EQ(field_id("X-Forwarded-Host"), FieldId::x_forwarded_host);
  EXPECT_EQ(field_id("X-Forwarded-Port"), FieldId::x_forwarded_port);
  EXPECT_EQ(field_id("X-Openerp-Session-Id"), FieldId::x_openerp_session_id);
  EXPECT_EQ(field_id("Proxy-Authorization"), FieldId::proxy_authorization);
}

TEST(FieldNames, AreNotMistaken) {
  for (const char* name : {"", "h", "hosts", "hos", "Content_Length", "content\rlength",
                           "Content-Lengti", "Xontent-Length", "transfer-encodinf", "T\x05",
                           "x-forwarded-hosu", "proxy-authentication-infoo"}) {
    EXPECT_EQ(field_id(name), FieldId::other) << name;
  }
}

TEST(Tokens, AreFoundInLists) {
  EXPECT_TRUE(has_token("keep-alive, Upgrade", "upgrade"));
  EXPECT_TRUE(has_token(" ,\tclose\t,", "close"));
  EXPECT_FALSE(has_token("closet", "close"));
  EXPECT_FALSE(has_token("foo close", "close"));
  EXPECT_FALSE(has_token("", "close"));
}

TEST(ConnectionList, IsTakenApart) {
  ConnectionOptions options;
  std::vector<std::string> named;
  const auto name_field = [&](std::string_view name) { named.emplace_back(name); };
  EXPECT_TRUE(read_connection(",close , X-A,\tKeep-Alive,", options, name_field));
  EXPECT_TRUE(options.close);
  EXPECT_TRUE(options.keep_alive);
  EXPECT_FALSE(options.upgrade);
  EXPECT_EQ(named, std::vector<std::string>{"X-A"});
  EXPECT_FALSE(read_connection("foo close", options, name_field));
  EXPECT_FALSE(read_connection("\"close\"", options, name_field));
}

TEST(Bytes, AreSearchedFastAsSlowly) {
  const unsigned seed = 20240611;
  std::printf("seed %u\n", seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 3000; ++round) {
    const size_t size = random() % 200;
    std::vector<char> text(size, 'a');
    for (int i = 0; i < 3 && size > 0; ++i) {
      text[random() % size] = static_cast<char>(random() % 256);
    }
    const char* const begin = text.data();
    const char* const end = begin + size;
    ControlScan controls(begin, end);
    for (const char* at = begin; at != end; ++at) {
      if (is(kTextByte, *at) && *at != '\t') continue;
      ASSERT_EQ(controls.next(), at);
    }
    ASSERT_EQ(controls.next(), end);
    ASSERT_EQ(controls.next(), end);
    bool fast = false;
    bool slow = false;
    ASSERT_EQ(find_name_end(begin, end, fast), find_name_end_slowly(begin, end, slow));
    ASSERT_EQ(fast, slow);
  }
}

TEST(Bytes, HaveTheClassesOfTheGrammar) {
  std::string tokens;
  std::string targets;
  for (int code = 0; code < 256; ++code) {
    const char byte = static_cast<char>(code);
    if (is(kTokenByte, byte)) tokens += byte;
    if (is(kTargetByte, byte)) targets += byte;
    EXPECT_EQ(is(kTextByte, byte), code == '\t' || (code >= 0x20 && code != 0x7f)) << code;
  }
  const std::string digits = "0123456789";
  const std::string large = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  const std::string small = "abcdefghijklmnopqrstuvwxyz";
  EXPECT_EQ(tokens, "!#$%&'*+-." + digits + large + "^_`" + small + "|~");
  EXPECT_EQ(targets, "!$%&'()*+,-./" + digits + ":;=?@" + large + "[]_" + small + "~");
}

TEST(Writer, WritesHeads) {
  std::string out;
  write_request_line(Method::delete_, "/a?b", out);
  write_field("Host", "a", out);
  write_field("Content-Length", uint64_t{18446744073709551615u}, out);
  write_field("X", "", out);
  write_head_end(out);
  EXPECT_EQ(out,
            "DELETE /a?b HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551615\r\n"
            "X: \r\n\r\n");
  out.clear();
  write_status_line(404, 1, out);
  write_status_line(299, 0, out);
  EXPECT_EQ(out, "HTTP/1.1 404 Not Found\r\nHTTP/1.0 299 Unknown\r\n");
}

TEST(Writer, WritesChunkLines) {
  std::string out;
  write_chunk_line(0x1fade, out);
  EXPECT_EQ(out, "1fade\r\n");
}

TEST(Writer, DoesNotAllocateWhatItHas) {
  std::string out;
  out.reserve(1024);
  const char* const data = out.data();
  write_status_line(200, 1, out);
  write_field("Content-Length", uint64_t{5}, out);
  write_head_end(out);
  EXPECT_EQ(out.data(), data);
}

TEST(Reasons, AreOurOwn) {
  EXPECT_EQ(reason_of(200), "OK");
  EXPECT_EQ(reason_of(511), "Network Authentication Required");
  EXPECT_EQ(reason_of(599), "Unknown");
  EXPECT_EQ(reason_of(-1), "Unknown");
}

TEST(DateText, IsRenderedOnceASecond) {
  DateText date;
  const base::WallTime at{std::chrono::milliseconds(784111777'999)};
  EXPECT_EQ(date.at(at), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(date.at(at), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(date.at(at + std::chrono::milliseconds(1)), "Sun, 06 Nov 1994 08:49:38 GMT");
  EXPECT_EQ(date.at(base::WallTime(std::chrono::seconds(1709164800))),
            "Thu, 29 Feb 2024 00:00:00 GMT");
}

}  // namespace
}  // namespace http

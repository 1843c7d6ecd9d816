// The second parser is the one we think it is: llhttp in its strict mode.
#include <gtest/gtest.h>
#include <llhttp.h>

#include <string>

namespace {

llhttp_errno_t second_parser_on(const std::string& bytes) {
  llhttp_settings_t settings;
  llhttp_settings_init(&settings);
  llhttp_t parser;
  llhttp_init(&parser, HTTP_REQUEST, &settings);
  return llhttp_execute(&parser, bytes.data(), bytes.size());
}

const std::string kChunked = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

TEST(SecondParser, IsStrict) {
  EXPECT_EQ(second_parser_on(kChunked + "5\r\nhello\r\n0\r\n\r\n"), HPE_OK);
  EXPECT_EQ(second_parser_on(kChunked + "5\rXhello\r\n0\r\n\r\n"), HPE_STRICT);  // G08
  EXPECT_EQ(second_parser_on(kChunked + "5\r\nhelloXX0\r\n\r\n"), HPE_STRICT);   // G10
  // A head that would end at CR and any byte.
  EXPECT_NE(second_parser_on("GET / HTTP/1.1\r\nHost: a\r\n\rXGET / HTTP/1.1\r\n\r\n"), HPE_OK);
}

TEST(SecondParser, IsTheOneThatWasExamined) {
  EXPECT_EQ(LLHTTP_VERSION_MAJOR * 10000 + LLHTTP_VERSION_MINOR * 100 + LLHTTP_VERSION_PATCH, 80100)
      << "read docs/http.md before another version is taken";
}

}  // namespace

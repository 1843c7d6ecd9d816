// What happens just below, at and just above each limit.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/http/reading.h"

namespace http_test {
namespace {

using base::ErrorCode;

// Reads whole and in several cuts near `mark`, and says how it ended.
std::string outcome(Read read, const std::string& bytes, size_t mark, const Options& options = {}) {
  const Reading whole = read({bytes}, options);
  const std::string_view view = bytes;
  std::vector<size_t> cuts;
  const auto near = [&](size_t from, size_t to) {
    for (size_t at = std::max<size_t>(from, 1); at < std::min(to, view.size()); ++at) {
      cuts.push_back(at);
    }
  };
  near(1, 32);
  near(view.size() - std::min<size_t>(view.size(), 32), view.size());
  near(mark - std::min<size_t>(mark, 8), mark + 24);
  for (const size_t cut : cuts) {
    const Reading halves = read({view.substr(0, cut), view.substr(cut)}, options);
    EXPECT_EQ(halves, whole) << "cut at " << cut << " became " << halves.text() << "\nand whole "
                             << whole.text();
  }
  if (whole.end == Reading::End::refused) {
    return std::string(base::facts_of(whole.error.code).label);
  }
  return whole.end == Reading::End::clean ? "passes" : "incomplete";
}

std::string repeated(size_t times, std::string_view text = "a") {
  std::string out;
  for (size_t i = 0; i < times; ++i) out += text;
  return out;
}

// `limit` -> the outcomes at limit - 1, limit and limit + 1 of the input that `make` makes.
template <class Make>
std::vector<std::string> around(size_t limit, Make make, Read read = read_requests,
                                const Options& options = {}) {
  std::vector<std::string> outcomes;
  for (const size_t size : {limit - 1, limit, limit + 1}) {
    outcomes.push_back(outcome(read, make(size), size, options));
  }
  return outcomes;
}

using Outcomes = std::vector<std::string>;

TEST(Limits, OfTheTarget) {
  const auto make = [](size_t size) {
    return "GET /" + repeated(size - 1) + " HTTP/1.1\r\nHost: a\r\n\r\n";
  };
  EXPECT_EQ(around(16 << 10, make), (Outcomes{"passes", "passes", "target_too_long"}));
}

TEST(Limits, OfTheTargetBeforeItsEndIsHere) {
  const auto make = [](size_t size) { return "GET /" + repeated(size - 1); };
  EXPECT_EQ(around(16 << 10, make), (Outcomes{"incomplete", "incomplete", "target_too_long"}));
}

TEST(Limits, OfTheMethodBeforeItsEndIsHere) {
  const auto make = [](size_t size) { return repeated(size, "M"); };
  EXPECT_EQ(around(32, make), (Outcomes{"incomplete", "incomplete", "bad_method"}));
}

TEST(Limits, OfOneFieldLine) {
  const auto make = [](size_t size) {
    return "GET / HTTP/1.1\r\nHost: a\r\nX: " + repeated(size - 3) + "\r\n\r\n";
  };
  EXPECT_EQ(around(16 << 10, make), (Outcomes{"passes", "passes", "head_too_large"}));
}

TEST(Limits, OfOneFieldLineBeforeItsEndIsHere) {
  const auto make = [](size_t size) {
    return "GET / HTTP/1.1\r\nHost: a\r\nX: " + repeated(size - 3);
  };
  EXPECT_EQ(around(16 << 10, make), (Outcomes{"incomplete", "incomplete", "head_too_large"}));
}

TEST(Limits, OfTheHead) {
  const auto make = [](size_t size) {
    std::string head = "GET / HTTP/1.1\r\nHost: a\r\n";
    while (size - head.size() > 8192) head += "X: " + repeated(4091) + "\r\n";
    head += "X: " + repeated(size - head.size() - 7) + "\r\n\r\n";
    EXPECT_EQ(head.size(), size);
    return head;
  };
  EXPECT_EQ(around(64 << 10, make), (Outcomes{"passes", "passes", "head_too_large"}));
}

TEST(Limits, OfTheHeadBeforeItsEndIsHere) {
  const auto make = [](size_t size) {
    std::string head = "GET / HTTP/1.1\r\nHost: a\r\n";
    while (size - head.size() > 8192) head += "X: " + repeated(4091) + "\r\n";
    return head + "X: " + repeated(size - head.size() - 3);
  };
  EXPECT_EQ(around(64 << 10, make), (Outcomes{"incomplete", "incomplete", "head_too_large"}));
}

TEST(Limits, OfTheNumberOfFields) {
  const auto make = [](size_t size) {
    return "GET / HTTP/1.1\r\nHost: a\r\n" + repeated(size - 1, "X: 1\r\n") + "\r\n";
  };
  EXPECT_EQ(around(100, make), (Outcomes{"passes", "passes", "head_too_large"}));
}

TEST(Limits, OfTheResponseHead) {
  const auto make = [](size_t size) {
    std::string head = "HTTP/1.1 204 No Content\r\n";
    while (size - head.size() > 80'000) head += "X: " + repeated(39'995) + "\r\n";
    return head + "X: " + repeated(size - head.size() - 7) + "\r\n\r\n";
  };
  EXPECT_EQ(around(256 << 10, make, read_response),
            (Outcomes{"passes", "passes", "bad_backend_message"}));
}

TEST(Limits, OfTheNumberOfResponseFields) {
  const auto make = [](size_t size) {
    return "HTTP/1.1 204 No Content\r\n" + repeated(size, "Set-Cookie: a=1\r\n") + "\r\n";
  };
  EXPECT_EQ(around(256, make, read_response),
            (Outcomes{"passes", "passes", "bad_backend_message"}));
}

TEST(Limits, OfAContentLength) {
  Options options;
  options.limits.body_bytes = 1000;
  const auto make = [](size_t size) {
    return "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n" +
           repeated(size);
  };
  EXPECT_EQ(around(1000, make, read_requests, options),
            (Outcomes{"passes", "passes", "body_too_large"}));
}

TEST(Limits, OfTheDefaultContentLength) {
  http::HeadParser parser{http::HeadLimits{}};
  http::RequestHead head;
  const auto parse = [&](const std::string& length) {
    const std::string bytes =
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + length + "\r\n\r\n";
    return parser.parse_request(bytes, 0, head).state;
  };
  EXPECT_EQ(parse("134217728"), http::Parsed::State::complete);
  EXPECT_EQ(parse("134217729"), http::Parsed::State::faulty);
}

TEST(Limits, OfAChunkedBody) {
  Options options;
  options.limits.body_bytes = 1000;
  const auto make = [](size_t size) {
    char line[32];
    std::snprintf(line, sizeof line, "%zx\r\n", size - 400);
    return "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n190\r\n" +
           repeated(400) + "\r\n" + line + repeated(size - 400) + "\r\n0\r\n\r\n";
  };
  EXPECT_EQ(around(1000, make, read_requests, options),
            (Outcomes{"passes", "passes", "body_too_large"}));
}

const std::string kChunked = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

TEST(Limits, OfTheDigitsOfAChunkSize) {
  const auto make = [](size_t size) {
    return kChunked + repeated(size - 1, "0") + "1\r\na\r\n0\r\n\r\n";
  };
  EXPECT_EQ(around(16, make), (Outcomes{"passes", "passes", "bad_message"}));
}

TEST(Limits, OfOneChunkExtension) {
  const auto make = [](size_t size) {
    return kChunked + "1;" + repeated(size) + "\r\na\r\n0\r\n\r\n";
  };
  EXPECT_EQ(around(256, make), (Outcomes{"passes", "passes", "bad_message"}));
}

TEST(Limits, OfAllChunkExtensions) {
  const auto make = [](size_t size) {
    std::string body = kChunked;
    for (; size >= 256; size -= 256) body += "1;" + repeated(256) + "\r\na\r\n";
    if (size > 0) body += "1;" + repeated(size) + "\r\na\r\n";
    return body + "0\r\n\r\n";
  };
  EXPECT_EQ(around(16 << 10, make), (Outcomes{"passes", "passes", "bad_message"}));
}

TEST(Limits, OfTheTrailers) {
  const auto make = [](size_t size) {
    return kChunked + "0\r\nX: " + repeated(size - 5) + "\r\n\r\n";
  };
  EXPECT_EQ(around(8 << 10, make), (Outcomes{"passes", "passes", "bad_message"}));
}

TEST(Limits, OfTheInterimAnswers) {
  const auto make = [](size_t size) {
    return repeated(size, "HTTP/1.1 103 Early Hints\r\n\r\n") + "HTTP/1.1 204 No Content\r\n\r\n";
  };
  EXPECT_EQ(around(http::kInterimAnswersMax, make, read_response),
            (Outcomes{"passes", "passes", "bad_backend_message"}));
}

TEST(Limits, OfTheEmptyLinesBeforeARequest) {
  const auto make = [](size_t size) {
    return repeated(size, "\r\n") + "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  };
  EXPECT_EQ(around(2, make), (Outcomes{"passes", "passes", "bad_message"}));
}

TEST(Limits, OfTheOptionsOfConnection) {
  const auto make = [](size_t size) {
    return "GET / HTTP/1.1\r\nHost: a\r\nConnection: x" + repeated(size - 1, ", x") + "\r\n\r\n";
  };
  EXPECT_EQ(around(100, make), (Outcomes{"passes", "passes", "bad_message"}));
}

TEST(Limits, OfTheLengthOfAFieldNameLeaveNoOtherName) {
  for (const size_t size : {255u, 256u, 257u, 270u, 16'000u}) {
    const std::string name = "Content-Length" + repeated(size - 14, "x");
    const std::string bytes = "POST / HTTP/1.1\r\nHost: a\r\n" + name + ": 5\r\n\r\n";
    const Reading reading = read_requests({bytes}, {});
    ASSERT_EQ(reading.end, Reading::End::clean) << size;
    EXPECT_EQ(reading.messages[0].fields, std::vector<std::string>{name + ": 5"});
  }
}

TEST(Limits, EndAnIncompleteHeadAtOnce) {
  http::HeadParser parser{http::HeadLimits{}};
  http::RequestHead head;
  const auto is_refused = [&](std::string_view bytes) {
    return parser.parse_request(bytes, bytes.size() - 1, head).state == http::Parsed::State::faulty;
  };
  EXPECT_TRUE(is_refused("GET / HTTP/1.1\n"));
  EXPECT_TRUE(is_refused("GET / HTTP/1.1\r\nHost: a\n"));
  EXPECT_TRUE(is_refused("GET / HTTP/1.1\r\nHost: a\rX"));
  EXPECT_TRUE(is_refused(std::string_view("GET / HTTP/1.1\r\nHost: a\0", 24)));
  EXPECT_TRUE(parser.parse_request("\x16", 0, head).state == http::Parsed::State::faulty);
  EXPECT_TRUE(parser.parse_request("(", 0, head).state == http::Parsed::State::faulty);
  EXPECT_FALSE(is_refused("GET / HTTP/1.1\r"));
}

}  // namespace
}  // namespace http_test

// Hashed assets that only the other color has.
#include "tests/unit/relay/stage.h"

namespace relay {
namespace {

class Assets : public EveryReadSize {
 protected:
  Assets() {
    blue_.answer = answer_of("404 NOT FOUND", "blue has none");
    green_.answer = answer_of("200 OK", "green's bundle");
  }
  static std::string answer_of(const std::string& status, const std::string& body,
                               const std::string& fields = "") {
    return "HTTP/1.0 " + status + "\r\n" + fields +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  }
  static constexpr const char* kAsset = "/web/assets/1234567/web.assets_web.min.js";
};
AT_EVERY_READ_SIZE(Assets);

// C21
TEST_P(Assets, ThatOneColorLacksComeFromTheOther) {
  const Answer answer = get(kAsset, cookie(kBlue));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "green's bundle");
  EXPECT_TRUE(answer.whole);
  EXPECT_EQ(answer.field("Set-Cookie"), "") << "the user stays where it is";
  EXPECT_EQ(tally(Tally::asset_fallbacks), 1);
  EXPECT_EQ(tally(Tally::retries), 0) << "outside the retry rule";
  EXPECT_EQ(blue_.requests.size(), 1u);
  EXPECT_EQ(green_.requests.size(), 1u);
  EXPECT_EQ(green_.head(0), blue_.head(0)) << "the same request";
}

TEST_P(Assets, ThatNobodyHasAreAnsweredByTheFirst) {
  green_.answer = answer_of("404 NOT FOUND", "green has none");
  const Answer answer = get(kAsset, cookie(kBlue));
  EXPECT_EQ(answer.status, 404);
  EXPECT_EQ(answer.body, "blue has none");
  EXPECT_TRUE(answer.whole);
  EXPECT_EQ(tally(Tally::asset_fallbacks), 0);
  EXPECT_EQ(accounted_as(404), 1);
}

TEST_P(Assets, UnderAnotherHashAreLookedForFirst) {
  blue_.answer =
      answer_of("303 SEE OTHER", "", "Location: /web/assets/89abcde/web.assets_web.min.js\r\n");
  EXPECT_EQ(get(kAsset, cookie(kBlue)).body, "green's bundle");
  green_.answer = answer_of("404 NOT FOUND", "");
  const Answer answer = get(kAsset, cookie(kBlue));
  EXPECT_EQ(answer.status, 303);
  EXPECT_EQ(answer.field("Location"), "/web/assets/89abcde/web.assets_web.min.js");
  blue_.answer = answer_of("303 SEE OTHER", "", "Location: https://a/web/login\r\n");
  EXPECT_EQ(get(kAsset, cookie(kBlue)).status, 303) << "another page";
  EXPECT_EQ(green_.requests.size(), 2u);
}

TEST_P(Assets, AreAskedForOnceWhateverBecomesOfTheSecondLook) {
  green_.answer = "";
  green_.when_whole = [](MemoryPeer& peer) { peer.reset(); };
  EXPECT_EQ(get(kAsset, cookie(kBlue)).body, "blue has none") << "it broke";
  green_.server.stop();
  EXPECT_EQ(get(kAsset, cookie(kBlue)).body, "blue has none") << "nobody listens";
  table_.colors[kGreen].state = routing::ColorState::closing;
  publish();
  EXPECT_EQ(get(kAsset, cookie(kBlue)).body, "blue has none") << "it is closed";
  EXPECT_EQ(green_.requests.size(), 1u);
}

TEST_P(Assets, KeepTheirHeadAndTheirConnection) {
  MemoryPeer& client = connect();
  send(client, "HEAD " + std::string(kAsset) + " HTTP/1.1\r\nHost: a\r\n" + cookie(kBlue) + "\r\n");
  green_.answer = answer_of("404 NOT FOUND", "");
  send(client, get_head(kAsset, cookie(kBlue)));
  const std::vector<Answer> answers =
      read_answers(client.take(), {http::Method::head, http::Method::get});
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_EQ(answers[0].status, 200);
  EXPECT_EQ(answers[1].status, 404);
  EXPECT_EQ(answers[1].body, "blue has none");
}

TEST_P(Assets, OfATesterStayWithItsColor) {
  table_.force = {"X-Sidecar-Color", {"0123456789abcdef"}};
  EXPECT_EQ(get(kAsset, "X-Sidecar-Color: blue:0123456789abcdef\r\n").status, 404);
  EXPECT_TRUE(green_.requests.empty());
}

TEST_P(Assets, ArePagesElsewhereAndPostsNever) {
  EXPECT_EQ(get("/web/none", cookie(kBlue)).status, 404);
  const std::vector<Answer> answers = read_answers(ask(post(kAsset, "x", cookie(kBlue))));
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].status, 404);
  EXPECT_TRUE(green_.requests.empty());
}

// Found by simulation seed 8252: the second request had lost its body.
TEST_P(Assets, AskedForWithABodyAreAskedForOnce) {
  const std::string request = "GET " + std::string(kAsset) +
                              " HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n" + cookie(kBlue) +
                              "\r\nhello";
  EXPECT_EQ(read_answers(ask(request)).at(0).status, 404);
  EXPECT_EQ(blue_.body(0), "hello");
  EXPECT_TRUE(green_.requests.empty());
}

TEST_P(Assets, WithAnEndlessErrorPageAreNotKept) {
  const std::string page = some_bytes(200 << 10);
  blue_.answer = answer_of("404 NOT FOUND", page);
  const Answer answer = get(kAsset, cookie(kBlue));
  EXPECT_EQ(answer.status, 404);
  EXPECT_EQ(answer.body, page);
  EXPECT_TRUE(green_.requests.empty());
}

TEST_P(Assets, OfAClientThatLeftAreNotLookedFor) {
  blue_.answer = "";
  MemoryPeer& client = connect();
  send(client, get_head(kAsset, cookie(kBlue)));
  client.reset();
  settle();
  blue_.last().send(answer_of("404 NOT FOUND", "x"));
  blue_.last().finish();
  settle();
  EXPECT_TRUE(green_.requests.empty());
}

}  // namespace
}  // namespace relay

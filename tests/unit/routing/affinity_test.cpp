#include "proxy/routing/affinity.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/unit/routing/table_for_tests.h"

namespace routing {
namespace {

constexpr uint64_t kNow = 1'780'000'000;

base::Key key_of(uint8_t fill) {
  base::Key key;
  key.fill(fill);
  return key;
}

const RoutingTable& table() {
  static const RoutingTable two = two_colors(50, 50);
  return two;
}

Affinity some_affinity() { return Affinity{kGreen, 0x00ab12cd34ef5678, kNow - 60, 0x1f, kBlue}; }

std::string written(const Affinity& affinity, const std::vector<base::Key>& keys = {key_of(1)}) {
  std::string out = "left over";
  AffinitySigner(keys).write(affinity, table(), out);
  return out;
}

std::optional<Affinity> read(std::string_view text,
                             const std::vector<base::Key>& keys = {key_of(1)}) {
  return AffinitySigner(keys).read(text, table(), kNow);
}

bool same(const Affinity& a, const Affinity& b) {
  return a.color == b.color && a.nonce == b.nonce && a.issued == b.issued && a.epoch == b.epoch &&
         a.home == b.home;
}

TEST(Affinity, ReadsWhatItWrote) {
  for (Affinity affinity : {some_affinity(), Affinity{kBlue, 0, 0, 0, kNoColor},
                            Affinity{kBlue, UINT64_MAX, kNow, UINT64_MAX, kGreen}}) {
    const auto back = read(written(affinity));
    ASSERT_TRUE(back);
    EXPECT_TRUE(same(affinity, *back)) << written(affinity);
  }
}

TEST(Affinity, IsWrittenInTheShapeThatItsHeaderPromises) {
  const std::string text = written(some_affinity());
  EXPECT_TRUE(text.starts_with("1.green.00ab12cd34ef5678.6a18a4c4.1f.blue.")) << text;
  EXPECT_EQ(text.size() - text.rfind('.') - 1, 22u);
  EXPECT_TRUE(
      written(Affinity{kBlue, 1, 2, 3, kNoColor}).starts_with("1.blue.0000000000000001.2.3.-."));
}

TEST(Affinity, AcceptsEveryKeyAndSignsWithTheFirst) {
  const std::string text = written(some_affinity(), {key_of(2), key_of(1)});
  EXPECT_TRUE(read(text, {key_of(2)}));
  EXPECT_TRUE(read(text, {key_of(3), key_of(2)}));
  EXPECT_FALSE(read(text, {key_of(1)}));
}

// C16
TEST(Affinity, RefusesEveryTextThatDiffersInOneCharacter) {
  const std::string text = written(some_affinity());
  for (size_t i = 0; i < text.size(); ++i) {
    for (char c : std::string("0a.-_AZ9=~\0\xff", 12)) {
      if (text[i] == c) continue;
      std::string forged = text;
      forged[i] = c;
      ASSERT_FALSE(read(forged)) << forged;
    }
  }
}

TEST(Affinity, RefusesBareWordsAndOtherShapes) {
  const std::string text = written(some_affinity());
  const std::string mac = text.substr(text.rfind('.'));
  for (std::string forged :
       {std::string(), std::string("green"), std::string("1.green"), std::string("......"),
        std::string("1.green.....") + mac, text + "A", text + ".", "." + text, text + mac,
        text.substr(0, text.size() - 1), text.substr(1), std::string(5'000, '.'),
        std::string(5'000, 'a'), text + "=="}) {
    EXPECT_FALSE(read(forged)) << forged.substr(0, 100);
  }
}

TEST(Affinity, RefusesEveryTruncation) {
  const std::string text = written(some_affinity());
  for (size_t size = 0; size < text.size(); ++size) {
    ASSERT_FALSE(read(std::string_view(text).substr(0, size))) << size;
  }
}

TEST(Affinity, RefusesAnotherSpellingOfTheSameNumbers) {
  // Signed with the right key, but not as we write: upper case, zeros in front.
  base::Mac mac(key_of(1));
  const std::string mac_of_ours = written(Affinity{kBlue, 0xab, 2, 3, kNoColor});
  EXPECT_TRUE(read(mac_of_ours));
  for (const char* body : {"1.blue.00000000000000AB.2.3.-", "1.blue.00000000000000ab.02.3.-",
                           "1.blue.00000000000000ab.2.03.-", "2.blue.00000000000000ab.2.3.-"}) {
    AffinitySigner signer({key_of(1)});
    const auto tag = mac.sign(body);
    std::string text = body;
    text.push_back('.');
    constexpr std::string_view kDigits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (size_t bit = 0; bit < 128; bit += 6) {
      unsigned value = 0;
      for (size_t i = bit; i < bit + 6; ++i) {
        value = value << 1 | (i < 128 ? (tag[i / 8] >> (7 - i % 8)) & 1u : 0u);
      }
      text.push_back(kDigits[value]);
    }
    EXPECT_FALSE(signer.read(text, table(), kNow)) << text;
  }
}

TEST(Affinity, NeverTripsOverHostileBytes) {
  const uint32_t seed = std::random_device{}();
  printf("seed %u\n", seed);
  std::mt19937 random(seed);
  const std::string text = written(some_affinity());
  for (int i = 0; i < 20'000; ++i) {
    std::string forged = text.substr(0, random() % (text.size() + 1));
    for (int edits = static_cast<int>(random() % 4) + 1; edits > 0; --edits) {
      const size_t at = random() % (forged.size() + 1);
      forged.insert(at, 1, static_cast<char>(random()));
    }
    ASSERT_FALSE(read(forged));
  }
}

TEST(Affinity, RefusesATimeMoreThanADayAhead) {
  Affinity affinity = some_affinity();
  affinity.issued = kNow + 86'400;
  EXPECT_TRUE(read(written(affinity)));
  affinity.issued = kNow + 86'401;
  EXPECT_FALSE(read(written(affinity)));
}

TEST(Affinity, RefusesAColorThatIsNoMoreButOnlyForgetsSuchAHome) {
  RoutingTable renamed = table();
  renamed.colors[kGreen].name = "red";
  AffinitySigner signer({key_of(1)});
  EXPECT_FALSE(signer.read(written(some_affinity()), renamed, kNow));
  const auto blue = signer.read(written(Affinity{kBlue, 1, kNow, 1, kGreen}), renamed, kNow);
  ASSERT_TRUE(blue);
  EXPECT_EQ(blue->color, kBlue);
  EXPECT_EQ(blue->home, kNoColor);
}

// C17
TEST(SetCookie, IsForTheWholeSiteAndSecureOnlyOverHttps) {
  std::string out = "left over";
  write_set_cookie("ofitec_color", "1.blue", true, out);
  EXPECT_EQ(out, "ofitec_color=1.blue; Path=/; HttpOnly; SameSite=Lax; Secure");
  write_set_cookie("ofitec_color", "1.blue", false, out);
  EXPECT_EQ(out, "ofitec_color=1.blue; Path=/; HttpOnly; SameSite=Lax");
}

TEST(FindCookie, FindsTheFirstOfThatExactName) {
  const auto find = [](std::string_view field) {
    return std::string(find_cookie(field, "sid").value_or("nothing"));
  };
  EXPECT_EQ(find("sid=1"), "1");
  EXPECT_EQ(find("a=2; sid=1; sid=3"), "1");
  EXPECT_EQ(find("a=2;sid=1;b=3"), "1");
  EXPECT_EQ(find(" \tsid=1 ; b=3"), "1");
  EXPECT_EQ(find("sid="), "");
  EXPECT_EQ(find("sid=a=b"), "a=b");
  EXPECT_EQ(find("xsid=1; sidx=2; SID=3; sid"), "nothing");
  EXPECT_EQ(find(""), "nothing");
  EXPECT_EQ(find(";;;=;"), "nothing");
}

TEST(FindParameter, FindsTheFirstOfThatExactName) {
  const auto find = [](std::string_view query) {
    return std::string(find_parameter(query, "sid").value_or("nothing"));
  };
  EXPECT_EQ(find("sid=1"), "1");
  EXPECT_EQ(find("a=2&sid=%41&sid=3"), "%41");
  EXPECT_EQ(find("sid"), "");
  EXPECT_EQ(find("sid&a"), "");
  EXPECT_EQ(find("xsid=1&sidx=2"), "nothing");
  EXPECT_EQ(find(""), "nothing");
  EXPECT_EQ(find("&&&=&"), "nothing");
}

}  // namespace
}  // namespace routing

#include "proxy/base/mac.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <set>

#include "tests/unit/base/temp_folder.h"

namespace base {
namespace {

std::string hex(std::span<const uint8_t> bytes) {
  std::string text;
  for (const uint8_t byte : bytes) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

Key key_of(uint8_t first) {
  Key key;
  for (size_t i = 0; i < key.size(); ++i) key[i] = static_cast<uint8_t>(first + i);
  return key;
}

// HMAC does not tell a short key from the same key filled up with zeros, so RFC 4231's second case
// is one of ours.
TEST(Mac, IsHmacSha256CutTo128Bits) {
  Key key{};
  key[0] = 'J';
  key[1] = 'e';
  key[2] = 'f';
  key[3] = 'e';
  Mac mac(key);
  EXPECT_EQ(hex(mac.sign("what do ya want for nothing?")), "5bdcc146bf60754e6a042426089575c7");
}

TEST(Mac, StartsAnewWithEachMessage) {
  Mac mac(key_of(1));
  const auto first = mac.sign("one");
  EXPECT_NE(mac.sign("two"), first);
  EXPECT_EQ(mac.sign("one"), first);
  EXPECT_EQ(Mac(key_of(1)).sign("one"), first);
  EXPECT_NE(Mac(key_of(2)).sign("one"), first);
}

TEST(Mac, VerifiesOnlyTheWholeRightTag) {
  Mac mac(key_of(1));
  auto tag = mac.sign("message");
  EXPECT_TRUE(mac.verify("message", tag));
  EXPECT_FALSE(mac.verify("messagf", tag));
  EXPECT_FALSE(mac.verify("message", std::span(tag).first(15)));
  EXPECT_FALSE(mac.verify("message", {}));
  for (uint8_t& byte : tag) {
    byte ^= 0x80;
    EXPECT_FALSE(mac.verify("message", tag));
    byte ^= 0x80;
  }
}

TEST(Mac, MayBeMoved) {
  Mac mac(key_of(1));
  const auto tag = mac.sign("message");
  Mac other(key_of(2));
  other = std::move(mac);
  EXPECT_EQ(other.sign("message"), tag);
}

// The vectors of the SipHash authors: key 00…0f, messages 00, 01, … of growing length.
TEST(SipHash, AgreesWithItsAuthors) {
  std::array<uint8_t, 16> key;
  for (size_t i = 0; i < key.size(); ++i) key[i] = static_cast<uint8_t>(i);
  std::string message;
  const auto hash_of_length = [&](size_t length) {
    message.clear();
    for (size_t i = 0; i < length; ++i) message += static_cast<char>(i);
    return sip_hash(key, message);
  };
  EXPECT_EQ(hash_of_length(0), 0x726fdb47dd0e0e31u);
  EXPECT_EQ(hash_of_length(1), 0x74f839c593dc67fdu);
  EXPECT_EQ(hash_of_length(7), 0xab0200f58b01d137u);
  EXPECT_EQ(hash_of_length(8), 0x93f5f5799a932462u);
  EXPECT_EQ(hash_of_length(15), 0xa129ca6149be45e5u);
  EXPECT_EQ(hash_of_length(63), 0x958a324ceb064572u);
}

TEST(RandomBytes, DoNotRepeat) {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    std::array<uint8_t, 16> bytes{};
    random_bytes(bytes);
    EXPECT_TRUE(seen.insert(hex(bytes)).second);
  }
}

TEST(EqualInConstantTime, ComparesAllBytesAndTheLength) {
  EXPECT_TRUE(equal_in_constant_time("abc", "abc"));
  EXPECT_TRUE(equal_in_constant_time("", ""));
  EXPECT_FALSE(equal_in_constant_time("abc", "abd"));
  EXPECT_FALSE(equal_in_constant_time("abc", "ab"));
}

TEST(Keys, AreCreatedOnceWithNarrowRights) {
  const TempFolder folder;
  const std::string path = folder / "new/affinity.key";
  const auto first = read_or_create_keys(path);
  ASSERT_TRUE(first) << first.error().detail;
  ASSERT_EQ(first->size(), 1u);
  struct stat found {};
  ASSERT_EQ(stat(path.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 07777, 0600u);
  ASSERT_EQ(stat((folder / "new").c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 07777, 0750u);
  EXPECT_EQ(slurp(path), hex(first->front()) + "\n");
  EXPECT_EQ(*read_or_create_keys(path), *first);
}

TEST(Keys, AreReadInOrderWhateverTheirCaseAndLineEnds) {
  const TempFolder folder;
  const std::string path = folder / "keys";
  std::string upper = hex(key_of(0xa0));
  for (char& c : upper) c = static_cast<char>(toupper(c));
  spill(path, upper + "\r\n\n" + hex(key_of(1)));
  const auto keys = read_or_create_keys(path);
  ASSERT_TRUE(keys) << keys.error().detail;
  EXPECT_EQ(*keys, (std::vector<Key>{key_of(0xa0), key_of(1)}));
}

TEST(Keys, NameTheFaultyLineAndNotWhatItHolds) {
  const TempFolder folder;
  const std::string path = folder / "keys";
  const std::string good = hex(key_of(1));
  for (const std::string& bad :
       {good.substr(1), good + "0", "g" + good.substr(1), " " + good, std::string("0x") + good}) {
    spill(path, good + "\n" + bad + "\n");
    const auto keys = read_or_create_keys(path);
    ASSERT_FALSE(keys) << bad;
    EXPECT_EQ(keys.error().code, ErrorCode::bad_config);
    EXPECT_NE(keys.error().detail.find(path + ":2"), std::string::npos) << keys.error().detail;
    EXPECT_EQ(keys.error().detail.find(good.substr(5, 20)), std::string::npos);
  }
  spill(path, "\n");
  EXPECT_EQ(read_or_create_keys(path).error().code, ErrorCode::bad_config);
  EXPECT_EQ(slurp(path), "\n") << "never overwritten";
}

}  // namespace
}  // namespace base

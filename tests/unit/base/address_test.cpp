#include "proxy/base/address.h"

#include <gtest/gtest.h>

namespace base {
namespace {

TEST(Address, ReadsAndPrintsIpv4) {
  const auto address = parse_address("127.0.0.1:8069");
  ASSERT_TRUE(address);
  EXPECT_TRUE(address->is_v4());
  EXPECT_EQ(address->host(), "127.0.0.1");
  EXPECT_EQ(address->port, 8069);
  EXPECT_EQ(address->text(), "127.0.0.1:8069");
}

TEST(Address, ReadsAndPrintsIpv6) {
  const auto address = parse_address("[2001:db8::1]:80");
  ASSERT_TRUE(address);
  EXPECT_FALSE(address->is_v4());
  EXPECT_EQ(address->host(), "2001:db8::1");
  EXPECT_EQ(address->text(), "[2001:db8::1]:80");
}

TEST(Address, TakesAMappedIpv4ForWhatItIs) {
  EXPECT_EQ(*parse_address("[::ffff:10.1.2.3]:1"), *parse_address("10.1.2.3:1"));
}

TEST(Address, RefusesWhatIsNotALiteralWithPort) {
  for (const char* text : {"",
                           ":",
                           "127.0.0.1",
                           "127.0.0.1:",
                           "127.0.0.1:x",
                           "127.0.0.1:65536",
                           "127.0.0.1:-1",
                           "127.0.0.1:+1",
                           "127.0.0.1: 1",
                           "127.0.0.1:000001",
                           "localhost:80",
                           "::1:80",
                           "[::1]",
                           "[::1]80",
                           "[127.0.0.1]:80",
                           "[]:80",
                           "1.2.3:80",
                           "1.2.3.4.5:80",
                           "256.0.0.1:80",
                           "[fe80::1%eth0]:80",
                           "[::1]:80:80"}) {
    EXPECT_FALSE(parse_address(text)) << text;
  }
}

TEST(Address, RefusesAHostWithAZeroByte) {
  EXPECT_FALSE(parse_address(std::string_view("127.0.0.1\0:80", 13)));
}

TEST(HostPort, SplitsNamesAndLiterals) {
  EXPECT_EQ(parse_host_port("odoo_blue-1.local:8069")->host, "odoo_blue-1.local");
  EXPECT_EQ(parse_host_port("odoo:8069")->port, 8069);
  EXPECT_EQ(parse_host_port("[::1]:1")->host, "::1");
}

TEST(HostPort, RefusesCharactersThatNoHostHas) {
  for (const char* text : {"a b:1", "a/b:1", "a@b:1", "\xc3\xa1:1", ":1", "a:b:1"}) {
    EXPECT_FALSE(parse_host_port(text)) << text;
  }
  EXPECT_FALSE(parse_host_port(std::string(254, 'a') + ":1"));
}

struct Membership {
  const char* block;
  const char* address;
  bool inside;
};

TEST(Cidr, ContainsExactlyItsAddresses) {
  const Membership cases[] = {
      {"127.0.0.1/32", "127.0.0.1:1", true},
      {"127.0.0.1", "127.0.0.1:1", true},
      {"127.0.0.1", "127.0.0.2:1", false},
      {"10.0.0.0/8", "10.255.0.9:1", true},
      {"10.0.0.0/8", "11.0.0.0:1", false},
      {"10.0.0.0/9", "10.127.255.255:1", true},
      {"10.0.0.0/9", "10.128.0.0:1", false},
      {"172.16.5.9/12", "172.31.0.1:1", true},
      {"0.0.0.0/0", "203.0.113.9:1", true},
      {"0.0.0.0/0", "[::1]:1", false},
      {"::/0", "[2001:db8::1]:1", true},
      {"::/0", "127.0.0.1:1", false},
      {"2001:db8::/33", "[2001:db8:7fff::]:1", true},
      {"2001:db8::/33", "[2001:db8:8000::]:1", false},
      {"::1/128", "[::1]:1", true},
      {"::1", "[::2]:1", false},
  };
  for (const Membership& row : cases) {
    const auto block = parse_cidr(row.block);
    ASSERT_TRUE(block) << row.block;
    EXPECT_EQ(block->contains(*parse_address(row.address)), row.inside)
        << row.block << " " << row.address;
  }
}

TEST(Cidr, RefusesWhatIsNotABlock) {
  for (const char* text : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "::/129",
                           "10.0.0/8", "ten/8", "10.0.0.0/8/8"}) {
    EXPECT_FALSE(parse_cidr(text)) << text;
  }
}

}  // namespace
}  // namespace base

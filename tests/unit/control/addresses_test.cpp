#include "shifter/control/addresses.h"

#include <gtest/gtest.h>

#include "tests/unit/control/fixtures.h"

namespace control {
namespace {

using base::Address;
using base::Result;
using routing::Port;

Result<std::vector<Address>> resolved(const std::vector<std::string>& hosts) {
  std::vector<Address> all;
  for (const std::string& host : hosts) all.push_back(*base::parse_address(host + ":0"));
  return all;
}

Result<std::vector<Address>> unresolved() {
  return base::fail(base::ErrorCode::io_failed, base::Side::proxy, "no such name");
}

routing::RoutingConfig with_name(const std::string& host = "odoo-green") {
  routing::RoutingConfig config = two_colors();
  config.colors[1].http = {{host, 8069}};
  config.colors[1].websocket = {{host, 8072}};
  return config;
}

std::vector<std::string> texts(const AddressBook& book, size_t color) {
  std::vector<std::string> all;
  for (const KnownAddress& one : book.of_color(color)) {
    all.push_back((one.port == Port::http ? "http " : "websocket ") + one.address.text());
  }
  return all;
}

TEST(AddressBook, KnowsLiteralAddressesAtOnce) {
  AddressBook book;
  book.configure(two_colors().colors);
  EXPECT_TRUE(book.names().empty());
  EXPECT_EQ(texts(book, 0),
            (std::vector<std::string>{"http 127.0.0.1:8069", "websocket 127.0.0.1:8072"}));
  EXPECT_FALSE(book.dns_failed(0));
}

TEST(AddressBook, AsksForEachNameOnceAndUsesItForBothPorts) {
  AddressBook book;
  book.configure(with_name().colors);
  EXPECT_EQ(book.names(), std::vector<std::string>{"odoo-green"});
  EXPECT_TRUE(book.of_color(1).empty());
  EXPECT_FALSE(book.dns_failed(1)) << "nothing was asked yet";
  EXPECT_TRUE(book.take_answer("odoo-green", resolved({"10.0.0.9"})));
  EXPECT_EQ(texts(book, 1),
            (std::vector<std::string>{"http 10.0.0.9:8069", "websocket 10.0.0.9:8072"}));
  EXPECT_FALSE(book.take_answer("odoo-green", resolved({"10.0.0.9"}))) << "nothing changed";
}

TEST(AddressBook, DoesNotLoseAnAddressByOneFailedLookUp) {
  AddressBook book;
  book.configure(with_name().colors);
  book.take_answer("odoo-green", resolved({"10.0.0.9"}));
  EXPECT_FALSE(book.take_answer("odoo-green", unresolved()));
  EXPECT_FALSE(book.take_answer("odoo-green", unresolved()));
  EXPECT_EQ(book.of_color(1).size(), 2u);
  EXPECT_TRUE(book.take_answer("odoo-green", unresolved()));
  EXPECT_TRUE(book.of_color(1).empty());
  EXPECT_TRUE(book.dns_failed(1));
  EXPECT_FALSE(book.dns_failed(0));
}

TEST(AddressBook, SaysAtOnceThatANameNeverResolved) {
  AddressBook book;
  book.configure(with_name().colors);
  EXPECT_TRUE(book.take_answer("odoo-green", unresolved()));
  EXPECT_TRUE(book.dns_failed(1));
}

// C11: a container that comes back with a new address is a new backend of the same color.
TEST(AddressBook, GivesANewAddressANewNumberAndAnOldOneItsOwn) {
  AddressBook book;
  book.configure(with_name().colors);
  book.take_answer("odoo-green", resolved({"10.0.0.9"}));
  const auto first = book.of_color(1)[0].id;
  book.take_answer("odoo-green", resolved({"10.0.0.10"}));
  EXPECT_NE(book.of_color(1)[0].id, first);
  book.take_answer("odoo-green", resolved({"10.0.0.9"}));
  EXPECT_EQ(book.of_color(1)[0].id, first);
}

TEST(AddressBook, TakesTheNumberOfTheAddressThatLeftLongestAgoWhenAllAreGiven) {
  AddressBook book;
  book.configure(with_name().colors);
  book.take_answer("odoo-green", resolved({"10.0.0.1"}));
  const auto oldest = book.of_color(1)[0].id;
  const auto blue = book.of_color(0)[0].id;
  std::vector<routing::BackendId> seen;
  for (int i = 2; i < 300; ++i) {
    book.take_answer("odoo-green",
                     resolved({"10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250)}));
    ASSERT_EQ(book.of_color(1).size(), 2u) << i;
    ASSERT_NE(book.of_color(1)[0].id, book.of_color(1)[1].id);
    seen.push_back(book.of_color(1)[0].id);
  }
  EXPECT_EQ(book.of_color(0)[0].id, blue) << "what is in use keeps its number";
  EXPECT_NE(std::find(seen.begin(), seen.end(), oldest), seen.end());
  EXPECT_EQ(std::find(seen.begin(), seen.end(), blue), seen.end());
  EXPECT_EQ(book.left_out(), 0);
}

TEST(AddressBook, ServesAtMostSixteenAddressesOfAPortAndSaysWhatIsLeftOut) {
  AddressBook book;
  book.configure(with_name().colors);
  std::vector<std::string> hosts;
  for (int i = 1; i <= 20; ++i) hosts.push_back("10.0.0." + std::to_string(i));
  book.take_answer("odoo-green", resolved(hosts));
  EXPECT_EQ(book.of_color(1).size(), 32u);
  EXPECT_EQ(book.left_out(), 8);
}

TEST(AddressBook, KeepsAnswersOverAConfigThatIsReadAgain) {
  AddressBook book;
  book.configure(with_name().colors);
  book.take_answer("odoo-green", resolved({"10.0.0.9"}));
  const auto id = book.of_color(1)[0].id;
  book.configure(with_name().colors);
  ASSERT_EQ(book.of_color(1).size(), 2u);
  EXPECT_EQ(book.of_color(1)[0].id, id);
  book.configure(with_name("odoo-new").colors);
  EXPECT_TRUE(book.of_color(1).empty());
  EXPECT_FALSE(book.take_answer("odoo-green", resolved({"10.0.0.9"}))) << "asked by the old config";
}

TEST(AddressBook, CountsAnAddressOnceThatTwoNamesShare) {
  AddressBook book;
  routing::RoutingConfig config = with_name();
  config.colors[1].http.push_back({"odoo-alias", 8069});
  book.configure(config.colors);
  book.take_answer("odoo-green", resolved({"10.0.0.9", "10.0.0.9"}));
  book.take_answer("odoo-alias", resolved({"10.0.0.9"}));
  EXPECT_EQ(book.of_color(1).size(), 2u);
}

}  // namespace
}  // namespace control

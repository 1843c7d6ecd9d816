#include "shifter/control/tls_files.h"

#include <gtest/gtest.h>

#include "tests/support/certificates.h"

namespace control {
namespace {

struct TlsFilesTest : testing::Test {
  TlsFilesTest() {
    routing::ColorConfig blue;
    blue.name = "blue";
    blue.http = {{"odoo-a", 8069}, {"::1", 8069}};
    blue.websocket = {{"odoo-a", 8072}};
    config.colors = {blue};
  }
  support::Certificates made;
  routing::RoutingConfig config;
};

TEST_F(TlsFilesTest, OpensNothingWhereEverythingIsPlain) {
  EXPECT_FALSE(uses_tls(config));
  EXPECT_TRUE(open_tls_files(config).empty());
  EXPECT_EQ(config.tls_context, nullptr);
  EXPECT_EQ(tls_towards(config.colors[0], "odoo-a:8069"), nullptr);
}

TEST_F(TlsFilesTest, TrustsEachAddressByItsHostOrAllByTheNameThatIsSaid) {
  config.colors[0].tls = {true, made.certificate("ca"), "", true};
  EXPECT_TRUE(uses_tls(config));
  ASSERT_TRUE(open_tls_files(config).empty());
  const auto http = tls_towards(config.colors[0], "odoo-a:8069");
  EXPECT_EQ(http->server_name(), "odoo-a");
  EXPECT_EQ(http, tls_towards(config.colors[0], "odoo-a:8072"));
  EXPECT_EQ(tls_towards(config.colors[0], "[::1]:8069")->server_name(), "::1");

  config.colors[0].tls.name = "odoo.example";
  ASSERT_TRUE(open_tls_files(config).empty());
  const auto named = tls_towards(config.colors[0], "odoo-a:8069");
  EXPECT_EQ(named->server_name(), "odoo.example");
  EXPECT_EQ(named, tls_towards(config.colors[0], "[::1]:8069"));
}

TEST_F(TlsFilesTest, SaysEveryFaultAndThenChangesNothing) {
  config.colors[0].tls = {true, made.certificate("ca"), "", true};
  ASSERT_TRUE(open_tls_files(config).empty());
  const auto before = config.colors[0].tls_contexts;
  config.colors[0].tls.ca = "/nonexistent/ca.pem";
  config.tls = {"/nonexistent/a.pem", "/nonexistent/a.key"};
  const auto faults = open_tls_files(config);
  ASSERT_EQ(faults.size(), 2u);
  EXPECT_EQ(faults[0].key, "tls");
  EXPECT_EQ(faults[1].key, "colors.blue.tls");
  EXPECT_NE(faults[1].detail.find("/nonexistent/ca.pem"), std::string::npos);
  EXPECT_EQ(config.colors[0].tls_contexts, before);
  EXPECT_EQ(config.tls_context, nullptr);
}

}  // namespace
}  // namespace control

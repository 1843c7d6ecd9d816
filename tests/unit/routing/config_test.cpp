#include "proxy/routing/config.h"

#include <gtest/gtest.h>

namespace routing {
namespace {

struct Loaded {
  RoutingConfig config;
  std::vector<std::string> faults;
};

Loaded load(std::string_view text) {
  base::YamlFile file = base::YamlFile::from_text("t.yaml", text);
  Loaded loaded;
  {
    base::Section top = file.top();
    loaded.config = read_routing_config(top);
  }
  for (const base::ConfigFault& fault : file.faults()) loaded.faults.push_back(fault.text());
  return loaded;
}

// A complete file with something added, or the colors replaced.
constexpr std::string_view kColors = R"(colors:
  blue: { weight: 10, slots: auto, http: ["127.0.0.1:8069"], websocket: ["127.0.0.1:8072"] }
  green: { weight: 0, slots: 8, reuse: on, http: "odoo-green:8169", websocket: ["[::1]:8172"] }
)";

Loaded load_with(std::string_view more) { return load(std::string(kColors) + std::string(more)); }

Loaded load_route(std::string_view route) {
  return load_with("routes:\n  - { " + std::string(route) + " }\n");
}

// Is there a fault at this line and key? "t.yaml:5: colors.blue.weight: ..."
testing::AssertionResult has_fault(const Loaded& loaded, std::string_view start,
                                   std::string_view part = "") {
  std::string all;
  for (const std::string& fault : loaded.faults) {
    if (fault.starts_with(start) && fault.find(part) != std::string::npos) {
      return testing::AssertionSuccess();
    }
    all += fault + "\n";
  }
  return testing::AssertionFailure() << "no fault " << start << " … " << part << " in:\n" << all;
}

testing::AssertionResult is_clean(const Loaded& loaded) {
  if (loaded.faults.empty()) return testing::AssertionSuccess();
  return testing::AssertionFailure() << loaded.faults.front();
}

TEST(RoutingConfig, TakesASectionForTlsUnlessItSaysOtherwise) {
  const auto blue = [](const std::string& tls) {
    return load("colors:\n  blue: { weight: 1, http: \"a:1\", websocket: \"a:2\"" + tls + " }\n");
  };
  EXPECT_FALSE(blue("").config.colors[0].tls.use);
  const Loaded plain = blue(", tls: { use: off, ca: /x.pem }");
  ASSERT_TRUE(is_clean(plain));
  EXPECT_FALSE(plain.config.colors[0].tls.use);
  const Loaded loaded = blue(", tls: { ca: /x.pem, name: odoo.example }");
  ASSERT_TRUE(is_clean(loaded));
  const BackendTls& tls = loaded.config.colors[0].tls;
  EXPECT_TRUE(tls.use);
  EXPECT_TRUE(tls.verify);
  EXPECT_EQ(tls.ca, "/x.pem");
  EXPECT_EQ(tls.name, "odoo.example");
  EXPECT_FALSE(blue(", tls: { verify: off }").config.colors[0].tls.verify);
  EXPECT_TRUE(has_fault(blue(", tls: { name: \"a b\" }"), "t.yaml:2: colors.blue.tls.name"));
  EXPECT_TRUE(has_fault(blue(", tls: { cert: x }"), "t.yaml:2: colors.blue.tls.cert"));
}

TEST(RoutingConfig, ReadsColorsInTheOrderOfTheFile) {
  const Loaded loaded = load_with("");
  ASSERT_TRUE(is_clean(loaded));
  ASSERT_EQ(loaded.config.colors.size(), 2u);
  const ColorConfig& blue = loaded.config.colors[0];
  const ColorConfig& green = loaded.config.colors[1];
  EXPECT_EQ(blue.name, "blue");
  EXPECT_EQ(blue.weight, 10);
  EXPECT_EQ(blue.slots, 0);
  EXPECT_FALSE(blue.reuse);
  ASSERT_EQ(blue.http.size(), 1u);
  EXPECT_EQ(blue.http[0].host, "127.0.0.1");
  EXPECT_EQ(blue.http[0].port, 8069);
  EXPECT_EQ(green.name, "green");
  EXPECT_EQ(green.slots, 8);
  EXPECT_TRUE(green.reuse);
  EXPECT_EQ(green.http.at(0).host, "odoo-green");
  EXPECT_EQ(green.websocket.at(0).host, "::1");
}

TEST(RoutingConfig, HasTheDefaultsOfTheContract) {
  const Loaded loaded = load_with("");
  const RoutingConfig& config = loaded.config;
  EXPECT_EQ(config.affinity.cookie, "ofitec_color");
  EXPECT_EQ(config.affinity.session_keys,
            (std::vector<std::string>{"session_id", "X-Openerp-Session-Id"}));
  EXPECT_TRUE(config.fallback_allow);
  EXPECT_EQ(config.hold.max, 200);
  EXPECT_EQ(config.hold.timeout, base::Millis(15'000));
  EXPECT_EQ(config.force.header, "X-Sidecar-Color");
  std::string names;
  for (const Route& route : config.routes) {
    EXPECT_EQ(route.index, &route - config.routes.data());
    names += route.name + " ";
  }
  EXPECT_EQ(names, "websocket longpoll assets rpc database web ");
  EXPECT_EQ(config.routes[0].port, Port::websocket);
  EXPECT_FALSE(config.routes[1].buffer);
  EXPECT_TRUE(config.routes[2].asset_fallback);
  EXPECT_EQ(config.routes[3].identity, Identity::address);
  EXPECT_EQ(config.routes[3].prefixes, (std::vector<std::string>{"/jsonrpc", "/xmlrpc"}));
  EXPECT_TRUE(config.routes[4].deny_all);
  EXPECT_TRUE(config.routes[5].buffer);
}

TEST(RoutingConfig, ReadsEveryKeyOfItsSections) {
  const Loaded loaded = load_with(R"(affinity: { cookie: c, secret_file: /k, session_keys: [s] }
fallback: deny
hold: { max: 0, timeout: 2s }
force: { header: X-Force, token_file: /t }
routes:
  - { name: a, prefix: [/a/, /b//c], port: websocket, buffer: off, entry: on, pin: green,
      allow: [10.0.0.0/8, "::1"], answer_timeout: 20s, identity: address }
  - { name: b, prefix: /%61/./d, asset_fallback: on, deny: all }
)");
  ASSERT_TRUE(is_clean(loaded));
  const RoutingConfig& config = loaded.config;
  EXPECT_EQ(config.affinity.cookie, "c");
  EXPECT_EQ(config.affinity.secret_file, "/k");
  EXPECT_EQ(config.affinity.session_keys, std::vector<std::string>{"s"});
  EXPECT_FALSE(config.fallback_allow);
  EXPECT_EQ(config.hold.max, 0);
  EXPECT_EQ(config.hold.timeout, base::Millis(2'000));
  EXPECT_EQ(config.force.header, "X-Force");
  EXPECT_EQ(config.force.token_file, "/t");
  ASSERT_EQ(config.routes.size(), 2u);
  const Route& a = config.routes[0];
  EXPECT_EQ(a.prefixes, (std::vector<std::string>{"/a", "/b/c"}));
  EXPECT_EQ(a.port, Port::websocket);
  EXPECT_FALSE(a.buffer);
  EXPECT_TRUE(a.entry);
  EXPECT_EQ(a.pin, ColorIndex{1});
  EXPECT_EQ(a.allow.size(), 2u);
  EXPECT_EQ(a.answer_timeout, base::Millis(20'000));
  EXPECT_EQ(a.identity, Identity::address);
  const Route& b = config.routes[1];
  EXPECT_EQ(b.index, 1);
  EXPECT_EQ(b.prefixes, std::vector<std::string>{"/a/d"});
  EXPECT_TRUE(b.asset_fallback);
  EXPECT_TRUE(b.deny_all);
}

TEST(RoutingConfig, NamesLineAndKeyOfEveryFaultInOneRun) {
  const Loaded loaded = load(R"(colors:
  blue:
    weight: -1
    slots: many
    http: [localhost]
    websocket: []
    wieght: 3
  green:
    weight: 1000001
    http: ["127.0.0.1:1", "127.0.0.1:1"]
fallback: maybe
hold: { max: -5 }
affinity: { cookie: "a b" }
)");
  EXPECT_TRUE(has_fault(loaded, "t.yaml:3: colors.blue.weight:"));
  EXPECT_TRUE(has_fault(loaded, "t.yaml:4: colors.blue.slots:", "auto"));
  EXPECT_TRUE(has_fault(loaded, "t.yaml:5: colors.blue.http:", "localhost"));
  EXPECT_TRUE(has_fault(loaded, "t.yaml:6: colors.blue.websocket:"));
  EXPECT_TRUE(has_fault(loaded, "t.yaml:7: colors.blue.wieght:", "weight"));
  EXPECT_TRUE(has_fault(loaded, "t.yaml:9: colors.green.weight:"));
  EXPECT_TRUE(has_fault(loaded, "t.yaml:10: colors.green.http:", "twice"));
  EXPECT_TRUE(has_fault(loaded, "t.yaml:", "websocket"));
  EXPECT_TRUE(has_fault(loaded, "t.yaml:11: fallback:", "deny"));
  EXPECT_TRUE(has_fault(loaded, "t.yaml:12: hold.max:"));
  EXPECT_TRUE(has_fault(loaded, "t.yaml:13: affinity.cookie:"));
}

TEST(RoutingConfig, WantsOneOrTwoColors) {
  EXPECT_TRUE(has_fault(load("fallback: allow\n"), "t.yaml:", "at least one"));
  const Loaded one = load("colors: { blue: { weight: 1, http: a:1, websocket: a:2 } }\n");
  EXPECT_TRUE(is_clean(one));
  const Loaded three = load_with("  red: { http: a:1, websocket: a:2 }\n");
  EXPECT_TRUE(has_fault(three, "t.yaml:1: colors:", "more than two"));
}

TEST(RoutingConfig, RefusesAFileInWhichNobodyHasWeight) {
  const Loaded loaded = load("colors: { blue: { http: a:1, websocket: a:2 } }\n");
  EXPECT_TRUE(has_fault(loaded, "t.yaml:1: colors:", "all weights are 0"));
}

TEST(RoutingConfig, RefusesNamesThatCookiesAndLabelsCannotCarry) {
  for (const char* name : {"Blue", "none", "reason", "a.b", "a-b", "\"\""}) {
    const Loaded loaded =
        load(std::string("colors: { ") + name + ": { weight: 1, http: a:1, websocket: a:2 } }\n");
    EXPECT_TRUE(has_fault(loaded, "t.yaml:1: colors", "no name for a color")) << name;
  }
}

TEST(RoutingConfig, NeedsAWebsocketAddressOnlyWhereARouteUsesIt) {
  constexpr std::string_view colors = "colors: { blue: { weight: 1, http: a:1 } }\n";
  EXPECT_TRUE(has_fault(load(colors), "t.yaml:1: colors.blue.websocket:", "route `websocket`"));
  const std::string plain = std::string(colors) + "routes: [ { name: web, prefix: / } ]\n";
  EXPECT_TRUE(is_clean(load(plain)));
}

TEST(RoutingConfig, RefusesFaultyRoutes) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"prefix: /", "name"},
      {"name: A, prefix: /", "name"},
      {"name: a-b, prefix: /", "name"},
      {"name: a", "prefix"},
      {"name: a, prefix: []", "prefix"},
      {"name: a, prefix: web", "prefix"},
      {"name: a, prefix: [/x, \"/y?z\"]", "prefix"},
      {"name: a, prefix: \"/x y\"", "prefix"},
      {"name: a, prefix: /, port: https", "port"},
      {"name: a, prefix: /, buffer: perhaps", "buffer"},
      {"name: a, prefix: /, buffer: off, asset_fallback: on", "asset_fallback"},
      {"name: a, prefix: /, identity: cookie", "identity"},
      {"name: a, prefix: /, pin: bleu", "pin"},
      {"name: a, prefix: /, deny: some", "deny"},
      {"name: a, prefix: /, allow: [10.0.0.0/33]", "allow"},
      {"name: a, prefix: /, allow: []", "allow"},
      {"name: a, prefix: /, allow: 10.0.0.1, deny: all", "deny"},
      {"name: a, prefix: /, answer_timeout: 0s", "answer_timeout"},
      {"name: a, prefix: /, answer_timeout: soon", "answer_timeout"},
      {"name: a, prefix: /, bufer: off", "bufer"},
  };
  for (const auto& [route, key] : cases) {
    const Loaded loaded = load_route(route);
    ASSERT_FALSE(loaded.faults.empty()) << route;
    EXPECT_NE(loaded.faults[0].find("." + key + ": "), std::string::npos) << route << "\n"
                                                                          << loaded.faults[0];
    EXPECT_TRUE(has_fault(loaded, "t.yaml:5: routes")) << route;
  }
}

TEST(RoutingConfig, OffersTheNearestColorForAPin) {
  EXPECT_TRUE(has_fault(load_route("name: a, prefix: /, pin: bleu"), "t.yaml:5:", "`blue`"));
}

TEST(RoutingConfig, RefusesTheSameRouteNameTwice) {
  const Loaded loaded = load_with(
      "routes:\n  - { name: a, prefix: /a }\n"
      "  - { name: a, prefix: /b }\n");
  EXPECT_TRUE(has_fault(loaded, "t.yaml:6:", "earlier"));
  EXPECT_EQ(loaded.faults.size(), 1u);
}

TEST(RoutingConfig, TakesThirtyOneRoutesAndNoMore) {
  std::string routes = "routes:\n";
  for (int i = 0; i < 31; ++i) {
    routes += "  - { name: r" + std::to_string(i) + ", prefix: /" + std::to_string(i) + " }\n";
  }
  EXPECT_TRUE(is_clean(load_with(routes)));
  EXPECT_TRUE(has_fault(load_with(routes + "  - { name: more, prefix: / }\n"),
                        "t.yaml:4: routes:", "more than 31"));
}

TEST(RoutingConfig, FindsNoFaultInRoutesThatDoNotCoverEverything) {
  EXPECT_TRUE(is_clean(load_route("name: a, prefix: /a")));
}

}  // namespace
}  // namespace routing

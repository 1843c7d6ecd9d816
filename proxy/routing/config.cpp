#include "proxy/routing/config.h"

#include <algorithm>
#include <charconv>

#include "proxy/routing/match.h"

namespace routing {
namespace {

using base::Millis;
using base::Section;

constexpr int kWeightMax = 1'000'000;
constexpr int kSlotsMax = 10'000;
constexpr size_t kAddressesMax = 16;  // for each port of a color; names may stand for several
constexpr size_t kNameMax = 32;
constexpr size_t kSessionKeysMax = 8;
constexpr size_t kPrefixesMax = 64;
constexpr int kRoutesConfigured = kRoutesMax - 1;

// Names go into cookies, metric labels and the admin grammar.
bool is_name(std::string_view text) {
  if (text.empty() || text.size() > kNameMax) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

// An HTTP token: a field or cookie name.
bool is_token(std::string_view text) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  if (text.empty() || text.size() > 64) return false;
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kMarks.find(c) != std::string_view::npos;
  });
}

void read_token(Section& section, std::string_view key, std::string& value) {
  section.read(key, value);
  if (!is_token(value)) section.fault(key, "is not a name that HTTP allows: letters, digits, -, _");
}

void read_slots(Section& section, int& slots) {
  std::string text = "auto";
  section.read("slots", text);
  if (text == "auto") return;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), slots);
  const bool is_number = error == std::errc() && end == text.data() + text.size();
  if (!is_number || slots < 1 || slots > kSlotsMax) {
    section.fault("slots", "is `auto` or a number from 1 to " + std::to_string(kSlotsMax));
    slots = 0;
  }
}

std::vector<base::HostPort> read_addresses(Section& section, std::string_view key) {
  std::vector<std::string> texts;
  section.read(key, texts);
  if (texts.size() > kAddressesMax) {
    section.fault(key, "has more than " + std::to_string(kAddressesMax) + " addresses");
  }
  if (section.has(key) && texts.empty()) section.fault(key, "has no address");
  std::vector<base::HostPort> addresses;
  for (const std::string& text : texts) {
    auto address = base::parse_host_port(text);
    if (!address || address->port == 0) {
      section.fault(key, "`" + text + "` is not an address with a port, such as 127.0.0.1:8069");
      continue;
    }
    const bool is_twice = std::any_of(addresses.begin(), addresses.end(), [&](const auto& other) {
      return other.host == address->host && other.port == address->port;
    });
    if (is_twice) section.fault(key, "names `" + text + "` twice");
    addresses.push_back(std::move(*address));
  }
  return addresses;
}

BackendTls read_backend_tls(Section& color) {
  BackendTls tls;
  tls.use = color.has("tls");
  Section section = color.section("tls");
  section.read("use", tls.use);
  section.read("ca", tls.ca);
  section.read("name", tls.name);
  section.read("verify", tls.verify);
  const auto is_plain = [](char c) { return c > ' ' && c < 0x7f; };
  if (tls.name.size() > 253 || !std::all_of(tls.name.begin(), tls.name.end(), is_plain)) {
    section.fault("name", "is not a host name or address");
  }
  return tls;
}

ColorConfig read_color(Section& section, std::string name) {
  ColorConfig color;
  color.name = std::move(name);
  section.read("weight", color.weight, 0, kWeightMax);
  read_slots(section, color.slots);
  section.read("reuse", color.reuse);
  color.tls = read_backend_tls(section);
  color.http = read_addresses(section, "http");
  color.websocket = read_addresses(section, "websocket");
  if (!section.has("http")) section.fault("http", "is missing: a color needs an address");
  return color;
}

// Gives the colors' sections back, for faults that only show later.
std::vector<Section> read_colors(Section& top, std::vector<ColorConfig>& colors) {
  Section section = top.section("colors");
  std::vector<Section> sections;
  for (const std::string& name : section.keys()) {
    if (!is_name(name) || name == "none" || name == "reason") {
      section.fault(name, "is no name for a color: a-z, 0-9, _, at most 32, not `none`, `reason`");
    }
    sections.push_back(section.section(name));
    colors.push_back(read_color(sections.back(), name));
  }
  if (colors.empty()) top.fault("colors", "names no color: at least one is needed");
  if (colors.size() > kColorsMax) top.fault("colors", "has more than two colors");
  const auto is_idle = [](const ColorConfig& color) { return color.weight == 0; };
  if (!colors.empty() && std::all_of(colors.begin(), colors.end(), is_idle)) {
    top.fault("colors", "all weights are 0: nobody could be served");
  }
  return sections;
}

AffinityConfig read_affinity(Section& top) {
  AffinityConfig affinity;
  Section section = top.section("affinity");
  read_token(section, "cookie", affinity.cookie);
  section.read("secret_file", affinity.secret_file);
  if (affinity.secret_file.empty()) section.fault("secret_file", "is empty");
  section.read("session_keys", affinity.session_keys);
  if (affinity.session_keys.size() > kSessionKeysMax) {
    section.fault("session_keys", "has more than " + std::to_string(kSessionKeysMax) + " names");
  }
  for (const std::string& name : affinity.session_keys) {
    if (!is_token(name)) section.fault("session_keys", "`" + name + "` is not a name");
  }
  return affinity;
}

HoldConfig read_hold(Section& top) {
  HoldConfig hold;
  Section section = top.section("hold");
  section.read("max", hold.max, 0, 100'000);
  section.read("timeout", hold.timeout, Millis{0}, Millis{600'000});
  return hold;
}

ForceConfig read_force(Section& top) {
  ForceConfig force;
  Section section = top.section("force");
  read_token(section, "header", force.header);
  section.read("token_file", force.token_file);
  return force;
}

base::TlsIdentity read_tls(Section& top) {
  base::TlsIdentity tls;
  Section section = top.section("tls");
  section.read("certificate", tls.certificate);
  section.read("key", tls.key);
  if (tls.certificate.empty() != tls.key.empty()) {
    section.fault(tls.key.empty() ? "key" : "certificate", "is missing: TLS needs both files");
  }
  return tls;
}

void read_prefixes(Section& section, Route& route) {
  std::vector<std::string> texts;
  section.read("prefix", texts);
  if (!section.has("prefix") || texts.empty()) {
    section.fault("prefix", "is missing: which paths does this route take?");
  }
  if (texts.size() > kPrefixesMax) {
    section.fault("prefix", "has more than " + std::to_string(kPrefixesMax) + " prefixes");
  }
  for (const std::string& text : texts) {
    const bool is_path = text.starts_with('/') && text.find_first_of("?#\\") == std::string::npos &&
                         std::none_of(text.begin(), text.end(), [](char c) {
                           return static_cast<unsigned char>(c) <= ' ' || c == 0x7f;
                         });
    if (!is_path) {
      section.fault("prefix", "`" + text + "` is not a path: it starts with / and has no ? or #");
      continue;
    }
    std::string normal;
    normalise_path(text, true, normal);
    if (normal.size() > 1 && normal.back() == '/') normal.pop_back();
    route.prefixes.push_back(std::move(normal));
  }
}

void read_access(Section& section, Route& route) {
  std::string deny;
  section.read_word("deny", deny, {"all"});
  route.deny_all = section.has("deny");
  std::vector<std::string> texts;
  section.read("allow", texts);
  for (const std::string& text : texts) {
    auto block = base::parse_cidr(text);
    if (block) {
      route.allow.push_back(*block);
    } else {
      section.fault("allow", "`" + text + "` is not a block of addresses, such as 10.0.0.0/8");
    }
  }
  if (section.has("allow") && texts.empty()) section.fault("allow", "allows nobody: use deny: all");
  if (section.has("allow") && route.deny_all) {
    section.fault("deny", "stands beside `allow`, which already denies everybody else");
  }
}

std::optional<ColorIndex> read_color_name(Section& section, std::string_view key,
                                          const std::vector<ColorConfig>& colors) {
  std::vector<std::string> names;
  for (const ColorConfig& color : colors) names.push_back(color.name);
  std::string name;
  section.read(key, name);
  if (name.empty()) return std::nullopt;
  const auto found = std::find(names.begin(), names.end(), name);
  if (found != names.end()) return static_cast<ColorIndex>(found - names.begin());
  const auto nearest = base::nearest_word(name, names);
  section.fault(key, "`" + name + "` is not a color" +
                         (nearest ? "; did you mean `" + *nearest + "`?" : std::string()));
  return std::nullopt;
}

std::optional<MirrorRule> read_mirror(Section& top, const std::vector<ColorConfig>& colors) {
  MirrorRule rule;
  Section section = top.section("mirror");
  const std::optional<ColorIndex> color = read_color_name(section, "to", colors);
  section.read("percent", rule.percent, 1, 100);
  section.read("in_flight", rule.in_flight, 1, 1'000);
  section.read("timeout", rule.timeout, Millis{100}, Millis{600'000});
  if (!color) return std::nullopt;
  rule.color = *color;
  return rule;
}

Route read_route(Section section, const std::vector<ColorConfig>& colors) {
  Route route;
  section.read("name", route.name);
  if (!is_name(route.name)) {
    section.fault("name", "is missing or not a name: a-z, 0-9, _, at most 32 characters");
  }
  read_prefixes(section, route);
  std::string port = "http";
  section.read_word("port", port, {"http", "websocket"});
  route.port = port == "websocket" ? Port::websocket : Port::http;
  section.read("buffer", route.buffer);
  section.read("asset_fallback", route.asset_fallback);
  if (route.asset_fallback && !route.buffer) {
    section.fault("asset_fallback", "needs a whole answer: it does not go with buffer: off");
  }
  section.read("entry", route.entry);
  std::string identity = "none";
  section.read_word("identity", identity, {"none", "address"});
  if (identity == "address") route.identity = Identity::address;
  if (section.has("pin")) route.pin = read_color_name(section, "pin", colors);
  read_access(section, route);
  section.read("answer_timeout", route.answer_timeout, Millis{1'000}, Millis{86'400'000});
  return route;
}

void read_routes(Section& top, RoutingConfig& config) {
  if (!top.has("routes")) {
    config.routes = default_routes();
    return;
  }
  for (Section& section : top.sections("routes")) {
    Route route = read_route(section, config.colors);
    const bool is_twice = std::any_of(config.routes.begin(), config.routes.end(),
                                      [&](const Route& other) { return other.name == route.name; });
    if (is_twice && !route.name.empty()) {
      section.fault("name", "`" + route.name + "` is the name of an earlier route");
    }
    route.index = static_cast<RouteIndex>(std::min<size_t>(config.routes.size(), kRoutesMax - 1));
    config.routes.push_back(std::move(route));
  }
  if (config.routes.size() > kRoutesConfigured) {
    top.fault("routes", "has more than " + std::to_string(kRoutesConfigured) + " routes");
  }
}

// A color without a websocket address could never start beside such a route.
void check_websocket_addresses(std::vector<Section>& sections, const RoutingConfig& config) {
  const auto route = std::find_if(config.routes.begin(), config.routes.end(),
                                  [](const Route& one) { return one.port == Port::websocket; });
  if (route == config.routes.end()) return;
  for (Section& section : sections) {
    if (section.has("websocket")) continue;
    section.fault("websocket", "is missing, but route `" + route->name + "` needs an address");
  }
}

Route default_route(std::string name, std::vector<std::string> prefixes) {
  Route route;
  route.name = std::move(name);
  route.prefixes = std::move(prefixes);
  return route;
}

}  // namespace

std::vector<Route> default_routes() {
  std::vector<Route> routes = {
      default_route("websocket", {"/websocket"}),   default_route("longpoll", {"/longpolling"}),
      default_route("assets", {"/web/assets"}),     default_route("rpc", {"/jsonrpc", "/xmlrpc"}),
      default_route("database", {"/web/database"}), default_route("web", {"/"})};
  for (size_t i = 0; i < routes.size(); ++i) routes[i].index = static_cast<RouteIndex>(i);
  for (size_t i : {0, 1}) {
    routes[i].port = Port::websocket;
    routes[i].buffer = false;
  }
  routes[2].asset_fallback = true;
  routes[3].identity = Identity::address;
  routes[4].deny_all = true;
  return routes;
}

RoutingConfig read_routing_config(Section& top) {
  RoutingConfig config;
  std::vector<Section> colors = read_colors(top, config.colors);
  config.affinity = read_affinity(top);
  std::string fallback = "allow";
  top.read_word("fallback", fallback, {"allow", "deny"});
  config.fallback_allow = fallback == "allow";
  config.hold = read_hold(top);
  config.force = read_force(top);
  config.mirror = read_mirror(top, config.colors);
  config.tls = read_tls(top);
  read_routes(top, config);
  check_websocket_addresses(colors, config);
  return config;
}

}  // namespace routing

#include "proxy/routing/choose.h"

#include <array>

#include "proxy/base/check.h"
#include "proxy/routing/pick.h"

namespace routing {
namespace {

// Spreads the nonce anew for every rollout, so that the first to move are not always the same
// users. (The finaliser of SplitMix64.)
uint64_t mix(uint64_t value) {
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9u;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EBu;
  return value ^ (value >> 31);
}

// The color, or kNoColor if no color that takes new users has weight.
ColorIndex draw_by_weight(const RoutingTable& table, uint32_t draw) {
  std::array<int, kColorsMax> weights{};
  for (size_t i = 0; i < table.colors.size(); ++i) {
    const ColorEntry& color = table.colors[i];
    if (color.takes_new()) weights[i] = color.weight * color.weight_share;
  }
  const int color = draw_weighted(weights, draw);
  return color < 0 ? kNoColor : static_cast<ColorIndex>(color);
}

// The last resort: colors of weight 0 that take new users, equally.
ColorIndex draw_fallback(const RoutingTable& table, uint32_t draw) {
  std::array<int, kColorsMax> equal{};
  for (size_t i = 0; i < table.colors.size(); ++i) equal[i] = table.colors[i].takes_new() ? 1 : 0;
  const int color = draw_weighted(equal, draw);
  return color < 0 ? kNoColor : static_cast<ColorIndex>(color);
}

ColorIndex other_that_takes_new(const RoutingTable& table, ColorIndex than) {
  for (size_t i = 0; i < table.colors.size(); ++i) {
    if (i != than && table.colors[i].takes_new()) return static_cast<ColorIndex>(i);
  }
  return kNoColor;
}

// Where a user who once failed over still belongs; kNoColor: nowhere else.
ColorIndex home_of(const Affinity& cookie, const RoutingTable& table) {
  if (cookie.home >= table.colors.size() || cookie.home == cookie.color) return kNoColor;
  const ColorEntry& home = table.colors[cookie.home];
  return home.keeps_holders() && cookie.epoch >= home.valid_from ? cookie.home : kNoColor;
}

Choice go_home(ColorIndex home, bool void_cookie) {
  Choice choice;
  choice.color = home;
  choice.reason = Reason::home;
  choice.void_cookie = void_cookie;
  choice.set_cookie = true;
  return choice;
}

// A user nobody holds: by what identifies it, else in sequence.
Choice draw_afresh(const RequestFacts& facts, const RoutingTable& table, uint32_t draw,
                   bool void_cookie) {
  Choice choice;
  choice.void_cookie = void_cookie;
  choice.set_cookie = true;
  if (facts.session) {
    choice.reason = Reason::session;
    draw = draw_of(*facts.session);
  } else if (facts.address && facts.route->identity == Identity::address) {
    choice.reason = Reason::address;
    choice.set_cookie = void_cookie;  // a client that brought a cookie keeps cookies
    draw = draw_of(*facts.address);
  }
  choice.color = draw_by_weight(table, draw);
  if (choice.color == kNoColor && table.fallback_allow) {
    choice.color = draw_fallback(table, draw);
    choice.fallback = choice.color != kNoColor;
  }
  if (choice.color == kNoColor) choice.set_cookie = false;
  return choice;
}

// The holder's color is down, but it still belongs there.
Choice fail_over(const Affinity& cookie, ColorIndex home, const RoutingTable& table) {
  if (home != kNoColor && table.colors[home].serves_holders()) return go_home(home, false);
  Choice choice;
  choice.reason = Reason::failover;
  choice.color = other_that_takes_new(table, cookie.color);
  choice.set_cookie = choice.color != kNoColor;
  choice.home = choice.set_cookie ? (home != kNoColor ? home : cookie.color) : kNoColor;
  return choice;
}

bool is_redrawn(const RequestFacts& facts, const RoutingTable& table) {
  return table.redraw && facts.navigation && facts.cookie->color == table.redraw->color &&
         facts.cookie->epoch < table.redraw->epoch;
}

// A holder whose color serves it now.
Choice stay(const RequestFacts& facts, ColorIndex home, const RoutingTable& table) {
  if (home != kNoColor && facts.navigation && table.colors[home].settled &&
      table.colors[home].serves_holders()) {
    return go_home(home, false);
  }
  Choice choice;
  choice.reason = Reason::cookie;
  choice.color = facts.cookie->color;
  if (home == kNoColor && is_redrawn(facts, table)) {
    const ColorIndex drawn =
        draw_by_weight(table, draw_of(mix(facts.cookie->nonce ^ mix(table.redraw->epoch))));
    if (drawn == kNoColor) return choice;
    choice.reason = Reason::redraw;
    choice.set_cookie = drawn != choice.color;
    choice.color = drawn;
  }
  return choice;
}

Choice choose_for_holder(const RequestFacts& facts, const RoutingTable& table, uint32_t draw) {
  const Affinity& cookie = *facts.cookie;
  if (cookie.color >= table.colors.size()) return draw_afresh(facts, table, draw, true);
  const ColorEntry& color = table.colors[cookie.color];
  const ColorIndex home = home_of(cookie, table);
  if (!color.keeps_holders() || cookie.epoch < color.valid_from) {
    const bool home_takes = home != kNoColor && table.colors[home].serves_holders();
    return home_takes ? go_home(home, true) : draw_afresh(facts, table, draw, true);
  }
  return color.up ? stay(facts, home, table) : fail_over(cookie, home, table);
}

Choice choose_only(ColorIndex wanted, Reason reason, const RoutingTable& table) {
  Choice choice;
  choice.reason = reason;
  if (wanted < table.colors.size() && table.colors[wanted].serves_holders()) choice.color = wanted;
  return choice;
}

}  // namespace

std::string_view text_of(Reason reason) {
  switch (reason) {
    case Reason::forced:
      return "forced";
    case Reason::pinned:
      return "pinned";
    case Reason::cookie:
      return "cookie";
    case Reason::home:
      return "home";
    case Reason::failover:
      return "failover";
    case Reason::session:
      return "session";
    case Reason::address:
      return "address";
    case Reason::sequence:
      return "sequence";
    case Reason::redraw:
      return "redraw";
  }
  return "unknown";
}

Choice choose(const RequestFacts& facts, const RoutingTable& table, uint32_t draw) {
  CHECK(facts.route != nullptr);
  CHECK(table.colors.size() <= kColorsMax);
  // A tester and a pinned route never get the other version, whatever the weights say; a closed
  // color takes neither, or "empty" would not be final.
  if (facts.forced) return choose_only(*facts.forced, Reason::forced, table);
  if (facts.route->pin) return choose_only(*facts.route->pin, Reason::pinned, table);
  if (facts.cookie) return choose_for_holder(facts, table, draw);
  return draw_afresh(facts, table, draw, false);
}

}  // namespace routing

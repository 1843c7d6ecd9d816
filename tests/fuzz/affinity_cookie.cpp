// The affinity cookie: only what we signed is read, and what is read is what was written. The first
// byte says where the input goes: as a cookie's text, as a Cookie field, as a query.
#include <array>

#include "proxy/routing/affinity.h"
#include "tests/fuzz/targets.h"
#include "tests/unit/routing/table_for_tests.h"

namespace {

constexpr uint64_t kNow = 1'780'000'000;

struct CookieWorld {
  routing::RoutingTable table = routing::two_colors(90, 10);
  routing::AffinitySigner signer{{base::Key{1, 2, 3}}};
  std::string ours;  // a text that we signed
  CookieWorld() { signer.write({routing::kGreen, 77, kNow, 9, routing::kBlue}, table, ours); }
};

void read_cookie(CookieWorld& world, std::string_view text) {
  const auto affinity = world.signer.read(text, world.table, kNow);
  if (!affinity) return;
  if (affinity->color >= world.table.colors.size()) fuzz_fault("a color that is not there");
  // The MAC cannot be guessed: whatever passes is the one text that exists.
  if (text != world.ours) fuzz_fault("a cookie that nobody signed");
}

}  // namespace

int affinity_cookie_one(const uint8_t* data, size_t size) {
  static CookieWorld world;
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 4) {
    case 0:
      read_cookie(world, text);
      break;
    case 1: {  // our own text with one place changed: position, then byte
      if (text.size() < 2) return 0;
      std::string changed = world.ours;
      changed[static_cast<uint8_t>(text[0]) % changed.size()] = text[1];
      read_cookie(world, changed);
      break;
    }
    case 2: {
      const auto value = routing::find_cookie(text, "color");
      if (value && value->find(';') != std::string_view::npos) fuzz_fault("more than one cookie");
      if (value) read_cookie(world, *value);
      break;
    }
    default: {
      const auto value = routing::find_parameter(text, "session_id");
      if (value && value->find('&') != std::string_view::npos) fuzz_fault("more than a parameter");
      break;
    }
  }
  return 0;
}

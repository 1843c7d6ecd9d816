#include "proxy/http/field_names.h"

#include <array>
#include <cstring>
#include <iterator>

namespace http {
namespace {

using enum FieldId;

struct Row {
  std::string_view name;  // in small letters
  KnownName known;
};

constexpr Row kRows[] = {
    {"host", {host, false}},
    {"connection", {connection, true}},
    {"keep-alive", {keep_alive, true}},
    {"proxy-connection", {proxy_connection, true}},
    {"te", {te, true}},
    {"trailer", {trailer, true}},
    {"transfer-encoding", {transfer_encoding, true}},
    {"content-length", {content_length, false}},
    {"upgrade", {upgrade, true}},
    {"expect", {expect, true}},  // answered here, RFC 9110 10.1.1
    {"via", {via, false}},
    {"date", {date, false}},
    {"server", {server, false}},
    {"max-forwards", {max_forwards, false}},
    {"cookie", {cookie, false}},
    {"set-cookie", {set_cookie, false}},
    {"cache-control", {cache_control, false}},
    {"content-type", {content_type, false}},
    {"location", {location, false}},
    {"user-agent", {user_agent, false}},
    {"origin", {origin, false}},
    {"forwarded", {forwarded, false}},
    {"x-forwarded-for", {x_forwarded_for, false}},
    {"x-forwarded-host", {x_forwarded_host, false}},
    {"x-forwarded-proto", {x_forwarded_proto, false}},
    {"x-forwarded-port", {x_forwarded_port, false}},
    {"x-forwarded-server", {x_forwarded_server, false}},
    {"x-real-ip", {x_real_ip, false}},
    {"x-request-id", {x_request_id, false}},
    {"x-openerp-session-id", {x_openerp_session_id, false}},
    {"x-sidecar-color", {x_sidecar_color, false}},
    {"sec-fetch-mode", {sec_fetch_mode, false}},
    {"sec-websocket-key", {sec_websocket_key, false}},
    {"sec-websocket-accept", {sec_websocket_accept, false}},
    {"proxy-authenticate", {proxy_authenticate, true}},
    {"proxy-authorization", {proxy_authorization, true}},
    // Hop-by-hop too, but nobody asks for them. A CGI-like origin would read "Proxy" as the
    // environment variable HTTP_PROXY.
    {"proxy", {other, true}},
    {"proxy-authentication-info", {other, true}},
    {"http2-settings", {other, true}},
};

constexpr size_t kLongest = 25;
constexpr size_t kWords = 4;  // of 8 bytes, so that a row's text has room for every name
constexpr int kSlotBits = 7;

constexpr uint8_t small(char letter) { return static_cast<uint8_t>(letter | 0x20); }

// Length and three letters tell all names apart. The factor was found by trial; kSlots checks it.
constexpr size_t slot_of(std::string_view name) {
  const size_t length = name.size();
  const uint32_t key = static_cast<uint32_t>(length) | static_cast<uint32_t>(small(name[0])) << 8 |
                       static_cast<uint32_t>(small(name[length / 2])) << 16 |
                       static_cast<uint32_t>(small(name[length - 2])) << 24;
  return (key * 0x61b80c09u) >> (32 - kSlotBits);
}

// A name as the comparison wants it: `letters` has 0x20 where the name has a letter, so that
// (input | letters) == text exactly for its spellings.
struct Slot {
  std::array<char, kWords * 8> text{};
  std::array<char, kWords * 8> letters{};
  uint8_t length = 0;  // 0: empty
  KnownName known;
};

constexpr std::array<Slot, 1 << kSlotBits> fill_slots() {
  std::array<Slot, 1 << kSlotBits> slots{};
  for (const Row& row : kRows) {
    Slot& slot = slots[slot_of(row.name)];
    if (slot.length != 0 || row.name.size() > kLongest) return {};  // the assertion below sees it
    slot.length = static_cast<uint8_t>(row.name.size());
    slot.known = row.known;
    for (size_t i = 0; i < row.name.size(); ++i) {
      slot.text[i] = row.name[i];
      slot.letters[i] = row.name[i] >= 'a' && row.name[i] <= 'z' ? 0x20 : 0;
    }
  }
  return slots;
}

constexpr auto kSlots = fill_slots();

constexpr bool every_name_has_its_slot() {
  for (const Row& row : kRows) {
    const Slot& slot = kSlots[slot_of(row.name)];
    if (std::string_view(slot.text.data(), slot.length) != row.name) return false;
  }
  return true;
}
static_assert(every_name_has_its_slot(), "two names share a slot: find another factor");

uint64_t word_at(const char* bytes) {
  uint64_t word;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

bool spells(std::string_view name, const Slot& slot) {
  const size_t length = name.size();
  if (length != slot.length) return false;
  if (length < 8) {
    for (size_t i = 0; i < length; ++i) {
      if ((name[i] | slot.letters[i]) != slot.text[i]) return false;
    }
    return true;
  }
  const auto differs = [&](size_t at) {
    return ((word_at(name.data() + at) | word_at(slot.letters.data() + at)) ^
            word_at(slot.text.data() + at)) != 0;
  };
  for (size_t at = 0; at + 8 < length; at += 8) {
    if (differs(at)) return false;
  }
  return !differs(length - 8);
}

}  // namespace

KnownName known_name(std::string_view name) {
  if (name.size() < 2 || name.size() > kLongest) return {};
  const Slot& slot = kSlots[slot_of(name)];
  return spells(name, slot) ? slot.known : KnownName{};
}

FieldId field_id(std::string_view name) { return known_name(name).id; }

bool is_kept_when_named(FieldId id) {
  switch (id) {
    case host:
    case content_length:
    case transfer_encoding:
    case via:
    case date:
    case server:
    case forwarded:
    case x_forwarded_for:
    case x_forwarded_host:
    case x_forwarded_proto:
    case x_forwarded_port:
    case x_forwarded_server:
    case x_real_ip:
    case x_request_id:
    case x_sidecar_color:
      return true;
    default:
      return false;
  }
}

}  // namespace http

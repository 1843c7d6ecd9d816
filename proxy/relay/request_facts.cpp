#include "proxy/relay/request_facts.h"

#include "proxy/base/mac.h"
#include "proxy/routing/force.h"

namespace relay {
namespace {

using http::Field;
using http::FieldId;

std::optional<std::string_view> cookie_named(const http::RequestHead& head, std::string_view name) {
  for (const Field& field : head.fields) {
    if (field.id != FieldId::cookie) continue;
    if (auto value = routing::find_cookie(field.value, name)) return value;
  }
  return std::nullopt;
}

// Each configured key as cookie, header and query parameter; the first that is there.
std::string_view session_key(const http::RequestHead& head, const routing::SessionKeys& keys) {
  for (const std::string& name : keys.names) {
    if (auto value = cookie_named(head, name); value && !value->empty()) return *value;
    for (const Field& field : head.fields) {
      if (!field.underscored && !field.value.empty() &&
          http::equal_ignoring_case(field.name, name)) {
        return field.value;
      }
    }
    if (auto value = routing::find_parameter(head.query, name); value && !value->empty()) {
      return *value;
    }
  }
  return {};
}

// What a tester says, as header or as cookie.
std::string_view force_word(const http::RequestHead& head, const std::string& name) {
  for (const Field& field : head.fields) {
    if (!field.underscored && http::equal_ignoring_case(field.name, name)) return field.value;
  }
  return cookie_named(head, name).value_or(std::string_view());
}

uint64_t address_hash(const http::RequestHead& head, const base::Address& client,
                      const std::array<uint8_t, 16>& key, std::string& scratch) {
  scratch.assign(reinterpret_cast<const char*>(client.ip.data()), client.ip.size());
  if (const Field* agent = head.find(FieldId::user_agent)) scratch += agent->value;
  return base::sip_hash(key, scratch);
}

}  // namespace

RequestReading read_request(const http::RequestHead& head, const ClientFacts& client,
                            const routing::RoutingTable& table, routing::AffinitySigner& signer,
                            uint64_t now_s, std::string& scratch) {
  RequestReading reading;
  reading.match = routing::match_route(table, head.path, scratch);
  reading.client = client_address(head, client);
  reading.https = is_https(head, client);
  reading.facts.route = reading.match.route;
  if (const Field* mode = head.find(FieldId::sec_fetch_mode)) {
    reading.facts.navigation = mode->value == "navigate";
  }
  if (reading.facts.route == nullptr) return reading;
  reading.facts.navigation = reading.facts.navigation || reading.facts.route->entry;
  if (auto text = cookie_named(head, table.cookie_name)) {
    reading.facts.cookie = signer.read(*text, table, now_s);
    reading.cookie_rejected = !reading.facts.cookie.has_value();
  }
  if (reading.facts.cookie) {
    reading.user = reading.facts.cookie->nonce;
  }
  if (!table.force.tokens.empty()) {
    const std::string_view word = force_word(head, table.force.name);
    if (!word.empty()) reading.facts.forced = routing::forced_color(word, table);
    reading.force_rejected = !word.empty() && !reading.facts.forced;
  }
  const std::string_view key = session_key(head, table.session_keys);
  if (!key.empty()) {
    reading.facts.session = base::sip_hash(table.hash_key, key);
    if (reading.user == 0) reading.user = *reading.facts.session;
  }
  if (reading.facts.route->identity == routing::Identity::address) {
    reading.facts.address = address_hash(head, reading.client, table.hash_key, scratch);
  }
  return reading;
}

}  // namespace relay

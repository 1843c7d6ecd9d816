#include "shifter/control/addresses.h"

#include <algorithm>

namespace control {
namespace {

using base::Address;
using base::HostPort;
using routing::Port;

std::string text_of(const HostPort& at) {
  const bool is_v6 = at.host.find(':') != std::string::npos;
  return (is_v6 ? "[" + at.host + "]" : at.host) + ":" + std::to_string(at.port);
}

bool is_literal(const HostPort& at) { return base::parse_address(text_of(at)).has_value(); }

bool same(const std::vector<KnownAddress>& a, const std::vector<KnownAddress>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.id == y.id && x.port == y.port && x.address == y.address && x.name == y.name;
  });
}

}  // namespace

void AddressBook::configure(const std::vector<routing::ColorConfig>& colors) {
  std::map<std::string, Name> names;
  colors_.resize(colors.size());
  for (size_t i = 0; i < colors.size(); ++i) {
    Color& color = colors_[i];
    color.configured.clear();
    for (const HostPort& at : colors[i].http) color.configured.emplace_back(Port::http, at);
    for (const HostPort& at : colors[i].websocket) {
      color.configured.emplace_back(Port::websocket, at);
    }
    color.has_websocket = !colors[i].websocket.empty();
    for (const auto& [port, at] : color.configured) {
      if (!is_literal(at)) names[at.host] = names_[at.host];
    }
  }
  names_ = std::move(names);
  rebuild();
}

std::vector<std::string> AddressBook::names() const {
  std::vector<std::string> all;
  for (const auto& [name, facts] : names_) all.push_back(name);
  return all;
}

bool AddressBook::take_answer(const std::string& name,
                              const base::Result<std::vector<Address>>& answer) {
  auto at = names_.find(name);
  if (at == names_.end()) return false;  // the config has changed meanwhile
  Name& known = at->second;
  const bool first = !known.answered;
  known.answered = true;
  if (answer && !answer->empty()) {
    known.failures = 0;
    known.addresses = *answer;
    for (Address& address : known.addresses) address.port = 0;
    std::sort(known.addresses.begin(), known.addresses.end());
    auto end = std::unique(known.addresses.begin(), known.addresses.end());
    known.addresses.erase(end, known.addresses.end());
  } else {
    if (known.failures < kLostAfter) ++known.failures;
    if (known.failures >= kLostAfter) known.addresses.clear();
  }
  return rebuild() || first;
}

bool AddressBook::rebuild() {
  bool changed = false;
  left_out_ = 0;
  ++rebuilds_;
  for (size_t i = 0; i < colors_.size(); ++i) {
    Color& color = colors_[i];
    std::vector<KnownAddress> known;
    size_t counts[2] = {0, 0};
    bool failed = false;
    auto add = [&](Port port, const Address& address, const std::string& name) {
      const bool twice = std::any_of(known.begin(), known.end(), [&](const KnownAddress& one) {
        return one.port == port && one.address == address;
      });
      if (twice) return;
      auto id = id_of({i, port, address});
      if (!id || counts[static_cast<size_t>(port)] == kEachMax) {
        ++left_out_;
        return;
      }
      ++counts[static_cast<size_t>(port)];
      known.push_back({*id, port, address, name});
    };
    for (const auto& [port, at] : color.configured) {
      if (auto literal = base::parse_address(text_of(at))) {
        add(port, *literal, text_of(at));
        continue;
      }
      const Name& name = names_[at.host];
      if (port == Port::http && name.answered && name.addresses.empty()) failed = true;
      for (Address address : name.addresses) {
        address.port = at.port;
        add(port, address, text_of(at));
      }
    }
    failed = failed && counts[static_cast<size_t>(Port::http)] == 0;
    changed = changed || failed != color.dns_failed || !same(known, color.known);
    color.dns_failed = failed;
    color.known = std::move(known);
  }
  return changed;
}

std::optional<routing::BackendId> AddressBook::id_of(const Place& place) {
  for (size_t id = 0; id < ids_.size(); ++id) {
    if (ids_[id].place != place) continue;
    ids_[id].last_used = rebuilds_;
    return static_cast<routing::BackendId>(id);
  }
  if (ids_.size() < routing::kBackendsMax) {
    ids_.push_back({place, rebuilds_});
    return static_cast<routing::BackendId>(ids_.size() - 1);
  }
  auto oldest = std::min_element(ids_.begin(), ids_.end(), [](const Given& a, const Given& b) {
    return a.last_used < b.last_used;
  });
  const auto id = static_cast<routing::BackendId>(oldest - ids_.begin());
  if (oldest->last_used == rebuilds_ || is_known(id)) return std::nullopt;
  *oldest = {place, rebuilds_};
  return id;
}

bool AddressBook::is_known(routing::BackendId id) const {
  return std::any_of(colors_.begin(), colors_.end(), [&](const Color& color) {
    return std::any_of(color.known.begin(), color.known.end(),
                       [&](const KnownAddress& one) { return one.id == id; });
  });
}

}  // namespace control

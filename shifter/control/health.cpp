#include "shifter/control/health.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace control {
namespace {

using routing::Port;

constexpr base::Millis kTrustSaved{60'000};

DownReason reason_of(ProbeOutcome outcome) {
  switch (outcome) {
    case ProbeOutcome::bad_status:
      return DownReason::status;
    case ProbeOutcome::time_out:
      return DownReason::time_out;
    case ProbeOutcome::refused:
      return DownReason::refused;
    case ProbeOutcome::reset:
      return DownReason::reset;
    case ProbeOutcome::certificate:
      return DownReason::certificate;
    case ProbeOutcome::pass:
    case ProbeOutcome::failed:
      break;
  }
  return DownReason::failed;
}

// A backend that works on something answers no probe, and that is no fault of it.
bool is_busy(ProbeOutcome outcome, const BackendLoad& load, const HealthConfig& limits) {
  return outcome == ProbeOutcome::time_out && load.in_flight > 0 &&
         load.without_progress < limits.busy_max;
}

int count_up(const std::vector<AddressHealth>& addresses) {
  return static_cast<int>(std::count_if(addresses.begin(), addresses.end(),
                                        [](const AddressHealth& one) { return one.up; }));
}

DownReason reason_down(const ColorFacts& facts, int http_up) {
  if (facts.dns_failed && facts.http.empty()) return DownReason::dns;
  if (http_up > 0) return facts.page_down ? DownReason::page : DownReason::websocket;
  for (const AddressHealth& one : facts.http) {
    if (one.reason != DownReason::starting) return one.reason;
  }
  return DownReason::starting;
}

}  // namespace

std::string_view text_of(DownReason reason) {
  switch (reason) {
    case DownReason::starting:
      return "starting";
    case DownReason::status:
      return "status";
    case DownReason::time_out:
      return "timeout";
    case DownReason::refused:
      return "refused";
    case DownReason::reset:
      return "reset";
    case DownReason::certificate:
      return "certificate";
    case DownReason::failed:
      return "failed";
    case DownReason::page:
      return "page";
    case DownReason::dns:
      return "dns";
    case DownReason::websocket:
      return "websocket";
    case DownReason::ejected:
      return "ejected";
    case DownReason::warming:
      return "warming";
  }
  return "failed";
}

AddressHealth judge_address(AddressHealth before, ProbeOutcome outcome, const BackendLoad& load,
                            base::Instant now, const HealthConfig& limits) {
  AddressHealth after = before;
  if (outcome == ProbeOutcome::pass) {
    after.busy = false;
    after.failures = 0;
    if (after.passes < limits.rise) ++after.passes;
    if (after.passes < limits.rise) return after;
    after.judged = true;
    after.unproven = false;
    if (!after.up) after.since = now;
    after.up = true;
    return after;
  }
  if (is_busy(outcome, load, limits)) {
    after.busy = after.up;
    return after;
  }
  after.passes = 0;
  after.busy = false;
  after.reason = after.up || after.judged ? after.reason : reason_of(outcome);
  if (after.failures < limits.fall) ++after.failures;
  if (!after.unproven && after.failures < limits.fall) return after;
  after.judged = true;
  after.reason = reason_of(outcome);
  if (after.up) after.since = now;
  after.up = false;
  after.unproven = false;
  return after;
}

ColorHealth judge_color(const ColorHealth& before, const ColorFacts& facts, base::Instant now) {
  ColorHealth after;
  const int http_up = count_up(facts.http);
  const int websocket_up = count_up(facts.websocket);
  const bool lacks_websocket = facts.has_websocket && websocket_up == 0;
  after.able = http_up > 0 && !facts.page_down && (before.able || !lacks_websocket);
  after.up = after.able && !facts.kept_out;
  after.since = after.up == before.up ? before.since : now;
  if (after.up) {
    auto all_up_ones = [&](bool AddressHealth::*flag) {
      return std::all_of(facts.http.begin(), facts.http.end(),
                         [&](const AddressHealth& one) { return !one.up || one.*flag; });
    };
    after.busy = all_up_ones(&AddressHealth::busy);
    after.unproven = all_up_ones(&AddressHealth::unproven);
    after.no_websocket = lacks_websocket;
    after.judged = true;
    return after;
  }
  after.reason = after.able ? *facts.kept_out : reason_down(facts, http_up);
  after.judged = before.judged || after.able || (facts.dns_failed && facts.http.empty()) ||
                 (!facts.http.empty() &&
                  std::all_of(facts.http.begin(), facts.http.end(),
                              [](const AddressHealth& one) { return one.judged && !one.up; }));
  return after;
}

std::string text_of(const ColorHealth& health) {
  if (!health.up) return "down(" + std::string(text_of(health.reason)) + ")";
  if (health.unproven) return "up(unproven)";
  return health.busy ? "up(busy)" : "up";
}

std::string text_of(const AddressHealth& health) {
  if (!health.up) return "down(" + std::string(text_of(health.reason)) + ")";
  if (health.unproven) return "up(unproven)";
  return health.busy ? "up(busy)" : "up";
}

void judge_pages(PageVerdict& verdict, const std::vector<std::optional<ProbeOutcome>>& round,
                 const HealthConfig& limits) {
  verdict.colors.resize(round.size());
  const auto passed = [](const auto& one) { return one == ProbeOutcome::pass; };
  const bool anybody = std::any_of(round.begin(), round.end(), passed);
  if (anybody) {
    verdict.shared_failures = 0;
  } else if (std::any_of(round.begin(), round.end(), [](const auto& one) { return one; })) {
    if (verdict.shared_failures < limits.fall) ++verdict.shared_failures;
  }
  for (size_t i = 0; i < round.size(); ++i) {
    PageHealth& page = verdict.colors[i];
    if (!round[i]) continue;
    if (round[i] == ProbeOutcome::pass) {
      page.failures = 0;
      if (page.passes < limits.rise) ++page.passes;
      if (page.passes >= limits.rise) page.down = false;
    } else if (anybody) {
      page.passes = 0;
      if (page.failures < limits.fall) ++page.failures;
      if (page.failures >= limits.fall) page.down = true;
    }
  }
}

Health::Health(const HealthConfig& limits, std::vector<std::string> colors) : limits_(limits) {
  for (std::string& name : colors) {
    colors_.emplace_back();
    colors_.back().name = std::move(name);
  }
  pages_.colors.resize(colors_.size());
}

void Health::set_addresses(size_t index, const std::vector<HealthAddress>& addresses,
                           bool has_websocket, bool dns_failed, base::Instant now) {
  Color& color = colors_[index];
  std::vector<Entry> entries;
  for (const HealthAddress& at : addresses) {
    if (Entry* known = find(at.id)) {
      entries.push_back(*known);
      continue;
    }
    Entry entry{at, {}, 0, 0, now, {}};
    entry.health.since = now;
    for (const SavedHealth& saved : saved_) {
      const bool same =
          saved.color == color.name && saved.port == at.port && saved.address == at.address.text();
      const auto age = saved_wall_ - saved.seen + (now - saved_at_);
      if (!same || age < base::Millis{0} || age > kTrustSaved) continue;
      entry.health.up = entry.health.unproven = true;
      entry.saved_seen = saved.seen;
    }
    entries.push_back(entry);
  }
  color.entries = std::move(entries);
  color.has_websocket = has_websocket;
  color.dns_failed = dns_failed;
  ++changes_;
  judge(index, now);
}

void Health::restore(std::vector<SavedHealth> saved, base::WallTime wall, base::Instant now) {
  saved_ = std::move(saved);
  saved_wall_ = wall;
  saved_at_ = now;
}

std::vector<SavedHealth> Health::save(base::WallTime wall) const {
  std::vector<SavedHealth> all;
  for (const Color& color : colors_) {
    for (const Entry& entry : color.entries) {
      if (!entry.health.up) continue;
      const base::WallTime seen = entry.health.unproven ? entry.saved_seen : wall;
      all.push_back({color.name, entry.at.port, entry.at.address.text(), seen});
    }
  }
  return all;
}

void Health::observe(const routing::Totals& totals, base::Instant now) {
  for (Color& color : colors_) {
    for (Entry& entry : color.entries) {
      if (entry.at.id >= totals.backends.size()) continue;
      const routing::BackendTotals& seen = totals.backends[entry.at.id];
      if (seen.in_flight == 0 || seen.finished != entry.finished || entry.in_flight == 0) {
        entry.progress = now;
      }
      entry.in_flight = seen.in_flight;
      entry.finished = seen.finished;
    }
  }
}

void Health::on_probe(routing::BackendId id, ProbeOutcome outcome, base::Instant now) {
  size_t index = 0;
  Entry* entry = find(id, &index);
  if (entry == nullptr) return;  // its address went while the probe was under way
  const AddressHealth before = entry->health;
  entry->health = judge_address(before, outcome, load_of(*entry, now), now, limits_);
  if (entry->health.up != before.up) ++changes_;
  judge(index, now);
}

void Health::on_pages(std::vector<std::optional<ProbeOutcome>> round, base::Instant now) {
  for (size_t i = 0; i < round.size(); ++i) {
    if (round[i] && is_explained(i, *round[i], now)) round[i].reset();
  }
  judge_pages(pages_, round, limits_);
  for (size_t i = 0; i < colors_.size(); ++i) judge(i, now);
}

const AddressHealth* Health::address(routing::BackendId id) const {
  Entry* entry = const_cast<Health*>(this)->find(id);
  return entry == nullptr ? nullptr : &entry->health;
}

bool Health::usable(routing::BackendId id) const {
  const AddressHealth* health = address(id);
  return health != nullptr && health->up;
}

void Health::keep_out(size_t index, std::optional<DownReason> reason, base::Instant now) {
  if (std::exchange(colors_[index].kept_out, reason) != reason) judge(index, now);
}

bool Health::any_up() const {
  return std::any_of(colors_.begin(), colors_.end(), [](const Color& c) { return c.health.up; });
}

bool Health::all_judged() const {
  return std::all_of(colors_.begin(), colors_.end(),
                     [](const Color& c) { return c.health.judged; });
}

void Health::judge(size_t index, base::Instant now) {
  Color& color = colors_[index];
  ColorFacts facts;
  for (const Entry& entry : color.entries) {
    (entry.at.port == Port::http ? facts.http : facts.websocket).push_back(entry.health);
  }
  facts.has_websocket = color.has_websocket;
  facts.dns_failed = color.dns_failed;
  facts.page_down = pages_.colors[index].down;
  facts.kept_out = color.kept_out;
  const bool was_up = color.health.up;
  color.health = judge_color(color.health, facts, now);
  if (color.health.up != was_up) ++changes_;
}

Health::Entry* Health::find(routing::BackendId id, size_t* index) {
  for (size_t i = 0; i < colors_.size(); ++i) {
    for (Entry& entry : colors_[i].entries) {
      if (entry.at.id != id) continue;
      if (index != nullptr) *index = i;
      return &entry;
    }
  }
  return nullptr;
}

BackendLoad Health::load_of(const Entry& entry, base::Instant now) const {
  return {entry.in_flight, std::chrono::duration_cast<base::Millis>(now - entry.progress)};
}

// A page that timed out on a color whose http addresses are all at work says nothing.
bool Health::is_explained(size_t index, ProbeOutcome outcome, base::Instant now) const {
  const Color& color = colors_[index];
  return std::any_of(color.entries.begin(), color.entries.end(), [&](const Entry& entry) {
    return entry.at.port == Port::http && is_busy(outcome, load_of(entry, now), limits_);
  });
}

}  // namespace control

#include "shifter/control/traffic_record.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>

namespace control {
namespace {

constexpr int64_t kCountMax = int64_t{1} << 50;

nlohmann::json entry_json(const TrafficEntry& entry) {
  return {entry.wall_s,    entry.segment,   entry.since_s,   entry.color,    entry.sessions,
          entry.faulty[0], entry.faulty[1], entry.faulty[2], entry.requests, entry.errors};
}

bool read_entry(std::string_view line, TrafficEntry& entry) {
  const nlohmann::json read = nlohmann::json::parse(line, nullptr, false);
  if (!read.is_array() || read.size() != 10) return false;
  for (const nlohmann::json& value : read) {
    if (!value.is_number_integer()) return false;
    const bool is_small = value.is_number_unsigned()
                              ? value.get<uint64_t>() <= static_cast<uint64_t>(kCountMax)
                              : value.get<int64_t>() >= 0;
    if (!is_small) return false;
  }
  if (read[3].get<int64_t>() >= routing::kColorsMax) return false;
  entry.wall_s = read[0].get<int64_t>();
  entry.segment = read[1].get<uint64_t>();
  entry.since_s = read[2].get<int64_t>();
  entry.color = read[3].get<routing::ColorIndex>();
  entry.sessions = read[4].get<uint64_t>();
  for (size_t i = 0; i < entry.faulty.size(); ++i) entry.faulty[i] = read[5 + i].get<uint64_t>();
  entry.requests = read[8].get<int64_t>();
  entry.errors = read[9].get<int64_t>();
  return entry.since_s <= entry.wall_s;
}

}  // namespace

void TrafficRecord::add(const TrafficEntry& entry) {
  entries_.push_back(entry);
  const int64_t oldest = entry.wall_s - kRecordedHours * 3'600 - kRecordEvery_s;
  while (entries_.size() > kEntriesMax || entries_.front().wall_s < oldest) entries_.pop_front();
}

std::string TrafficRecord::text() const {
  std::string text;
  for (const TrafficEntry& entry : entries_) text += entry_json(entry).dump() + "\n";
  return text;
}

void TrafficRecord::read(std::string_view text) {
  entries_.clear();
  while (!text.empty()) {
    const size_t end = text.find('\n');
    if (end == std::string_view::npos) return;  // cut
    TrafficEntry entry;
    const bool is_sound = read_entry(text.substr(0, end), entry);
    text.remove_prefix(end + 1);
    const bool is_later = entries_.empty() || entry.wall_s >= entries_.back().wall_s;
    if (is_sound && is_later) add(entry);
  }
}

Traffic TrafficRecord::last_day(routing::ColorIndex color) const {
  return last(color, kRecordedHours * 3'600);
}

Traffic TrafficRecord::last_hour(routing::ColorIndex color) const { return last(color, 3'600); }

Traffic TrafficRecord::last(routing::ColorIndex color, int64_t seconds) const {
  Traffic traffic;
  if (entries_.empty()) return traffic;
  const int64_t from = entries_.back().wall_s - seconds;
  // Of each segment: its last entry, and the last one before the asked time, if it began before.
  struct Ends {
    TrafficEntry before;
    TrafficEntry last;
  };
  std::map<uint64_t, Ends> segments;
  for (const TrafficEntry& entry : entries_) {
    if (entry.color != color) continue;
    Ends& ends = segments[entry.segment];
    if (entry.wall_s <= from) ends.before = entry;
    ends.last = entry;
  }
  uint64_t most = 0;
  double known_s = 0;
  for (const auto& [segment, ends] : segments) {
    if (ends.last.wall_s <= from) continue;
    known_s += static_cast<double>(ends.last.wall_s - std::max(from, ends.last.since_s));
    traffic.requests += ends.last.requests - ends.before.requests;
    traffic.errors += ends.last.errors - ends.before.errors;
    if (ends.last.sessions < most) continue;
    most = ends.last.sessions;
    traffic.sessions = static_cast<double>(most);
    for (size_t i = 0; i < traffic.faulty_ratio.size(); ++i) {
      traffic.faulty_ratio[i] =
          most > 0 ? std::min(static_cast<double>(ends.last.faulty[i]) / traffic.sessions, 1.0) : 0;
    }
  }
  traffic.hours = known_s / 3'600;
  return traffic;
}

}  // namespace control

#include "shifter/policy/policy.h"

#include <algorithm>
#include <cstdio>
#include <optional>

#include "proxy/base/counter.h"
#include "proxy/base/yaml_values.h"

namespace policy {
namespace {

using base::Millis;
using base::Section;

constexpr int64_t kMillion = 1'000'000;

// "1.2" in millionths; no sign, no exponent, at most six digits behind the point.
std::optional<int64_t> parse_millionths(std::string_view text) {
  const size_t point = std::min(text.find('.'), text.size());
  std::string_view whole = text.substr(0, point);
  std::string_view rest = text.substr(std::min(point + 1, text.size()));
  const auto is_number = [](std::string_view digits) {
    return !digits.empty() && digits.find_first_not_of("0123456789") == std::string_view::npos;
  };
  if (!is_number(whole) || whole.size() > 6 || rest.size() > 6) return std::nullopt;
  if (point < text.size() && !is_number(rest)) return std::nullopt;
  std::string digits(rest);
  digits.resize(6, '0');
  return *base::parse_integer(whole) * kMillion + *base::parse_integer(digits);
}

bool is_edge(int64_t us) {
  return std::find(base::kLatencyEdgesUs.begin(), base::kLatencyEdgesUs.end(), us) !=
         base::kLatencyEdgesUs.end();
}

void read_edge(Section& section, int64_t& edge_us) {
  std::string text = seconds_text(edge_us);
  text.resize(text.size() - 2);
  section.read("p95_latency_s", text);
  const auto us = parse_millionths(text);
  if (!us) {
    section.fault("p95_latency_s", "must be seconds such as 1.2");
  } else if (!is_edge(*us)) {
    section.fault("p95_latency_s",
                  text + " is no edge of the latency histogram, so it could only be guessed; the "
                         "nearest are " +
                      nearest_edges(*us));
  } else {
    edge_us = *us;
  }
}

// A share from 0 to 1, in thousandths.
void read_share(Section& section, std::string_view key, int& permille, int least) {
  std::string text;
  section.read(key, text);
  if (text.empty()) return;
  const auto millionths = parse_millionths(text);
  if (!millionths || *millionths > kMillion || *millionths < int64_t{least} * 1000 ||
      *millionths % 1000 != 0) {
    std::string from = seconds_text(int64_t{least} * 1000);
    from.resize(from.size() - 2);
    section.fault(key, "must be a share such as 0.6, from " + from + " to 1");
  } else {
    permille = static_cast<int>(*millionths / 1000);
  }
}

void read_seconds(Section& section, std::string_view key, Millis& value) {
  int64_t seconds = value.count() / 1000;
  section.read(key, seconds, 0, 86'400);
  value = Millis(seconds * 1000);
}

ScaleUp read_up(Section section) {
  ScaleUp up;
  read_edge(section, up.edge_us);
  section.read("step", up.step, 1, 16);
  section.read("for", up.over, Millis{1'000}, Millis{3'600'000});
  section.read("min_requests", up.requests, 1, 1'000'000);
  return up;
}

ScaleDown read_down(Section section) {
  ScaleDown down;
  read_edge(section, down.edge_us);
  section.read("step", down.step, 1, 16);
  section.read("for", down.over, Millis{1'000}, Millis{86'400'000});
  std::string rule(text_of(down.rule));
  section.read_word("rule", rule, {"both", "little"});
  down.rule = rule == "little" ? DownRule::little : DownRule::both;
  read_share(section, "utilisation", down.utilisation_permille, 50);
  return down;
}

Capacity read_capacity(Section section) {
  Capacity capacity;
  section.read("workers_per_cpu", capacity.workers_per_cpu, 1, 64);
  section.read_size("memory_per_worker", capacity.memory_per_worker, 1 << 20, int64_t{1} << 40);
  section.read_size("memory_reserve", capacity.memory_reserve, 0, int64_t{1} << 40);
  section.read("connections_per_worker", capacity.connections_per_worker, 0, 64);
  read_share(section, "connections_share", capacity.connections_permille, 50);
  return capacity;
}

Retry read_retry(Section section) {
  Retry retry;
  section.read("first", retry.first, Millis{1'000}, Millis{3'600'000});
  section.read("most", retry.most, Millis{1'000}, Millis{86'400'000});
  section.read("failures", retry.failures, 1, 20);
  if (retry.most < retry.first) section.fault("most", "is shorter than first");
  return retry;
}

void check_time(Section& section, const Policy& policy, Millis over) {
  if (over % policy.window != Millis{0}) {
    section.fault("for", "must be a whole number of windows (" +
                             base::duration_text(policy.window) + ")");
  } else if (over / policy.window > kWindowsMax) {
    section.fault("for", "at most " + std::to_string(kWindowsMax) + " windows");
  }
}

Policy read_policy(Section top) {
  Policy policy;
  top.read("min_workers", policy.min_workers, 1, kWorkersMax);
  top.read("max_workers", policy.max_workers, 1, kWorkersMax);
  if (policy.max_workers < policy.min_workers) {
    top.fault("max_workers", std::to_string(policy.max_workers) + " is below min_workers (" +
                                 std::to_string(policy.min_workers) + ")");
  }
  Section up = top.section("scale_up");
  Section down = top.section("scale_down");
  policy.up = read_up(up);
  policy.down = read_down(down);
  if (policy.down.edge_us >= policy.up.edge_us) {
    down.fault("p95_latency_s", "must be below the one of scale_up: nothing would stay as it is");
  }
  read_seconds(top, "cooldown_up_s", policy.cooldown_up);
  read_seconds(top, "cooldown_down_s", policy.cooldown_down);
  top.read("window", policy.window, Millis{600}, Millis{600'000});
  if (policy.window % kSlices != Millis{0}) {
    top.fault("window", "must be a multiple of " + std::to_string(kSlices) + " ms");
  }
  check_time(up, policy, policy.up.over);
  check_time(down, policy, policy.down.over);
  top.read("window_requests", policy.window_requests, 1, 1'000'000);
  read_share(top, "waiting_share", policy.waiting_permille, 1);
  top.read("blind_after", policy.blind_after, Millis{1'000}, Millis{3'600'000});
  if (policy.blind_after < policy.window / 2) {
    top.fault("blind_after", "must be at least half a window");
  }
  std::string apply(text_of(policy.apply));
  top.read_word("apply", apply, {"redeploy", "live"});
  policy.apply = apply == "live" ? Apply::live : Apply::redeploy;
  policy.capacity = read_capacity(top.section("capacity"));
  policy.retry = read_retry(top.section("retry"));
  return policy;
}

Loaded read(base::YamlFile file) {
  Loaded loaded;
  loaded.faults = file.faults();
  if (!loaded.faults.empty()) return loaded;
  loaded.policy = read_policy(file.top());
  loaded.faults = file.faults();
  return loaded;
}

}  // namespace

std::string_view text_of(DownRule rule) { return rule == DownRule::little ? "little" : "both"; }

std::string_view text_of(Apply apply) { return apply == Apply::live ? "live" : "redeploy"; }

Loaded load(const std::string& path) { return read(base::YamlFile::from_path(path)); }

Loaded parse(const std::string& file, std::string_view text) {
  return read(base::YamlFile::from_text(file, text));
}

std::string seconds_text(int64_t us) {
  char text[32];
  std::snprintf(text, sizeof text, "%lld.%06lld", static_cast<long long>(us / kMillion),
                static_cast<long long>(us % kMillion));
  std::string shorter(text);
  shorter.erase(shorter.find_last_not_of('0') + 1);
  if (shorter.back() == '.') shorter += '0';
  return shorter + " s";
}

std::string nearest_edges(int64_t us) {
  const auto& edges = base::kLatencyEdgesUs;
  const auto above = std::lower_bound(edges.begin(), edges.end(), us);
  if (above == edges.begin()) return seconds_text(edges.front());
  if (above == edges.end()) return seconds_text(edges.back());
  return seconds_text(*(above - 1)) + " and " + seconds_text(*above);
}

}  // namespace policy

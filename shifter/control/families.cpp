#include "shifter/control/families.h"

#include <algorithm>
#include <deque>

#include "proxy/base/error.h"

namespace control {
namespace {

using base::MetricFamily;
using base::MetricSample;
using routing::ColorTotals;
using routing::HistogramTotals;
using routing::Kind;
using routing::Tally;
using routing::Totals;
using Labels = std::vector<std::pair<std::string, std::string>>;
using Type = MetricFamily::Type;

constexpr int kNoRoute = routing::kRoutesMax - 1;

std::vector<double> latency_edges() {
  std::vector<double> edges;
  for (int64_t us : base::kLatencyEdgesUs) edges.push_back(static_cast<double>(us) / 1e6);
  return edges;
}

MetricSample histogram_sample(Labels labels, const HistogramTotals& totals) {
  MetricSample sample;
  sample.labels = std::move(labels);
  uint64_t sum = 0;
  for (int64_t count : totals.counts) {
    sum += static_cast<uint64_t>(std::max<int64_t>(count, 0));
    sample.buckets.push_back(sum);
  }
  sample.sum = static_cast<double>(totals.sum_us) / 1e6;
  return sample;
}

// Gathers the families; knows how colors and routes are called.
class Writer {
 public:
  Writer(const Totals& totals, const ControlMetrics& control) : totals_(totals), control_(control) {
    for (size_t i = 0; i < control.routes.size(); ++i) {
      routes_.emplace_back(static_cast<int>(i), control.routes[i]);
    }
    routes_.emplace_back(kNoRoute, "none");
  }

  std::vector<MetricFamily> take() { return {families_.begin(), families_.end()}; }

  void requests() {
    MetricFamily& latency = open("odoo_request_latency_seconds", Type::histogram,
                                 "Last request byte to last backend byte, waiting for a slot "
                                 "included, for each attempt.");
    latency.edges = latency_edges();
    each_route([&](const std::string& color, const std::string& route, const auto& cells) {
      latency.samples.push_back(
          histogram_sample({{"color", color}, {"route", route}}, cells.latency));
    });
    MetricFamily& count = open("odoo_requests_total", Type::counter,
                               "Requests answered, by the status code that the client got.");
    each_route([&](const std::string& color, const std::string& route, const auto& cells) {
      for (int slot = 0; slot < routing::kCodeSlots; ++slot) {
        add(count,
            {{"color", color}, {"route", route}, {"code", std::string(routing::code_label(slot))}},
            cells.requests[static_cast<size_t>(slot)]);
      }
    });
  }

  void in_flight() {
    MetricFamily& family =
        open("odoo_active_requests", Type::gauge,
             "What is in flight; receiving, held and delivering belong to no color.");
    for (size_t i = 0; i <= control_.colors.size(); ++i) {
      const bool none = i == control_.colors.size();
      for (int kind = none ? routing::kColorKinds : 0;
           kind < (none ? routing::kKinds : routing::kColorKinds); ++kind) {
        add(family,
            {{"color", color_name(i)},
             {"kind", std::string(routing::text_of(static_cast<Kind>(kind)))}},
            totals_of(i).in_flight[static_cast<size_t>(kind)]);
      }
    }
  }

  void times() {
    color_histogram("sidecar_queue_seconds", "Time waited for a slot.", &ColorTotals::queue);
    color_histogram("sidecar_connect_seconds", "Time to connect to a backend.",
                    &ColorTotals::connect);
    color_histogram("sidecar_websocket_lifetime_seconds", "How long websockets lived.",
                    &ColorTotals::websocket_lifetime);
    histogram("sidecar_receiving_seconds", "First to last byte of a request.", totals_.receiving);
    histogram("sidecar_delivering_seconds", "Last backend byte to last byte to the client.",
              totals_.delivering);
    histogram("sidecar_held_seconds", "Time waited for a color.", totals_.held);
  }

  void tallies() {
    for (int i = 0; i < routing::kTallies; ++i) {
      const auto tally = static_cast<Tally>(i);
      if (tally == Tally::affinity_moved_down || tally == Tally::affinity_moved_redrawn) continue;
      const std::string label(routing::text_of(tally));
      scalar("sidecar_" + label + "_total", Type::counter, help_of(tally),
             totals_.tallies[static_cast<size_t>(i)]);
    }
    MetricFamily& moved = open("sidecar_affinity_moved_total", Type::counter,
                               "Holders that were moved to another color, and why.");
    add(moved, {{"reason", "down"}}, tally_of(Tally::affinity_moved_down));
    add(moved, {{"reason", "redrawn"}}, tally_of(Tally::affinity_moved_redrawn));
    MetricFamily& errors =
        open("sidecar_errors_total", Type::counter, "Failures of exchanges, by what went wrong.");
    for (size_t i = 0; i < totals_.errors.size(); ++i) {
      const auto& facts = base::facts_of(static_cast<base::ErrorCode>(i));
      add(errors, {{"error", std::string(facts.label)}}, totals_.errors[i]);
    }
  }

  void colors() {
    color_gauge("sidecar_color_weight", "Share of new users.",
                [](const ColorMetrics& color) { return color.weight; });
    color_gauge("sidecar_color_up", "1: healthy enough to be sent requests.",
                [](const ColorMetrics& color) { return color.up ? 1 : 0; });
    color_gauge("sidecar_color_busy", "1: up, and too busy to answer its probes.",
                [](const ColorMetrics& color) { return color.busy ? 1 : 0; });
    color_gauge("sidecar_color_without_websocket", "1: up, but no websocket address is.",
                [](const ColorMetrics& color) { return color.no_websocket ? 1 : 0; });
    MetricFamily& ejections = open("sidecar_ejections_total", Type::counter,
                                   "Times that a color was taken out because its answers failed.");
    for (const ColorMetrics& color : control_.colors) {
      add(ejections, {{"color", color.name}}, color.ejections);
    }
    MetricFamily& state =
        open("sidecar_color_state", Type::gauge, "1 for the state that the color is in.");
    MetricFamily& addresses =
        open("sidecar_color_addresses_up", Type::gauge, "Healthy addresses of a port.");
    using routing::ColorState;
    for (const ColorMetrics& color : control_.colors) {
      for (ColorState one :
           {ColorState::ready, ColorState::draining, ColorState::closing, ColorState::maint}) {
        add(state, {{"color", color.name}, {"state", std::string(routing::text_of(one))}},
            color.state == one ? 1 : 0);
      }
      add(addresses, {{"color", color.name}, {"port", "http"}}, color.http_up);
      add(addresses, {{"color", color.name}, {"port", "websocket"}}, color.websocket_up);
    }
  }

  void control() {
    const ControlMetrics& c = control_;
    scalar("sidecar_epoch", Type::gauge, "Intentions accepted so far.", c.epoch);
    scalar("sidecar_table_version", Type::gauge, "The last published routing table.", c.version);
    scalar("sidecar_table_applied_version", Type::gauge, "The table that every worker uses.",
           c.applied_version);
    scalar("sidecar_held", Type::gauge, "1: new requests wait because an operator said so.",
           c.held ? 1 : 0);
    scalar("sidecar_dependency_down", Type::gauge,
           "1: the page fails on all colors at once, so nobody is moved.",
           c.dependency_down ? 1 : 0);
    scalar("sidecar_lame_duck", Type::gauge, "1: shutting down.", c.lame_duck ? 1 : 0);
    scalar("sidecar_state_saves_total", Type::counter, "The state file was saved.", c.state_saves);
    scalar("sidecar_state_save_failures_total", Type::counter, "The state file could not be saved.",
           c.state_save_failures);
    scalar("sidecar_state_unsaved", Type::gauge, "1: a change that acted is not on disk yet.",
           c.state_unsaved);
    scalar("sidecar_probes_total", Type::counter, "Health probes that ended.", c.probes);
    scalar("sidecar_probe_failures_total", Type::counter, "Health probes that failed.",
           c.probe_failures);
    scalar("sidecar_name_failures_total", Type::counter, "Names that did not resolve.",
           c.name_failures);
    scalar("sidecar_commands_total", Type::counter, "Commands on the admin socket.", c.commands);
    scalar("sidecar_commands_refused_total", Type::counter, "Commands that were answered no.",
           c.commands_refused);
    scalar("sidecar_admin_clients", Type::gauge, "Clients of the admin socket.", c.admin_clients);
    scalar("sidecar_log_dropped_total", Type::counter, "Log lines that found the queue full.",
           c.log_dropped);
    scalar("sidecar_client_connections", Type::gauge, "Open connections of clients.",
           totals_.client_connections);
    scalar("sidecar_overload_step", Type::gauge,
           "Memory nears its limit: 1 waiting bytes go to disk, 2 nobody is accepted.",
           totals_.overload_step);
    scalar("sidecar_spool_memory_bytes", Type::gauge, "Waiting bytes in memory.",
           totals_.spool_memory_bytes);
    scalar("sidecar_spool_disk_bytes", Type::gauge, "Waiting bytes in unlinked files.",
           totals_.spool_disk_bytes);
    MetricFamily& start =
        open("sidecar_start_time_seconds", Type::gauge, "When this process started (Unix time).");
    start.samples.push_back({{}, c.started_seconds, {}, 0});
    MetricFamily& build = open("sidecar_build_info", Type::gauge, "1; the version is the label.");
    add(build, {{"version", c.program_version}}, 1);
  }

 private:
  MetricFamily& open(std::string name, Type type, std::string help) {
    MetricFamily family;
    family.name = std::move(name);
    family.help = std::move(help);
    family.type = type;
    families_.push_back(std::move(family));
    return families_.back();
  }

  template <class Number>
  static void add(MetricFamily& family, Labels labels, Number value) {
    family.samples.push_back({std::move(labels), static_cast<double>(value), {}, 0});
  }

  template <class Number>
  void scalar(std::string name, Type type, std::string help, Number value) {
    add(open(std::move(name), type, std::move(help)), {}, value);
  }

  void histogram(std::string name, std::string help, const HistogramTotals& totals) {
    MetricFamily& family = open(std::move(name), Type::histogram, std::move(help));
    family.edges = latency_edges();
    family.samples.push_back(histogram_sample({}, totals));
  }

  void color_histogram(std::string name, std::string help, HistogramTotals ColorTotals::*which) {
    MetricFamily& family = open(std::move(name), Type::histogram, std::move(help));
    family.edges = latency_edges();
    for (size_t i = 0; i < control_.colors.size(); ++i) {
      family.samples.push_back(histogram_sample({{"color", color_name(i)}}, totals_of(i).*which));
    }
  }

  template <class Pick>
  void color_gauge(std::string name, std::string help, Pick pick) {
    MetricFamily& family = open(std::move(name), Type::gauge, std::move(help));
    for (const ColorMetrics& color : control_.colors) {
      add(family, {{"color", color.name}}, pick(color));
    }
  }

  // Totals are by ColorIndex, no color last.
  const ColorTotals& totals_of(size_t i) const {
    static const ColorTotals nothing;
    if (totals_.colors.empty()) return nothing;
    const size_t last = totals_.colors.size() - 1;
    if (i == control_.colors.size()) return totals_.colors[last];
    return i < last ? totals_.colors[i] : nothing;
  }
  std::string color_name(size_t i) const {
    return i < control_.colors.size() ? control_.colors[i].name : "none";
  }

  template <class Do>
  void each_route(Do act) const {
    static const routing::RouteTotals nothing;
    for (size_t i = 0; i <= control_.colors.size(); ++i) {
      const ColorTotals& color = totals_of(i);
      for (const auto& [index, name] : routes_) {
        const auto at = static_cast<size_t>(index);
        act(color_name(i), name, at < color.routes.size() ? color.routes[at] : nothing);
      }
    }
  }

  int64_t tally_of(Tally tally) const { return totals_.tallies[static_cast<size_t>(tally)]; }
  static std::string help_of(Tally tally) {
    std::string text = "Events counted as ";
    text += routing::text_of(tally);
    std::replace(text.begin(), text.end(), '_', ' ');
    return text + ".";
  }

  const Totals& totals_;
  const ControlMetrics& control_;
  std::vector<std::pair<int, std::string>> routes_;
  std::deque<MetricFamily> families_;  // references to its members hold
};

}  // namespace

std::vector<MetricFamily> make_families(const Totals& totals, const ControlMetrics& control) {
  Writer writer(totals, control);
  writer.requests();
  writer.in_flight();
  writer.times();
  writer.tallies();
  writer.colors();
  writer.control();
  std::vector<MetricFamily> families = writer.take();
  std::vector<std::string> colors;
  for (const ColorMetrics& color : control.colors) colors.push_back(color.name);
  add_agent_families(control.agent, colors, families);
  add_rollout_families(control.rollout, colors, families);
  add_scale_families(control.scale, families);
  return families;
}

}  // namespace control

#include "shifter/control/families.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/unit/control/plant.h"

namespace control {
namespace {

using base::MetricFamily;
using base::MetricSample;
using Labels = std::vector<std::pair<std::string, std::string>>;

ControlMetrics facts() {
  ControlMetrics facts;
  facts.colors.resize(2);
  facts.colors[0].name = "blue";
  facts.colors[0].weight = 90;
  facts.colors[0].up = true;
  facts.colors[1].name = "green";
  facts.colors[1].state = routing::ColorState::draining;
  facts.scale.colors.resize(2);
  facts.scale.colors[0].color = "blue";
  facts.scale.colors[1].color = "green";
  facts.routes = {"websocket", "web"};
  facts.program_version = "0.1.0";
  return facts;
}

routing::Totals nothing_yet() { return support::FakeDataPlane().now; }

const MetricFamily& family(const std::vector<MetricFamily>& all, const std::string& name) {
  for (const MetricFamily& one : all) {
    if (one.name == name) return one;
  }
  ADD_FAILURE() << "no family " << name;
  static const MetricFamily none;
  return none;
}

const MetricSample& sample(const MetricFamily& of, const Labels& labels) {
  for (const MetricSample& one : of.samples) {
    if (one.labels == labels) return one;
  }
  ADD_FAILURE() << "no such sample in " << of.name;
  static const MetricSample none;
  return none;
}

TEST(Families, AreAllThereFromTheFirstScrape) {
  const auto before = make_families(nothing_yet(), facts());
  routing::Totals busy = nothing_yet();
  for (auto& color : busy.colors) {
    color.in_flight.fill(3);
    for (auto& route : color.routes) route.requests.fill(5);
  }
  busy.tallies.fill(7);
  busy.errors.fill(9);
  const auto after = make_families(busy, facts());
  ASSERT_EQ(before.size(), after.size());
  for (size_t i = 0; i < before.size(); ++i) {
    EXPECT_EQ(before[i].name, after[i].name);
    ASSERT_EQ(before[i].samples.size(), after[i].samples.size()) << before[i].name;
    EXPECT_FALSE(before[i].samples.empty()) << before[i].name;
  }
}

TEST(Families, HaveTheNamesAndEdgesThatOthersRely) {
  const auto all = make_families(nothing_yet(), facts());
  const MetricFamily& latency = family(all, "odoo_request_latency_seconds");
  EXPECT_EQ(latency.type, MetricFamily::Type::histogram);
  EXPECT_EQ(std::count(latency.edges.begin(), latency.edges.end(), 0.6), 1);
  EXPECT_EQ(std::count(latency.edges.begin(), latency.edges.end(), 1.2), 1);
  sample(latency, {{"color", "blue"}, {"route", "web"}});
  sample(latency, {{"color", "none"}, {"route", "none"}});
  sample(family(all, "odoo_requests_total"),
         {{"color", "green"}, {"route", "websocket"}, {"code", "101"}});
  sample(family(all, "odoo_requests_total"),
         {{"color", "none"}, {"route", "web"}, {"code", "other"}});
  for (const char* name :
       {"sidecar_color_weight", "sidecar_color_up", "sidecar_color_state", "sidecar_queue_seconds",
        "sidecar_fallbacks_total", "sidecar_retries_total", "sidecar_errors_total",
        "sidecar_spool_memory_bytes", "sidecar_table_version", "sidecar_epoch",
        "sidecar_state_save_failures_total", "sidecar_affinity_moved_total",
        "sidecar_cookies_rejected_total"}) {
    family(all, name);
  }
}

// C34: 5 http, 7 websocket, 2 held, 1 mirrored.
TEST(Families, CountInFlightByColorAndKind) {
  routing::Totals totals = nothing_yet();
  using routing::Kind;
  totals.colors[0].in_flight[static_cast<size_t>(Kind::http)] = 5;
  totals.colors[0].in_flight[static_cast<size_t>(Kind::websocket)] = 7;
  totals.colors[1].in_flight[static_cast<size_t>(Kind::mirror)] = 1;
  totals.colors[2].in_flight[static_cast<size_t>(Kind::held)] = 2;
  const auto all = make_families(totals, facts());
  const MetricFamily& active = family(all, "odoo_active_requests");
  EXPECT_EQ(active.type, MetricFamily::Type::gauge);
  EXPECT_EQ(sample(active, {{"color", "blue"}, {"kind", "http"}}).value, 5);
  EXPECT_EQ(sample(active, {{"color", "blue"}, {"kind", "websocket"}}).value, 7);
  EXPECT_EQ(sample(active, {{"color", "green"}, {"kind", "mirror"}}).value, 1);
  EXPECT_EQ(sample(active, {{"color", "none"}, {"kind", "held"}}).value, 2);
  EXPECT_EQ(active.samples.size(), 2u * 5 + 3) << "each kind belongs to colors or to none";
}

TEST(Families, CumulateHistogramsAndSayTheSumInSeconds) {
  routing::Totals totals = nothing_yet();
  auto& latency = totals.colors[1].routes[1].latency;
  latency.counts[0] = 3;
  latency.counts[16] = 2;  // above the last edge
  latency.sum_us = 1'500'000;
  const auto all = make_families(totals, facts());
  const MetricSample& one =
      sample(family(all, "odoo_request_latency_seconds"), {{"color", "green"}, {"route", "web"}});
  ASSERT_EQ(one.buckets.size(), 17u);
  EXPECT_EQ(one.buckets.front(), 3u);
  EXPECT_EQ(one.buckets[15], 3u);
  EXPECT_EQ(one.buckets.back(), 5u);
  EXPECT_DOUBLE_EQ(one.sum, 1.5);
}

TEST(Families, ShowTheStateOfEachColorAsOneOfFour) {
  const auto all = make_families(nothing_yet(), facts());
  const MetricFamily& state = family(all, "sidecar_color_state");
  EXPECT_EQ(state.samples.size(), 8u);
  EXPECT_EQ(sample(state, {{"color", "green"}, {"state", "draining"}}).value, 1);
  EXPECT_EQ(sample(state, {{"color", "green"}, {"state", "ready"}}).value, 0);
  EXPECT_EQ(sample(state, {{"color", "blue"}, {"state", "ready"}}).value, 1);
}

TEST(Families, NameEachSeriesOnceAndHelpWithEach) {
  std::set<std::string> names;
  for (const MetricFamily& one : make_families(nothing_yet(), facts())) {
    EXPECT_TRUE(names.insert(one.name).second) << one.name;
    EXPECT_FALSE(one.help.empty()) << one.name;
    const bool is_total = one.name.ends_with("_total");
    EXPECT_EQ(is_total, one.type == MetricFamily::Type::counter) << one.name;
    std::set<Labels> labels;
    for (const MetricSample& each : one.samples) {
      EXPECT_TRUE(labels.insert(each.labels).second) << one.name;
    }
  }
}

TEST(Families, SurviveTotalsWithoutColors) {
  EXPECT_FALSE(make_families(routing::Totals{}, facts()).empty());
}

}  // namespace
}  // namespace control

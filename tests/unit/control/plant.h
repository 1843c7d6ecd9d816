// A control loop on a clock and a data plane of the test's own; its file is real.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <vector>

#include "shifter/control/control_loop.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_data_plane.h"
#include "tests/unit/control/fixtures.h"

namespace control {

using namespace std::chrono_literals;

struct Plant {
  TemporaryFolder folder;
  support::FakeClock clock;
  support::FakeDataPlane plane;
  std::unique_ptr<base::Log> log = *base::Log::open(folder.file("log"));
  Events events{*log};
  std::unique_ptr<ControlLoop> loop;

  explicit Plant(routing::RoutingConfig routing = two_colors(100, 0)) { start(routing); }

  void start(const routing::RoutingConfig& routing) {
    plane = support::FakeDataPlane();
    ControlConfig config;
    config.state.file = folder.file("state.json");
    loop = std::make_unique<ControlLoop>(clock, plane, events, config, routing,
                                         std::vector<base::Key>(1));
    auto started = loop->start();
    ASSERT_TRUE(started.has_value()) << started.error().detail;
    plane.apply();
  }
  void probe(size_t color, ProbeOutcome outcome, int times = 3) {
    for (const KnownAddress& known : std::vector(loop->addresses().of_color(color))) {
      for (int i = 0; i < times; ++i) loop->on_probe(known.id, outcome);
    }
  }
  void bring_up() {
    probe(0, ProbeOutcome::pass);
    probe(1, ProbeOutcome::pass);
    tick();
  }
  void tick(base::Millis time = 100ms) {
    clock.advance(time);
    loop->tick();
    plane.apply();
  }
  bool weights(int blue, int green) {
    auto next = set_weights(loop->fleet(),
                            {{"blue", std::to_string(blue)}, {"green", std::to_string(green)}});
    auto saved = loop->change(*next, false, {});
    plane.apply();
    return saved.has_value();
  }
  Fleet drained(size_t color, base::Millis deadline) {
    DrainAsk ask;
    ask.deadline = deadline;
    ask.last = true;
    return *ask_drain(loop->fleet(), color, ask, clock.now(), all_up(), true);
  }
  void forbid_writing(bool on) {
    // As root a mode stops nothing: the name that is written aside becomes a folder.
    const std::string aside = folder.file("state.json.new");
    on ? std::filesystem::create_directories(aside) : std::filesystem::remove(aside);
  }
};

}  // namespace control

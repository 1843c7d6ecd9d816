#include "shifter/control/state_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <sstream>

#include "tests/support/fake_clock.h"
#include "tests/unit/control/fixtures.h"

namespace control {
namespace {

using namespace std::chrono_literals;
using support::FakeClock;

TimeBase time_of(const FakeClock& clock, std::string boot = "boot-1") {
  return {clock.now(), clock.wall(), std::move(boot)};
}

SavedState sample(const FakeClock& clock) {
  SavedState state;
  state.fleet = initial_fleet(two_colors(90, 10));
  state.fleet.epoch = 41;
  state.fleet.colors[0].state = ColorState::draining;
  state.fleet.colors[0].drain = DrainFacts{clock.now() - 5min, clock.now() + 15min, 5min};
  state.fleet.colors[1].valid_from = 40;
  state.fleet.parked.push_back({"red", ColorState::maint, 0, 12, std::nullopt});
  state.fleet.hold = {true, 50, 3s};
  state.health.push_back({"blue", routing::Port::websocket, "127.0.0.1:8072", clock.wall()});
  for (size_t i = 0; i < state.draw_key.size(); ++i) {
    state.draw_key[i] = static_cast<uint8_t>(17 * i);
  }
  return state;
}

std::string read(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void write(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

TEST(StateFile, ReadsBackWhatItWrote) {
  FakeClock clock;
  const SavedState before = sample(clock);
  auto after = parse_state(write_state(before, time_of(clock)), time_of(clock));
  ASSERT_TRUE(after.has_value()) << after.error().detail;
  EXPECT_EQ(after->fleet.epoch, 41u);
  EXPECT_EQ(text_of(after->fleet), text_of(before.fleet));
  EXPECT_EQ(after->fleet.colors[1].valid_from, 40u);
  ASSERT_TRUE(after->fleet.colors[0].drain.has_value());
  EXPECT_EQ(after->fleet.colors[0].drain->deadline, clock.now() + 15min);
  EXPECT_EQ(after->fleet.colors[0].drain->quiet, 5min);
  ASSERT_EQ(after->fleet.parked.size(), 1u);
  EXPECT_EQ(after->fleet.parked[0].name, "red");
  EXPECT_EQ(after->fleet.hold.max, 50);
  EXPECT_EQ(after->fleet.hold.timeout, 3s);
  ASSERT_EQ(after->health.size(), 1u);
  EXPECT_EQ(after->health[0].address, "127.0.0.1:8072");
  EXPECT_EQ(after->health[0].port, routing::Port::websocket);
  EXPECT_EQ(after->health[0].seen, clock.wall());
  EXPECT_EQ(after->draw_key, before.draw_key);
}

TEST(StateFile, KeepsADeadlineThroughARestartAndAJumpOfTheWallClock) {
  FakeClock clock;
  const base::Instant deadline = clock.now() + 15min;
  const std::string text = write_state(sample(clock), time_of(clock));
  clock.advance(2min);
  clock.jump_wall(24h);
  auto after = parse_state(text, time_of(clock));
  ASSERT_TRUE(after.has_value());
  EXPECT_EQ(after->fleet.colors[0].drain->deadline, deadline);
}

TEST(StateFile, GoesByTheWallClockAfterAReboot) {
  FakeClock clock;
  const std::string text = write_state(sample(clock), time_of(clock));
  FakeClock rebooted;
  rebooted.set_wall(clock.wall() + 10min);
  auto after = parse_state(text, time_of(rebooted, "boot-2"));
  ASSERT_TRUE(after.has_value());
  EXPECT_EQ(after->fleet.colors[0].drain->deadline, rebooted.now() + 5min);
}

TEST(StateFile, NeverMakesADeadlineLongerThanItWasMeant) {
  FakeClock clock;
  const std::string text = write_state(sample(clock), time_of(clock));
  FakeClock rebooted;
  rebooted.set_wall(clock.wall() - 30 * 24h);  // the battery of its clock is empty
  auto after = parse_state(text, time_of(rebooted, "boot-2"));
  ASSERT_TRUE(after.has_value());
  EXPECT_LE(after->fleet.colors[0].drain->deadline, rebooted.now() + 20min);
}

TEST(StateFile, FindsEveryCutAndEveryBlockOfZeros) {
  FakeClock clock;
  const std::string text = write_state(sample(clock), time_of(clock));
  ASSERT_TRUE(parse_state(text, time_of(clock)).has_value());
  for (size_t size = 0; size + 2 < text.size(); ++size) {  // the last line feed may go
    EXPECT_FALSE(parse_state(text.substr(0, size), time_of(clock)).has_value()) << size;
  }
  for (size_t at = 0; at + 8 < text.size(); at += 8) {
    std::string torn = text;
    torn.replace(at, 8, std::string(8, '\0'));
    EXPECT_FALSE(parse_state(torn, time_of(clock)).has_value()) << at;
  }
}

TEST(StateFile, FindsAChangedDigit) {
  FakeClock clock;
  std::string text = write_state(sample(clock), time_of(clock));
  const size_t at = text.find("\"epoch\": 41");
  ASSERT_NE(at, std::string::npos);
  text.replace(at, 11, "\"epoch\": 42");
  EXPECT_FALSE(parse_state(text, time_of(clock)).has_value());
}

TEST(StateFile, ReadsANewerSchemaThatSaysItMayBeRead) {
  FakeClock clock;
  std::string text = write_state(sample(clock), time_of(clock));
  const size_t at = text.find("\"schema\": 1");
  ASSERT_NE(at, std::string::npos);
  text.replace(at, 11, "\"schema\": 2");
  EXPECT_TRUE(parse_state(text, time_of(clock)).has_value());
  const size_t reads = text.find("\"reads\": 1");
  ASSERT_NE(reads, std::string::npos);
  text.replace(reads, 10, "\"reads\": 2");
  EXPECT_FALSE(parse_state(text, time_of(clock)).has_value());
}

TEST(StateFile, SaysThatThereIsNothingAtTheFirstStart) {
  TemporaryFolder folder;
  FakeClock clock;
  auto loaded = StateFile(folder.file("state.json")).load(time_of(clock));
  ASSERT_TRUE(loaded.has_value());
  EXPECT_FALSE(loaded->found);
}

TEST(StateFile, KeepsOneOldVersionAndIsReadableByItsOwnerOnly) {
  TemporaryFolder folder;
  FakeClock clock;
  StateFile file(folder.file("state.json"));
  SavedState state = sample(clock);
  for (uint64_t epoch : {1, 2, 3}) {
    state.fleet.epoch = epoch;
    ASSERT_TRUE(file.save(state, time_of(clock)).has_value());
  }
  EXPECT_EQ(file.load(time_of(clock))->state.fleet.epoch, 3u);
  auto old = parse_state(read(file.path() + ".old"), time_of(clock));
  ASSERT_TRUE(old.has_value());
  EXPECT_EQ(old->fleet.epoch, 2u);
  struct stat found {};
  ASSERT_EQ(stat(file.path().c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0600u) << "the key of the draws is in it";
}

TEST(StateFile, FallsBackToTheOldVersionWhenTheFileIsTornOrGone) {
  for (const bool gone : {false, true}) {
    TemporaryFolder folder;
    FakeClock clock;
    StateFile file(folder.file("state.json"));
    SavedState state = sample(clock);
    state.fleet.epoch = 6;
    ASSERT_TRUE(file.save(state, time_of(clock)).has_value());
    state.fleet.epoch = 7;
    ASSERT_TRUE(file.save(state, time_of(clock)).has_value());
    if (gone) {
      ASSERT_EQ(remove(file.path().c_str()), 0);
    } else {
      write(file.path(), read(file.path()).substr(0, 100));
    }
    auto loaded = file.load(time_of(clock));
    ASSERT_TRUE(loaded.has_value());
    EXPECT_TRUE(loaded->found);
    EXPECT_EQ(loaded->state.fleet.epoch, 6u);
    EXPECT_NE(loaded->warning.find("state.json"), std::string::npos);
  }
}

TEST(StateFile, RefusesToGuessWhenNothingCanBeRead) {
  TemporaryFolder folder;
  FakeClock clock;
  write(folder.file("state.json"), "{}");
  write(folder.file("state.json.old"), "");
  EXPECT_FALSE(StateFile(folder.file("state.json")).load(time_of(clock)).has_value());
}

TEST(StateFile, ReportsAFolderThatIsNotThere) {
  TemporaryFolder folder;
  FakeClock clock;
  StateFile file(folder.file("missing/state.json"));
  EXPECT_FALSE(file.save(sample(clock), time_of(clock)).has_value());
}

}  // namespace
}  // namespace control

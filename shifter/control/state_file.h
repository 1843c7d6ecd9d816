// What must survive a restart, as one JSON file with a schema number. Written aside, synced and
// renamed; one old version is kept. A torn file falls back to the old version, never to defaults.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/clock.h"
#include "proxy/base/result.h"
#include "shifter/control/actions.h"
#include "shifter/control/autoscaler.h"
#include "shifter/control/fleet.h"
#include "shifter/control/health.h"
#include "shifter/control/rollout_state.h"

namespace control {

struct SavedState {
  Fleet fleet;
  std::vector<SavedHealth> health;
  std::array<uint8_t, 16> draw_key{};  // for draws by session key and address
  SavedActions actions;
  SavedRollout rollout;
  ScaleState scale;
};

// Deadlines are kept on both clocks: the monotonic one holds while the machine runs (a jump of the
// wall clock changes nothing), the wall clock after a reboot.
struct TimeBase {
  base::Instant now;
  base::WallTime wall;
  std::string boot_id;  // of this start of the machine
};
// Reads the boot's id from the system.
TimeBase time_base(const base::Clock& clock);

std::string write_state(const SavedState& state, const TimeBase& time);
base::Result<SavedState> parse_state(std::string_view text, const TimeBase& time);

class StateFile {
 public:
  explicit StateFile(std::string path) : path_(std::move(path)) {}
  const std::string& path() const { return path_; }

  base::Result<> save(const SavedState& state, const TimeBase& time);

  struct Loaded {
    bool found = false;  // false: a first start
    SavedState state;
    std::string warning;  // not empty: the file was unusable and the old version was taken
  };
  // An error: files are there and none can be read. Starting from defaults then would be a guess.
  base::Result<Loaded> load(const TimeBase& time) const;

 private:
  std::string path_;
};

}  // namespace control

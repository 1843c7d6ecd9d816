// How many workers? A pure function of what was counted, the policy, what the machine carries and
// the time. It starts nothing; whoever acts tells it with change_succeeded() or change_failed().
//
// Up: p95 above the threshold in every window of the policy's time, and somebody waits. A slow
// database makes requests slow as well, but nobody waits then, and more workers would only bring
// it more connections (the decision says not_queueing).
// Down: p95 below the lower threshold in every window, nobody waits, and by Little's law the
// requests in flight fit the workers that would remain. Without this check one threshold means
// other loads at other numbers of workers, and the number swings.
// No data, a restart, a rollout: nothing is decided before the whole time was seen (anew).
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/clock.h"
#include "shifter/control/scale_slice.h"
#include "shifter/policy/policy.h"

namespace control {

// One color that serves users.
struct ScaleColor {
  std::string name;
  std::optional<int> workers;                     // as the agent last saw them
  int slots = 0;                                  // of each address; 0: follow the workers
  const std::deque<ScaleSlice>* slices = nullptr;  // oldest first, each where the last ended
};

// The machine as the agent tells it.
struct ScaleMachine {
  std::optional<int> cpus;
  std::optional<int64_t> memory_free;
  std::optional<int64_t> connections;
  std::optional<int64_t> connections_max;
};

enum class ScaleMode : uint8_t { automatic, number, freeze };

// A change that was begun (ScaleHands).
struct ScaleUnderWay {
  uint64_t id = 0;
  policy::Apply apply = policy::Apply::redeploy;
  int from = 0;
  int to = 0;
};

// What is kept over restarts. Windows are not: they begin anew.
struct ScaleState {
  std::optional<base::Instant> changed;   // the end of the last change
  int failures = 0;                       // in a row
  std::optional<base::Instant> retry_at;  // after a failure
  bool frozen = false;                    // too many failures; `scale auto` ends it
  ScaleMode mode = ScaleMode::automatic;  // `scale`
  int number = 0;
  std::optional<base::Instant> until;  // of the mode
  std::string reason;                  // for the mode
  std::optional<ScaleUnderWay> under_way;
};

struct ScaleFacts {
  base::Instant now{};
  base::Instant watching_since{};  // nothing was counted before
  std::vector<ScaleColor> live;    // the colors that serve new users; in a rollout the stable one
  bool has_cold = false;           // a color stands by for a redeploy
  bool has_agent = false;
  bool rollout = false;  // a rollout or a hand on the fleet: not now
  bool acting = false;   // a change of ours is under way
  ScaleMachine machine;
  ScaleState state;
};

enum class ScaleKind : uint8_t { hold, up, down, refused, blind };
inline constexpr std::array kScaleKinds = {ScaleKind::hold, ScaleKind::up, ScaleKind::down,
                                           ScaleKind::refused, ScaleKind::blind};
std::string_view text_of(ScaleKind kind);

enum class ScaleWhy : uint8_t {
  steady,         // between the thresholds
  p95_high,       // up
  low,            // down
  asked,          // up or down: an operator's number
  collecting,     // the time is not over yet
  few_requests,   // slow, but too few to tell
  not_queueing,   // slow, and nobody waits: it is not the workers
  utilisation,    // fast, but the workers that would remain could not carry it
  waiting,        // fast, but somebody waits
  errors,         // fast because it fails
  down_threshold_unreachable,  // nearly idle, and still above the lower threshold
  at_max,
  at_min,
  cooldown,
  backing_off,
  acting,
  as_asked,       // an operator's number is there
  frozen_by_operator,
  frozen_failures,
  no_data,        // blind
  no_live_color,  // blind
  workers_unknown,
  rollout,        // refused, as the rest
  no_agent,
  no_cold_color,
  capacity,
};
inline constexpr size_t kScaleWhys = static_cast<size_t>(ScaleWhy::capacity) + 1;
std::string_view text_of(ScaleWhy why);

struct ScaleDecision {
  ScaleKind kind = ScaleKind::hold;
  ScaleWhy why = ScaleWhy::steady;
  size_t color = 0;  // of the facts' live ones
  int from = 0;
  int to = 0;
  std::string limits;  // of capacity: "cpu 9, ram"
  std::string text;    // one line with the numbers
};
// "up(4 to 6)", "hold(not_queueing)", "refused(cpu 9, ram)", "blind(no_data)".
std::string text_of(const ScaleDecision& decision);

ScaleDecision decide(const policy::Policy& policy, const ScaleFacts& facts);

// The last window of a color; nothing: it is not whole, or too old.
std::optional<ScaleSpan> last_window(const policy::Policy& policy, const ScaleColor& color,
                                     base::Instant now);
// What of the machine stands against that many workers: "cpu 9, ram"; empty: nothing.
std::string limits_of(const policy::Policy& policy, const ScaleMachine& machine,
                      const ScaleColor& color, int from, int to);
ScaleState change_succeeded(ScaleState state, base::Instant now);
ScaleState change_failed(ScaleState state, const policy::Retry& retry, base::Instant now);
// It was not begun (another was faster): waits the first time of the retries, counts no failure.
ScaleState change_refused(ScaleState state, const policy::Retry& retry, base::Instant now);
// `scale auto`, and what happens when the mode's time is over.
ScaleState set_automatic(ScaleState state);
// Drops a mode whose time is over.
ScaleState settle(ScaleState state, base::Instant now);

}  // namespace control

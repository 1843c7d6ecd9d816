// The recorded releases: what was put on which color, and which one is live. A rollback goes to a
// release by its number, never to "the other one". A value; saved with the fleet.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/base/clock.h"

namespace control {

enum class ReleaseState : uint8_t {
  rolling,  // on its way
  live,
  standing_by,  // was live; its color still runs
  stopped,      // was live; its color was stopped, or is to be
  rolled_back,
  failed,  // never served
};
std::string_view text_of(ReleaseState state);

struct Release {
  uint64_t number = 0;  // from 1, never used twice
  std::string color;
  std::string image;  // digest; empty: unknown
  std::string label;  // for people
  int workers = 0;    // 0: unknown
  ReleaseState state = ReleaseState::rolling;
  bool unjudged = false;   // found, or deployed without a control
  bool contract = false;   // older code cannot work with what it wrote
  base::WallTime since{};  // of the state
};

class Releases {
 public:
  static constexpr size_t kKept = 50;

  const std::deque<Release>& list() const { return list_; }  // oldest first
  const Release* find(uint64_t number) const;
  const Release* live() const { return find(live_); }
  // Where `rollback` goes; null: nowhere.
  const Release* way_back() const { return find(way_back_); }
  // The last release that was put on a color.
  const Release* on_color(std::string_view color) const;

  uint64_t add(Release release, base::WallTime now);
  // What serves without having been rolled out is recorded as it is found.
  void found(std::string_view color, base::WallTime now);
  // The deploy told what it really is.
  void learn(uint64_t number, std::string image, int workers);

  // A rollout of `number` ended well; the one before is standing by or stopped.
  void went_live(uint64_t number, bool is_rollback, bool old_stopped, base::WallTime now);
  // It ended badly; who was live stays so.
  void came_back(uint64_t number, bool served, base::WallTime now);

  struct Saved {
    std::deque<Release> list;
    uint64_t last = 0;
    uint64_t live = 0;
    uint64_t way_back = 0;
  };
  Saved saved() const { return {list_, last_, live_, way_back_}; }
  void restore(Saved saved);

 private:
  Release* get(uint64_t number);
  void set(uint64_t number, ReleaseState state, base::WallTime now);

  std::deque<Release> list_;
  uint64_t last_ = 0;
  uint64_t live_ = 0;
  uint64_t way_back_ = 0;
};

}  // namespace control

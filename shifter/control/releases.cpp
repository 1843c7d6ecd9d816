#include "shifter/control/releases.h"

#include <algorithm>
#include <utility>

namespace control {

std::string_view text_of(ReleaseState state) {
  switch (state) {
    case ReleaseState::rolling:
      return "rolling";
    case ReleaseState::live:
      return "live";
    case ReleaseState::standing_by:
      return "standing_by";
    case ReleaseState::stopped:
      return "stopped";
    case ReleaseState::rolled_back:
      return "rolled_back";
    case ReleaseState::failed:
      return "failed";
  }
  return "failed";
}

const Release* Releases::find(uint64_t number) const {
  return const_cast<Releases*>(this)->get(number);
}

Release* Releases::get(uint64_t number) {
  auto at = std::find_if(list_.begin(), list_.end(),
                         [&](const Release& one) { return one.number == number; });
  return at == list_.end() ? nullptr : &*at;
}

const Release* Releases::on_color(std::string_view color) const {
  auto at = std::find_if(list_.rbegin(), list_.rend(), [&](const Release& one) {
    return one.color == color && one.state != ReleaseState::failed;
  });
  return at == list_.rend() ? nullptr : &*at;
}

uint64_t Releases::add(Release release, base::WallTime now) {
  release.number = ++last_;
  release.since = now;
  list_.push_back(std::move(release));
  // The oldest goes, but never what is live or the way back.
  for (auto at = list_.begin(); list_.size() > kKept && at != list_.end();) {
    const bool is_needed = at->number == live_ || at->number == way_back_;
    at = is_needed ? std::next(at) : list_.erase(at);
  }
  return last_;
}

void Releases::found(std::string_view color, base::WallTime now) {
  Release release;
  release.color = color;
  release.state = ReleaseState::live;
  release.unjudged = true;
  live_ = add(std::move(release), now);
}

void Releases::learn(uint64_t number, std::string image, int workers) {
  Release* release = get(number);
  if (release == nullptr) return;
  if (!image.empty()) release->image = std::move(image);
  if (workers > 0) release->workers = workers;
}

void Releases::set(uint64_t number, ReleaseState state, base::WallTime now) {
  Release* release = get(number);
  if (release == nullptr) return;
  release->state = state;
  release->since = now;
}

void Releases::went_live(uint64_t number, bool is_rollback, bool old_stopped, base::WallTime now) {
  if (live_ != number) {
    const ReleaseState stood = old_stopped ? ReleaseState::stopped : ReleaseState::standing_by;
    set(live_, is_rollback ? ReleaseState::rolled_back : stood, now);
  }
  way_back_ = is_rollback ? number : live_;
  live_ = number;
  set(number, ReleaseState::live, now);
}

void Releases::came_back(uint64_t number, bool served, base::WallTime now) {
  if (number != live_) {
    set(number, served ? ReleaseState::rolled_back : ReleaseState::failed, now);
  }
  if (served) way_back_ = live_;
}

void Releases::restore(Saved saved) {
  list_ = std::move(saved.list);
  last_ = saved.last;
  live_ = saved.live;
  way_back_ = saved.way_back;
}

}  // namespace control

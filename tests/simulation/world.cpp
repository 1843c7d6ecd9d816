#include "tests/simulation/world.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "proxy/base/check.h"
#include "tests/simulation/network.h"

namespace simulation {
namespace {

constexpr uint64_t kTurnsMax = 3'000'000;  // a run that goes round in circles

double seconds_of(Instant at) {
  return std::chrono::duration<double>(at.time_since_epoch() - std::chrono::hours(100)).count();
}

}  // namespace

World::World(uint64_t own_seed, bool traced) : random(own_seed), seed(own_seed), traced_(traced) {}

base::WallTime World::wall() const {
  const auto passed = now_.time_since_epoch() - std::chrono::hours(100);
  return wall_start_ + std::chrono::floor<Millis>(passed);
}

void World::fail(const char* format, ...) {
  std::fflush(stdout);
  std::fprintf(stderr, "seed %llu, at %.6f s: ", static_cast<unsigned long long>(seed),
               seconds_of(now_));
  va_list arguments;
  va_start(arguments, format);
  std::vfprintf(stderr, format, arguments);
  va_end(arguments);
  std::fprintf(stderr, "\nto see it happen: simulate --seed %llu\n",
               static_cast<unsigned long long>(seed));
  std::fflush(stderr);
  std::_Exit(1);
}

void World::trace(const char* format, ...) {
  if (!traced_) return;
  std::printf("%11.6f ", seconds_of(now_));
  va_list arguments;
  va_start(arguments, format);
  std::vprintf(format, arguments);
  va_end(arguments);
  std::printf("\n");
}

Host* World::host_at(const base::Address& at) const {
  const auto found = hosts_.find(at);
  return found == hosts_.end() ? nullptr : found->second;
}

void World::add_listener(const base::Address& at, SimListener* listener) {
  listeners_.emplace_back(at, listener);
}

void World::remove_listener(SimListener* listener) {
  std::erase_if(listeners_, [&](const auto& one) { return one.second == listener; });
}

SimListener* World::any_listener(const base::Address& at) {
  std::vector<SimListener*> here;
  for (const auto& [address, listener] : listeners_) {
    if (address == at) here.push_back(listener);
  }
  return here.empty() ? nullptr : random.pick(here);
}

bool World::step(Instant until) {
  SimLoop* next = nullptr;
  Instant due = Instant::max();
  size_t equals = 0;
  for (SimLoop* loop : loops_) {
    const Instant at = std::max(loop->next_due(), now_);
    if (at > until || at > due) continue;
    equals = at < due ? 1 : equals + 1;
    if (at < due || random.below(equals) == 0) next = loop;
    due = at;
  }
  if (next == nullptr) {
    now_ = std::max(now_, until);
    return false;
  }
  now_ = due;
  next->run_turn();
  if (++turns > kTurnsMax)
    fail("goes round in circles: %llu turns", static_cast<unsigned long long>(turns));
  return true;
}

// --- actors ----------------------------------------------------------------------------------

Actor::Actor(SimLoop& own_loop) : loop(own_loop), id_(own_loop.next_id_++) {
  loop.actors_[id_] = this;
}
Actor::~Actor() { loop.actors_.erase(id_); }

void Actor::wake(Instant at) {
  if (at >= wake_at_) return;
  wake_at_ = at;
  loop.wakes_.push({at, loop.world.random.next(), id_});
}

// --- loops -----------------------------------------------------------------------------------

SimLoop::SimLoop(World& own_world, const char* own_name, bool is_outside)
    : world(own_world),
      name(own_name),
      outside(is_outside),
      wheel_(own_world.now()),
      now_(own_world.now()) {
  world.loops_.push_back(this);
}

SimLoop::~SimLoop() {
  drop_work();
  std::erase(world.loops_, this);
}

void SimLoop::drop_work() {
  posted_.clear();
  later_.clear();
  while (!disposed_.empty()) {
    const auto gone = std::move(disposed_);
    disposed_.clear();
  }
}

base::TimerWheel& SimLoop::timers() {
  if (!in_turn_) wheel_.set_now(world.now());
  return wheel_;
}

std::unique_ptr<base::Connecting> SimLoop::connect(const base::Address& to,
                                                   base::ConnectHandler& handler) {
  return std::make_unique<SimConnecting>(*this, to, handler);
}

base::Result<std::unique_ptr<base::Listener>> SimLoop::listen(const base::Address& at, bool,
                                                              base::AcceptHandler& handler) {
  return std::make_unique<SimListener>(*this, at, handler);
}

void SimLoop::dispose(std::unique_ptr<base::Disposable> object) {
  disposed_.push_back(std::move(object));
}

void SimLoop::post(std::function<void()> work) {
  // In order, however late.
  Instant due = world.now() + world.some(world.mood.post_max);
  if (!posted_.empty()) due = std::max(due, posted_.back().due);
  posted_.push_back({due, std::move(work)});
}

void SimLoop::at(Instant when, std::function<void()> work) {
  later_.emplace(when, std::move(work));
}

Instant SimLoop::next_due() {
  while (!wakes_.empty()) {
    const auto found = actors_.find(wakes_.top().id);
    if (found != actors_.end() && found->second->wake_at_ == wakes_.top().at) break;
    wakes_.pop();  // its actor is gone, or was woken earlier
  }
  Instant due = wakes_.empty() ? Instant::max() : wakes_.top().at;
  const Millis wheel = wheel_.until_next();
  if (wheel != Millis::max()) due = std::min(due, wheel_.now() + wheel);
  if (!posted_.empty()) due = std::min(due, posted_.front().due);
  if (!later_.empty()) due = std::min(due, later_.begin()->first);
  if (due == Instant::max()) return due;
  return std::max(due, asleep_until_);
}

void SimLoop::run_turn() {
  in_turn_ = true;
  now_ = world.now();
  wheel_.set_now(now_);
  std::vector<uint64_t> ready;
  while (!wakes_.empty() && wakes_.top().at <= now_) {
    const Wake top = wakes_.top();
    wakes_.pop();
    const auto found = actors_.find(top.id);
    if (found == actors_.end() || found->second->wake_at_ != top.at) continue;
    found->second->wake_at_ = Actor::kNever;
    ready.push_back(top.id);
  }
  world.random.shuffle(ready);
  const bool timers_first = world.random.percent(80);
  if (timers_first) wheel_.advance(now_);
  const size_t mail_at = world.random.below(ready.size() + 1);
  for (size_t i = 0; i <= ready.size(); ++i) {
    if (i == mail_at) run_posts();
    if (i == ready.size()) break;
    const auto found = actors_.find(ready[i]);
    if (found != actors_.end()) found->second->act();
  }
  if (!timers_first) wheel_.advance(now_);
  while (!later_.empty() && later_.begin()->first <= now_) {
    const auto work = std::move(later_.begin()->second);
    later_.erase(later_.begin());
    work();
  }
  finish_turn();
  in_turn_ = false;
  if (!outside && world.random.below(1000) < static_cast<uint64_t>(world.mood.stall_permille)) {
    asleep_until_ = now_ + world.some(world.mood.stall_max);
  }
}

void SimLoop::run_posts() {
  while (!posted_.empty() && posted_.front().due <= now_) {
    const auto work = std::move(posted_.front().work);
    posted_.pop_front();
    work();
  }
}

void SimLoop::finish_turn() {
  while (!late_.empty() || !disposed_.empty()) {
    const auto late = std::exchange(late_, {});
    for (const uint64_t id : late) {
      const auto found = actors_.find(id);
      if (found != actors_.end()) found->second->act_late();
    }
    const auto gone = std::move(disposed_);
    disposed_.clear();
  }
}

}  // namespace simulation

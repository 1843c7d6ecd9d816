// Time and its order: loops that share one virtual clock, run one turn at a time, whoever is due
// first. Between two loops of the same moment, and between the events of one turn, chance decides.
#pragma once

#include <cstdarg>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <string>
#include <unordered_map>
#include <vector>

#include "proxy/base/loop.h"
#include "proxy/base/mailbox.h"
#include "tests/simulation/random.h"

namespace simulation {

using base::Instant;
using base::Millis;
using std::chrono::nanoseconds;

class SimLoop;
class SimListener;
class Host;

// How this run's network behaves; chosen once from the seed.
struct NetworkMood {
  size_t read_max = 64 << 10;   // the most that one read brings
  size_t write_max = SIZE_MAX;  // the most that one write takes
  size_t capacity = 64 << 10;   // bytes under way or unread, each direction
  nanoseconds latency_max{1'000'000};
  int gap_percent = 10;  // how often a read is followed by a pause
  nanoseconds gap_max{3'000'000};
  int stall_permille = 0;  // how often a loop sleeps over its turn
  nanoseconds stall_max{200'000'000};
  nanoseconds post_max{2'000'000};  // how late a mailbox delivers
};

class World {
 public:
  World(uint64_t seed, bool traced);
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  // Runs the next turn of some loop; false: nothing is due before `until`, and it is `until` now.
  bool step(Instant until);
  Instant now() const { return now_; }
  base::WallTime wall() const;
  void jump_wall(Millis by) { wall_start_ += by; }

  // Ends the run: the seed, and what was broken.
  [[noreturn]] void fail(const char* format, ...) __attribute__((format(printf, 2, 3)));
  void trace(const char* format, ...) __attribute__((format(printf, 2, 3)));
  bool traced() const { return traced_; }

  // Where connects go; nobody there: refused.
  void add_host(const base::Address& at, Host* host) { hosts_[at] = host; }
  Host* host_at(const base::Address& at) const;
  void add_listener(const base::Address& at, SimListener* listener);
  void remove_listener(SimListener* listener);
  SimListener* any_listener(const base::Address& at);

  nanoseconds some(nanoseconds most) { return nanoseconds(random.between(0, most.count())); }

  Random random;
  const uint64_t seed;
  NetworkMood mood;
  uint64_t turns = 0;
  uint64_t user_events = 0;  // whatever users send or get
  bool lame_duck = false;    // the health page may say no
  bool cut_ordered = false;  // somebody asked for work to be cut

 private:
  friend class SimLoop;
  Instant now_{std::chrono::hours(100)};
  base::WallTime wall_start_{Millis(1'782'820'800'000)};  // 2026-06-30T12:00:00Z
  const bool traced_;
  std::vector<SimLoop*> loops_;
  std::map<base::Address, Host*> hosts_;
  std::vector<std::pair<base::Address, SimListener*>> listeners_;
};

// Something of a loop that may have an event at some moment.
class Actor {
 public:
  explicit Actor(SimLoop& loop);
  virtual ~Actor();
  Actor(const Actor&) = delete;
  Actor& operator=(const Actor&) = delete;

  virtual void act() = 0;     // may destroy this object
  virtual void act_late() {}  // at the end of a turn, if it asked for that
  void wake(Instant at);      // the earliest wish counts

  SimLoop& loop;

 private:
  friend class SimLoop;
  static constexpr Instant kNever = Instant::max();
  const uint64_t id_;
  Instant wake_at_ = kNever;
};

class SimLoop final : public base::Loop, public base::Mailbox {
 public:
  // `outside`: of clients and backends; never stalls.
  SimLoop(World& world, const char* name, bool outside);
  ~SimLoop() override;

  // Loop
  Instant now() const override { return in_turn_ ? now_ : world.now(); }
  base::WallTime wall() const override { return world.wall(); }
  Instant fresh() const override { return world.now(); }
  base::TimerWheel& timers() override;
  std::unique_ptr<base::Connecting> connect(const base::Address& to,
                                            base::ConnectHandler& handler) override;
  base::Result<std::unique_ptr<base::Listener>> listen(const base::Address& at, bool reuse_port,
                                                       base::AcceptHandler& handler) override;
  void dispose(std::unique_ptr<base::Disposable> object) override;

  // Mailbox
  void post(std::function<void()> work) override;
  bool has_mail() const { return !posted_.empty(); }

  // Something later, once.
  void at(Instant when, std::function<void()> work);
  void after(nanoseconds wait, std::function<void()> work) {
    at(world.now() + wait, std::move(work));
  }
  // Said at the end of this turn: a stream whose write failed.
  void late(const Actor& actor) { late_.push_back(actor.id_); }
  bool in_turn() const { return in_turn_; }
  // Ends what waits; before what it belongs to goes.
  void drop_work();

  World& world;
  const char* const name;
  const bool outside;

 private:
  friend class Actor;
  friend class World;
  struct Wake {
    Instant at;
    uint64_t order;
    uint64_t id;
    bool operator>(const Wake& other) const {
      return at != other.at ? at > other.at : order > other.order;
    }
  };
  struct Post {
    Instant due;
    std::function<void()> work;
  };
  Instant next_due();
  void run_turn();
  void run_posts();
  void finish_turn();

  base::TimerWheel wheel_;
  Instant now_;
  bool in_turn_ = false;
  Instant asleep_until_{};
  uint64_t next_id_ = 1;
  std::unordered_map<uint64_t, Actor*> actors_;
  std::priority_queue<Wake, std::vector<Wake>, std::greater<>> wakes_;
  std::deque<Post> posted_;
  std::multimap<Instant, std::function<void()>> later_;
  std::vector<uint64_t> late_;
  std::vector<std::unique_ptr<base::Disposable>> disposed_;
};

}  // namespace simulation

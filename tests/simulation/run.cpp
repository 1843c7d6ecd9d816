#include "tests/simulation/run.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "proxy/relay/plane.h"
#include "proxy/relay/relay_core.h"
#include "proxy/relay/worker.h"
#include "tests/simulation/checks.h"
#include "tests/simulation/operator.h"
#include "tests/simulation/overseer.h"
#include "tests/simulation/slot_model.h"
#include "tests/simulation/stand_ins.h"
#include "tests/simulation/user.h"

namespace simulation {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Longer than any chain of deadlines of a run.
constexpr seconds kForEver{400};

const base::Address kProxy = *base::parse_address("10.0.9.9:80");

relay::RelayConfig config_for(World& world, const Scenario& scenario) {
  Random& random = world.random;
  relay::RelayConfig config;
  config.trusted_proxies = {*base::parse_cidr("127.0.0.0/8")};
  config.proxy_protocol = scenario.proxied;
  config.spool.dir = "/dev/shm";
  config.spool.memory_bytes_max = 8 << 20;
  config.spool.memory_bytes_each = 256 << 10;
  config.spool.disk_bytes_max = 64 << 20;
  config.spool.disk_free_min = 0;
  config.queue_timeout = seconds(300);
  config.timeouts.head = seconds(60);
  config.timeouts.keep_alive = seconds(30);
  config.timeouts.backend_idle = Millis(random.between(200, 4'000));
  config.timeouts.linger = Millis(random.between(500, 5'000));
  config.timeouts.tunnel_idle = seconds(random.between(10, 40));
  config.body_rate_min = 0;
  config.retry_safe_methods = scenario.retry_safe;
  config.limits.body_bytes = 1 << 20;
  if (scenario.spools_to_disk) config.spool.memory_bytes_each = 16 << 10;
  const bool fits = !scenario.gentle || scenario.body_large <= 60'000;  // held back for HTTP/1.0
  if (random.percent(10) && fits) config.answer_spool_max = 64 << 10;
  if (random.percent(30)) config.pipelined_bytes = random.size_between(500, 4'000);
  if (scenario.gentle) return config;
  config.timeouts.first_byte = Millis(random.between(1'000, 10'000));
  config.timeouts.head = Millis(random.between(1'000, 10'000));
  config.timeouts.body_idle = Millis(random.between(1'000, 10'000));
  config.timeouts.body_grace = seconds(5);
  config.body_rate_min = 20;
  config.timeouts.keep_alive = Millis(random.between(1'000, 10'000));
  config.timeouts.connect = Millis(random.between(200, 3'000));
  config.timeouts.answer_idle = Millis(random.between(1'000, 10'000));
  config.timeouts.send_idle = Millis(random.between(1'000, 10'000));
  config.queue_timeout = Millis(random.between(500, 20'000));
  config.queue_length = static_cast<int>(random.between(4, 64));
  if (random.percent(20)) config.keep_alive_requests = static_cast<int>(random.between(1, 4));
  if (scenario.tight) {
    config.queue_length = static_cast<int>(random.between(1, 4));
    config.spool.memory_bytes_max = 64 << 10;
    config.spool.memory_bytes_each = 16 << 10;
    config.spool.disk_bytes_max = random.percent(50) ? 0 : 1 << 20;
    config.limits.body_bytes = random.size_between(1'000, 60'000);
  }
  return config;
}

// Everything that one seed is made of, in the order in which it may go.
class Run {
 public:
  Run(uint64_t seed, bool traced);
  ~Run();
  void run(RunTotals& totals);

 private:
  void make_backends();
  void make_proxy();
  void make_users();
  void step_until(Instant until);
  bool users_done() const;
  void wait_for_users();
  void leave();
  void end();
  void jump();

  World world_;
  const Scenario scenario_;
  SimLoop outside_;
  SimLoop main_;
  std::vector<std::unique_ptr<SimLoop>> loops_;
  Ledger ledger_;
  Backends backends_;
  std::shared_ptr<base::Mailbox> main_mail_;
  std::unique_ptr<relay::Plane> plane_;
  std::unique_ptr<Overseer> overseer_;
  std::unique_ptr<Operator> operator_;
  std::vector<std::unique_ptr<User>> users_;
  std::unique_ptr<Checks> checks_;
  bool left_ = false;
  bool leaving_ = false;
};

Run::Run(uint64_t seed, bool traced)
    : world_(seed, traced),
      scenario_(world_),
      outside_(world_, "outside", true),
      main_(world_, "main", false) {
  scenario_.tell(world_);
  make_backends();
  make_proxy();
  make_users();
}

void Run::make_backends() {
  for (int color = 0; color < 2; ++color) {
    for (int i = 0; i < scenario_.http_backends + scenario_.websocket_backends; ++i) {
      const bool http = i < scenario_.http_backends;
      const int number = http ? i : i - scenario_.http_backends;
      const std::string at = "10.0." + std::to_string(color) + "." + std::to_string(number + 1) +
                             (http ? ":8069" : ":8072");
      backends_.push_back(std::make_unique<Backend>(world_, outside_, ledger_, scenario_, color,
                                                    http, *base::parse_address(at)));
    }
  }
}

void Run::make_proxy() {
  main_mail_ = std::shared_ptr<base::Mailbox>(&main_, [](base::Mailbox*) {});
  plane_ = std::make_unique<relay::Plane>(config_for(world_, scenario_), main_mail_,
                                          "sidecar-simulated", nullptr);
  for (int i = 0; i < scenario_.workers; ++i) {
    loops_.push_back(std::make_unique<SimLoop>(world_, "worker", false));
    plane_->add_worker(*loops_.back(), *loops_.back());
  }
  overseer_ = std::make_unique<Overseer>(world_, *plane_, backends_);
  Random& random = world_.random;
  const bool gentle = scenario_.gentle;
  const Surroundings around{world_,
                            main_,
                            scenario_,
                            *overseer_,
                            backends_,
                            gentle ? Millis(120'000) : Millis(random.between(2'000, 15'000)),
                            gentle ? Millis(60'000) : Millis(random.between(500, 10'000)),
                            gentle ? 1'000 : static_cast<int>(random.between(0, 50))};
  operator_ = scenario_.with_control ? make_control_operator(around) : make_table_operator(around);
  checks_ =
      std::make_unique<Checks>(world_, *plane_, *overseer_, backends_, ledger_, loops_, *operator_);
  ledger_.on_attempt = [this](const Request& request, const Attempt& attempt) {
    checks_->on_attempt(request, attempt, scenario_);
  };
  operator_->start();
  // Nobody listens before every worker has its first table.
  while (plane_->applied_version() == 0) world_.step(world_.now() + seconds(1));
  for (int i = 0; i < scenario_.workers; ++i) {
    if (!plane_->worker(static_cast<size_t>(i)).listen(kProxy)) world_.fail("no listener");
  }
}

void Run::make_users() {
  for (int i = 0; i < scenario_.users; ++i) {
    users_.push_back(std::make_unique<User>(world_, outside_, ledger_, scenario_, kProxy, i));
  }
}

void Run::step_until(Instant until) {
  while (world_.step(until)) checks_->after_turn();
}

bool Run::users_done() const {
  return std::all_of(users_.begin(), users_.end(),
                     [](const auto& user) { return user->is_done(); });
}

void Run::jump() {
  if (!scenario_.clock_jumps) return;
  world_.jump_wall(Millis(world_.random.between(-200'000'000, 200'000'000)));
  outside_.after(world_.some(seconds(10)), [this] { jump(); });
}

void Run::leave() {
  if (leaving_) return;
  leaving_ = true;
  operator_->stop();
  const auto go = [this] {
    world_.trace("the proxy leaves");
    plane_->leave([this] {
      world_.trace("the proxy is empty");
      left_ = true;
    });
  };
  if (world_.random.percent(50)) return go();
  world_.lame_duck = true;
  plane_->begin_lame_duck();
  main_.after(world_.some(seconds(3)), go);
}

void Run::wait_for_users() {
  Instant moved = world_.now();
  uint64_t seen = 0;
  while (!users_done()) {
    world_.step(world_.now() + seconds(1));
    checks_->after_turn();
    if (world_.user_events != seen) moved = world_.now();
    seen = world_.user_events;
    if (world_.now() - moved < kForEver) continue;
    for (const auto& user : users_) {
      if (user->is_waiting()) world_.fail("a user waits for an answer for ever");
    }
    return;  // the rest stalls, or keeps something open, of its own will
  }
}

void Run::run(RunTotals& totals) {
  const bool slow_start = scenario_.with_control;
  if (slow_start) step_until(world_.now() + seconds(scenario_.gentle ? 8 : 1));
  for (auto& user : users_) user->start();
  jump();
  if (scenario_.leaves_early) {
    main_.after(world_.some(scenario_.active + milliseconds(2'000)), [this] { leave(); });
  }
  wait_for_users();
  operator_->stop();
  end();
  checks_->at_end(scenario_);
  checks_->add_to(totals);
}

void Run::end() {
  // Clients that only wait go; their work is cut off, but nothing else is.
  for (auto& user : users_) user->give_up();
  step_until(world_.now() + seconds(1));
  for (auto& user : users_) user->close_all();
  leave();
  const Instant begun = world_.now();
  while (!left_ && world_.now() - begun < kForEver) {
    world_.step(world_.now() + seconds(1));
    checks_->after_turn();
  }
  if (!left_) checks_->tell_what_is_left();
  for (auto& backend : backends_) backend->close_all();
  step_until(world_.now() + seconds(2));
}

Run::~Run() {
  for (auto& loop : loops_) loop->drop_work();
  main_.drop_work();
  outside_.drop_work();
  checks_.reset();
  operator_.reset();
  users_.clear();
  plane_.reset();
  backends_.clear();
  for (auto& loop : loops_) loop->drop_work();
}

}  // namespace

void run_seed(uint64_t seed, bool traced, RunTotals& totals) {
  begin_stand_ins(seed);
  check_slots(seed);
  Run run(seed, traced);
  run.run(totals);
}

}  // namespace simulation

#include "tests/simulation/backend.h"

#include <algorithm>

#include "tests/simulation/backend_talk.h"

namespace simulation {

Backend::Backend(World& world, SimLoop& outside, Ledger& ledger, const Scenario& scenario,
                 int color, bool http_port, const base::Address& at)
    : world_(world),
      outside_(outside),
      ledger_(ledger),
      scenario_(scenario),
      color_(color),
      http_port_(http_port),
      at_(at) {
  world.add_host(at, this);
}

Backend::~Backend() = default;

Host::Answer Backend::answer_connect(SimLoop& from) {
  if (connects == Answer::accept && scenario_.connect_faults && from.name[0] == 'w' &&
      world_.random.percent(5)) {
    return world_.random.percent(70) ? Answer::refuse : Answer::hang;
  }
  return connects;
}

void Backend::check_allowed(const char* what) {
  if (forbidden == nullptr) return;
  world_.fail("%s to %s of color %d, %s", what, at_.text().c_str(), color_, forbidden);
}

void Backend::on_dialed(SimLoop& from) {
  if (from.name[0] != 'w') return;
  ++open_;
  world_.trace("  dial %d:%d (%d open)", color_, at_.port, open_);
  check_allowed("a connect");
  if (!reused && http_port_ && slots_most > 0 && open_ > slots_most) {
    world_.fail("%d connections to an address with %d slots", open_, slots_most);
  }
}

void Backend::on_hung_up(SimLoop& from) {
  if (from.name[0] != 'w') return;
  --open_;
  world_.trace("  hung up %d:%d (%d open)", color_, at_.port, open_);
}

void Backend::on_written(SimLoop& from, uint64_t connection, uint64_t bytes_read_before) {
  if (from.name[0] != 'w') return;
  const auto found = by_connection_.find(connection);
  if (found == by_connection_.end() || !found->second->begins_anew(bytes_read_before)) return;
  check_allowed("a request on a kept connection");
}

void Backend::accept(std::unique_ptr<SimStream> stream, SimLoop& from) {
  const uint64_t id = stream->id();
  talks_.push_back(std::make_unique<BackendTalk>(*this, std::move(stream), from.name[0] == 'w'));
  by_connection_[id] = talks_.back().get();
}

void Backend::check_released() const {
  if (reused || !http_port_) return;
  for (const auto& talk : talks_) {
    if (talk->is_held()) {
      world_.fail("an answer that was read whole still holds its connection");
    }
  }
}

void Backend::check_kept(int64_t most) const {
  for (const auto& talk : talks_) {
    if (talk->kept_by_proxy() > most) {
      world_.fail("the proxy keeps %lld bytes of an answer",
                  static_cast<long long>(talk->kept_by_proxy()));
    }
  }
}

void Backend::close_all() {
  for (auto& talk : talks_) talk->close();
}

}  // namespace simulation

#include "proxy/relay/backend_gates.h"

#include <algorithm>

#include "proxy/relay/worker.h"

namespace relay {
namespace {

constexpr base::Millis kRefusalSilence{10'000};

const routing::Backend* find_backend(const std::vector<routing::Backend>& list,
                                     routing::BackendId id) {
  const auto at = std::find_if(list.begin(), list.end(),
                               [id](const routing::Backend& one) { return one.id == id; });
  return at == list.end() ? nullptr : &*at;
}

// Whom it trusts is still what the table says.
bool is_trusted_alike(const routing::ColorEntry& color, const BackendConnection& connection) {
  const routing::Backend* backend = find_backend(color.http, connection.backend());
  if (backend == nullptr) backend = find_backend(color.websocket, connection.backend());
  return backend != nullptr && backend->tls.get() == connection.tls();
}

}  // namespace

BackendGates::BackendGates(Worker& worker)
    : worker_(worker),
      stale_(worker.loop().timers(), this, base::fires<&BackendGates::close_stale>) {}

BackendGates::~BackendGates() = default;

std::unique_ptr<BackendConnection> BackendGates::take(routing::ColorIndex color,
                                                      const routing::Backend& backend,
                                                      bool may_reuse) {
  std::vector<Kept>& kept = idle_[backend.id];
  if (may_reuse && !kept.empty()) {
    // The one used last is the least likely to be closed from the other side.
    std::unique_ptr<BackendConnection> connection = std::move(kept.back().connection);
    kept.pop_back();
    worker_.counters().backends[backend.id].idle.add(-1);
    worker_.counters().tally(routing::Tally::connects_reused);
    return connection;
  }
  worker_.counters().tally(routing::Tally::connects);
  return std::make_unique<BackendConnection>(worker_, color, backend);
}

void BackendGates::give(std::unique_ptr<BackendConnection> connection, bool reusable) {
  const routing::RoutingTable& table = worker_.table();
  const routing::ColorEntry& color = table.colors[connection->color()];
  std::vector<Kept>& kept = idle_[connection->backend()];
  const bool keep = reusable && color.reuse && color.keeps_holders() && !worker_.is_leaving() &&
                    is_trusted_alike(color, *connection) &&
                    kept.size() < static_cast<size_t>(worker_.core().config.reuse_idle_max);
  if (!keep) {
    connection->close();  // at once: its slot is about to be another's
    worker_.loop().dispose(std::move(connection));
    return;
  }
  worker_.counters().backends[connection->backend()].idle.add(1);
  kept.push_back({std::move(connection), worker_.loop().now()});
  if (!stale_.is_running()) stale_.start(worker_.core().config.timeouts.backend_idle);
}

void BackendGates::close(routing::BackendId backend, size_t at) {
  std::vector<Kept>& kept = idle_[backend];
  worker_.loop().dispose(std::move(kept[at].connection));
  kept.erase(kept.begin() + static_cast<std::ptrdiff_t>(at));
  worker_.counters().backends[backend].idle.add(-1);
}

void BackendGates::forget(BackendConnection& connection) {
  std::vector<Kept>& kept = idle_[connection.backend()];
  for (size_t i = 0; i < kept.size(); ++i) {
    if (kept[i].connection.get() == &connection) {
      close(connection.backend(), i);
      return;
    }
  }
}

void BackendGates::close_idle(routing::ColorIndex color) {
  for (size_t id = 0; id < idle_.size(); ++id) {
    for (size_t i = idle_[id].size(); i-- > 0;) {
      if (idle_[id][i].connection->color() == color) close(static_cast<routing::BackendId>(id), i);
    }
  }
}

void BackendGates::reconcile(const routing::RoutingTable& table) {
  for (size_t id = 0; id < idle_.size(); ++id) {
    if (idle_[id].empty() && sessions_[id] == nullptr) continue;
    const routing::Backend* listed = nullptr;  // wherever it is
    const routing::Backend* keeper = nullptr;  // where its connections may be kept
    for (const routing::ColorEntry& color : table.colors) {
      const auto number = static_cast<routing::BackendId>(id);
      const routing::Backend* http = find_backend(color.http, number);
      if (http != nullptr && http->usable && color.reuse && color.keeps_holders()) keeper = http;
      if (listed == nullptr) listed = http;
      if (listed == nullptr) listed = find_backend(color.websocket, number);
    }
    for (size_t i = idle_[id].size(); i-- > 0;) {
      const base::TlsContext* tls = idle_[id][i].connection->tls();
      if (keeper != nullptr && keeper->tls.get() == tls) continue;
      close(static_cast<routing::BackendId>(id), i);
    }
    const bool resumes =
        sessions_[id] != nullptr && listed != nullptr && sessions_[id]->is_of(listed->tls.get());
    if (!resumes) sessions_[id] = nullptr;
  }
}

const std::shared_ptr<base::TlsSession>& BackendGates::session_of(routing::BackendId backend) {
  std::shared_ptr<base::TlsSession>& session = sessions_[backend];
  if (session == nullptr) session = std::make_shared<base::TlsSession>();
  return session;
}

void BackendGates::tell_refused(const BackendConnection& connection, const base::Error& error) {
  worker_.counters().tally(routing::Tally::certificates_refused);
  const base::Instant now = worker_.loop().now();
  base::Instant& told = refusal_told_[connection.backend()];
  base::Log* log = worker_.core().events;
  if (log == nullptr || (told != base::Instant{} && now - told < kRefusalSilence)) return;
  told = now;
  base::LogLine line;
  line.add("color", worker_.table().colors[connection.color()].name)
      .add("address", connection.address().text())
      .add("detail", error.detail);
  log->event(base::Level::error, "certificate_refused", std::move(line));
}

void BackendGates::close_stale() {
  const base::Instant limit = worker_.loop().now() - worker_.core().config.timeouts.backend_idle;
  bool left = false;
  for (size_t id = 0; id < idle_.size(); ++id) {
    while (!idle_[id].empty() && idle_[id].front().since <= limit) {
      close(static_cast<routing::BackendId>(id), 0);
    }
    left = left || !idle_[id].empty();
  }
  if (left) stale_.start(worker_.core().config.timeouts.backend_idle / 4);
}

}  // namespace relay

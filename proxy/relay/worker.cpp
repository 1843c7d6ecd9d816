#include "proxy/relay/worker.h"

#include <algorithm>

#include "proxy/base/check.h"
#include "proxy/relay/client_connection.h"
#include "proxy/relay/mirror.h"
#include "proxy/relay/tunnel.h"

namespace relay {
namespace {

constexpr char kHex[] = "0123456789abcdef";
constexpr base::Millis kLeaveLook{50};     // between two looks whether all have left
constexpr base::Millis kGoodbyeSoon{500};  // of a websocket that opens when all are told to go

uint32_t random_start() {
  std::array<uint8_t, 4> bytes{};
  base::random_bytes(bytes);
  uint32_t value = 0;
  for (uint8_t byte : bytes) value = value << 8 | byte;
  return value;
}

}  // namespace

Worker::Worker(uint32_t id, base::Loop& loop, RelayCore& core)
    : id_(id),
      loop_(loop),
      core_(core),
      sample_(core.sessions),
      parser_(core.config.limits),
      sequence_(random_start()),
      leave_look_(loop.timers(), this, base::fires<&Worker::on_leave_look>),
      idle_end_(loop.timers(), this, base::fires<&Worker::let_idle_go>),
      websockets_end_(loop.timers(), this, base::fires<&Worker::let_websockets_go>),
      gates_(*this) {
  base::random_bytes({reinterpret_cast<uint8_t*>(random_.data()), sizeof random_});
  random_[0] |= 1;
}

// Exchanges hold guards and slots of what is declared before them: they go first.
Worker::~Worker() {
  listeners_.clear();
  mirrors_.clear();
  tunnels_.clear();
  connections_.clear();
  exchanges_.clear();
}

base::Result<base::Address> Worker::listen(const base::Address& at) {
  CHECK(table_ != nullptr);
  base::Result<std::unique_ptr<base::Listener>> listener = loop_.listen(at, true, *this);
  if (!listener) return base::fail(listener.error());
  listeners_.push_back(std::move(*listener));
  return listeners_.back()->bound();
}

void Worker::on_accepted(std::unique_ptr<base::Stream> stream) {
  const auto most = static_cast<size_t>(core_.config.connections_max);
  if (connections_.size() >= most) return;  // closed at once; the limit is a last resort
  connections_.add(std::make_unique<ClientConnection>(*this, std::move(stream)));
}

void Worker::apply(std::shared_ptr<const routing::RoutingTable> table) {
  std::shared_ptr<const routing::RoutingTable> before = std::move(table_owner_);
  table_owner_ = std::move(table);
  table_ = table_owner_.get();
  if (signer_ == nullptr || signer_keys_ != table_->cookie_keys) {
    signer_keys_ = table_->cookie_keys;
    signer_ = std::make_unique<routing::AffinitySigner>(signer_keys_);
  }
  gates_.reconcile(*table_);
  sample_.apply(table_->judge);
  for (size_t i = 0; i < table_->colors.size(); ++i) {
    if (table_->colors[i].state == routing::ColorState::ready) websockets_go_[i] = false;
  }
  // An exchange may end or begin another one in here: go by index over those that exist now.
  const size_t count = exchanges_.size();
  for (size_t i = 0; i < count; ++i) exchanges_[i]->on_table(*table_);
}

void Worker::on_slot(routing::ColorIndex color, uint64_t ticket, const Slot& slot) {
  const auto found = waiting_.find(ticket);
  if (found == waiting_.end()) {
    core_.slots[color]->give_back(slot);
    return;
  }
  Exchange* exchange = found->second;
  waiting_.erase(found);
  exchange->on_slot(slot);
}

void Worker::list(routing::ColorIndex color, size_t most,
                  std::vector<routing::InFlightEntry>& out) const {
  const auto wanted = [color](const routing::InFlightEntry& entry) {
    return color == routing::kNoColor || entry.color == color;
  };
  for (const auto& exchange : exchanges_) {
    if (exchange->stage() == Exchange::Stage::idle) continue;
    routing::InFlightEntry entry = exchange->describe();
    if (wanted(entry)) out.push_back(std::move(entry));
  }
  for (const auto& tunnel : tunnels_) {
    routing::InFlightEntry entry = tunnel->describe();
    if (wanted(entry)) out.push_back(std::move(entry));
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.age > b.age; });
  if (out.size() > most) out.resize(most);
}

void Worker::close_websockets(routing::ColorIndex color, base::Millis over) {
  websockets_go_[color] = true;
  std::vector<Tunnel*> leaving;
  for (const auto& tunnel : tunnels_) {
    if (tunnel->color() == color) leaving.push_back(tunnel.get());
  }
  for (size_t i = 0; i < leaving.size(); ++i) {
    const auto share =
        over.count() * static_cast<int64_t>(i) / static_cast<int64_t>(leaving.size());
    leaving[i]->close_after(base::Millis(share), kServiceRestart);
  }
}

void Worker::cut(routing::ColorIndex color) {
  const size_t count = exchanges_.size();
  for (size_t i = 0; i < count; ++i) {
    if (exchanges_[i]->color() == color) exchanges_[i]->cut();
  }
  std::vector<Tunnel*> cut;
  for (const auto& tunnel : tunnels_) {
    if (tunnel->color() == color) cut.push_back(tunnel.get());
  }
  for (Tunnel* tunnel : cut) tunnel->cut();
}

void Worker::leave(std::function<void()> empty) {
  leaving_ = true;
  mirrors_.clear();  // nobody waits for them
  on_overload();     // who has knocked is let in
  when_empty_ = std::move(empty);
  leave_look_.start(kLeaveLook);
  let_idle_go();
  let_websockets_go();
}

// The sockets stay open in the other process, with whoever waits in their queues.
void Worker::hand_over(base::Millis idle, base::Millis grace, std::function<void()> empty) {
  leaving_ = true;
  mirrors_.clear();
  listeners_.clear();
  when_empty_ = std::move(empty);
  leave_look_.start(kLeaveLook);
  idle_end_.start(idle);
  goodbyes_over_ = std::min(grace, kGoodbyesOver);
  websockets_end_.start(grace);
  for (routing::ColorIndex color = 0; color < routing::kColorsMax; ++color) {
    gates_.close_idle(color);
  }
}

void Worker::let_idle_go() {
  std::vector<ClientConnection*> idle;
  for (const auto& connection : connections_) {
    if (connection->is_idle()) idle.push_back(connection.get());
  }
  for (ClientConnection* connection : idle) connection->leave();
}

void Worker::let_websockets_go() {
  for (routing::ColorIndex color = 0; color < routing::kColorsMax; ++color) {
    gates_.close_idle(color);
    close_websockets(color, goodbyes_over_);
  }
}

void Worker::on_overload() {
  const bool full = core_.overload.load() == Overload::no_accepts && !leaving_;
  for (const auto& listener : listeners_) full ? listener->pause() : listener->resume();
}

// Closing a listening socket resets who waits in its queue: by now they were taken.
void Worker::on_leave_look() {
  listeners_.clear();
  if (!is_empty()) {
    leave_look_.start(kLeaveLook);
  } else if (when_empty_) {
    std::exchange(when_empty_, nullptr)();
  }
}

// xorshift128+: ids and nonces must be unique, not secret; the cookie's MAC guards the nonce.
uint64_t Worker::new_nonce() {
  uint64_t a = random_[0];
  const uint64_t b = random_[1];
  random_[0] = b;
  a ^= a << 23;
  random_[1] = a ^ b ^ (a >> 17) ^ (b >> 26);
  const uint64_t value = random_[1] + b;
  return value != 0 ? value : 1;  // 0 means: no user
}

void Worker::write_request_id(std::string& out) {
  uint64_t value = new_nonce();
  std::array<char, 16> text;
  for (char& digit : text) {
    digit = kHex[value & 0xf];
    value >>= 4;
  }
  out.append(text.data(), text.size());
}

Exchange& Worker::take_exchange() {
  if (free_.empty()) {
    exchanges_.push_back(std::make_unique<Exchange>(*this));
    return *exchanges_.back();
  }
  Exchange* exchange = free_.back();
  free_.pop_back();
  return *exchange;
}

void Worker::recycle(Exchange& exchange) { free_.push_back(&exchange); }

void Worker::wait_in_line(Exchange& exchange) { waiting_.emplace(exchange.ticket(), &exchange); }

bool Worker::has_other_color(routing::ColorIndex color) const {
  for (size_t i = 0; i < table_->colors.size(); ++i) {
    if (i != color && table_->colors[i].takes_new()) return true;
  }
  return false;
}

bool Worker::sends_websockets_away(routing::ColorIndex color) const {
  return leaving_ || websockets_go_[color] || !table_->colors[color].keeps_holders();
}

void Worker::retire(ClientConnection& connection) {
  if (auto gone = connections_.remove(connection)) loop_.dispose(std::move(gone));
}

void Worker::adopt(std::unique_ptr<Tunnel> tunnel) {
  Tunnel* raw = tunnel.get();
  tunnels_.add(std::move(tunnel));
  // Its handshake was on its way when the others were told.
  if (sends_websockets_away(raw->color())) raw->close_after(kGoodbyeSoon, kServiceRestart);
}

void Worker::mirror(routing::ColorIndex served_by, http::Method method, std::string_view head) {
  const std::optional<routing::MirrorRule>& rule = table_->mirror;
  if (!rule || rule->color == served_by || leaving_) return;
  const routing::ColorEntry& color = table_->colors[rule->color];
  if (!color.takes_new() || new_nonce() % 100 >= static_cast<uint64_t>(rule->percent)) return;
  SlotPool& pool = *core_.slots[rule->color];
  const bool has_room = core_.mirrors.fetch_add(1) < rule->in_flight;
  Slot slot;
  if (!has_room || !pool.take_spare({id_, 0, 0, false, -1}, slot)) {
    core_.mirrors.fetch_sub(1);
    counters_.tally(routing::Tally::mirrors_dropped);
    return;
  }
  for (const routing::Backend& backend : color.http) {
    if (backend.id != slot.backend) continue;
    auto one = std::make_unique<Mirror>(*this, rule->color, slot, method, head);
    Mirror& raw = *one;
    mirrors_.add(std::move(one));
    raw.begin(backend, rule->timeout);
    return;
  }
  pool.give_back(slot);  // of an address that this table does not know
  core_.mirrors.fetch_sub(1);
}

void Worker::retire(Mirror& mirror) {
  if (auto gone = mirrors_.remove(mirror)) loop_.dispose(std::move(gone));
}

void Worker::retire(Tunnel& tunnel) {
  if (auto gone = tunnels_.remove(tunnel)) loop_.dispose(std::move(gone));
}

}  // namespace relay

#include "tests/unit/relay/stage.h"

#include "proxy/http/framing.h"

namespace relay {
namespace {

const base::Key kKey = {1, 2, 3};

// The value of a head's field, "" without one.
std::string_view value_of(std::string_view head, std::string_view name) {
  for (size_t at = head.find("\r\n"); at != std::string_view::npos;
       at = head.find("\r\n", at + 2)) {
    const std::string_view line = head.substr(at + 2, head.find("\r\n", at + 2) - at - 2);
    if (line.size() > name.size() + 1 && line[name.size()] == ':' &&
        http::equal_ignoring_case(line.substr(0, name.size()), name)) {
      return line.substr(name.size() + 2);
    }
  }
  return {};
}

// How many bytes of it are the first request, 0: it is not whole.
size_t first_request(std::string_view bytes) {
  const size_t end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos) return 0;
  const std::string_view head = bytes.substr(0, end + 2);
  if (value_of(head, "Transfer-Encoding") == "chunked") {
    const size_t last = bytes.find("0\r\n\r\n", end + 2);
    return last == std::string_view::npos ? 0 : last + 5;
  }
  const std::string_view length = value_of(head, "Content-Length");
  const size_t size = end + 4 + (length.empty() ? 0 : std::stoul(std::string(length)));
  return bytes.size() < size ? 0 : size;
}

base::SpoolLimits small_spool() {
  base::SpoolLimits limits;
  limits.dir = testing::TempDir();
  limits.memory_bytes_max = 1 << 20;
  limits.memory_bytes_each = 64 << 10;
  limits.disk_bytes_max = 8 << 20;
  limits.disk_free_min = 0;
  return limits;
}

routing::Route& add_route(routing::RoutingTable& table, std::string name, std::string prefix) {
  routing::Route& route = table.routes.emplace_back();
  route.index = static_cast<routing::RouteIndex>(table.routes.size() - 1);
  route.name = std::move(name);
  route.prefixes = {std::move(prefix)};
  return route;
}

}  // namespace

ScriptedBackend::ScriptedBackend(support::MemoryLoop& loop, const std::string& address)
    : server(loop, *base::parse_address(address)) {
  server.when_accepted = [this](MemoryPeer& accepted) {
    accepted.when_bytes = [this](MemoryPeer& peer) { on_bytes(peer); };
  };
}

void ScriptedBackend::on_bytes(MemoryPeer& peer) {
  const size_t size = first_request(peer.received);
  if (size == 0) return;
  requests.push_back(peer.received.substr(0, size));
  peer.received.erase(0, size);
  if (when_whole) return when_whole(peer);
  if (answer.empty()) return;
  peer.send(answer);
  if (closes) peer.finish();
}

std::string ScriptedBackend::head(size_t index) const {
  const std::string& request = requests.at(index);
  return request.substr(0, request.find("\r\n\r\n") + 2);
}

std::string ScriptedBackend::body(size_t index) const {
  const std::string& request = requests.at(index);
  return request.substr(request.find("\r\n\r\n") + 4);
}

std::string Answer::field(std::string_view name) const {
  std::string found;
  for (const std::string& field : fields) {
    if (field.size() < name.size() + 2 || field[name.size()] != ':' ||
        !http::equal_ignoring_case(field.substr(0, name.size()), name)) {
      continue;
    }
    if (!found.empty()) return "twice";
    found = field.substr(name.size() + 2);
  }
  return found;
}

std::vector<Answer> read_answers(std::string_view bytes, const std::vector<http::Method>& to) {
  http::HeadParser parser{http::HeadLimits{}};
  http::ResponseHead head;
  std::vector<Answer> answers;
  size_t final_answers = 0;
  while (!bytes.empty()) {
    Answer& answer = answers.emplace_back();
    const http::Method method = final_answers < to.size() ? to[final_answers] : http::Method::get;
    const http::Parsed parsed = parser.parse_response(bytes, 0, method, true, head);
    EXPECT_NE(parsed.state, http::Parsed::State::faulty) << parsed.error.detail << "\n" << bytes;
    if (parsed.state != http::Parsed::State::complete) return answers;
    answer.status = head.status;
    answer.keep_alive = head.keep_alive;
    for (const http::Field& field : head.fields) {
      answer.fields.push_back(std::string(field.name) + ": " + std::string(field.value));
    }
    bytes.remove_prefix(parsed.head_bytes);
    if (!head.is_interim()) ++final_answers;
    http::BodyReader body(head.framing, UINT64_MAX, base::Side::backend);
    while (!body.is_done() && !bytes.empty()) {
      const auto step = body.read(bytes);
      if (!step) {
        ADD_FAILURE() << "malformed body: " << step.error().detail;
        return answers;
      }
      answer.body += step->content;
      bytes.remove_prefix(step->used);
    }
    answer.whole = body.is_done();
    if (head.status == 101) return answers;
  }
  return answers;
}

RelayStage::RelayStage(size_t read_size)
    : loop_(support::MemoryNetwork{.read_size = read_size}),
      blue_(loop_, "10.0.0.1:8069"),
      green_(loop_, "10.0.0.2:8069"),
      blue_websocket_(loop_, "10.0.0.1:8072"),
      green_websocket_(loop_, "10.0.0.2:8072"),
      table_(routing::two_colors(100, 0)) {
  config_.trusted_proxies = {*base::parse_cidr("127.0.0.0/8")};
  config_.spool = small_spool();
  table_.cookie_keys = {kKey};
  table_.cookie_name = "color";
  table_.session_keys.names = {"session_id"};
  routing::BackendId id = 0;
  for (ScriptedBackend* backend : {&blue_, &green_, &blue_websocket_, &green_websocket_}) {
    routing::ColorEntry& color = table_.colors[id % 2];
    (id < 2 ? color.http : color.websocket).push_back({id, backend->server.address(), true});
    ++id;
  }
  routing::Route& websocket = add_route(table_, "websocket", "/websocket");
  websocket.port = routing::Port::websocket;
  websocket.buffer = false;
  routing::Route& poll = add_route(table_, "longpoll", "/longpolling");
  poll.port = routing::Port::websocket;
  poll.buffer = false;
  add_route(table_, "stream", "/stream").buffer = false;
  add_route(table_, "assets", "/web/assets").asset_fallback = true;
  add_route(table_, "database", "/web/database").deny_all = true;
  add_route(table_, "rpc", "/jsonrpc").identity = routing::Identity::address;
  add_route(table_, "web", "/");
}

RelayStage::~RelayStage() {
  clients_.clear();
  worker_.reset();
  for (ScriptedBackend* backend : {&blue_, &green_, &blue_websocket_, &green_websocket_}) {
    backend->server.peers.clear();
    backend->server.stop();
  }
}

void RelayStage::start() {
  core_ = std::make_unique<RelayCore>(config_, nullptr);
  core_->instance = "sidecar-test";
  for (routing::ColorIndex color = 0; color < routing::kColorsMax; ++color) {
    core_->slots[color] = std::make_unique<SlotPool>(
        [this, color](uint32_t, uint64_t ticket, Slot slot) {
          loop_.mailbox().post(
              [this, color, ticket, slot] { worker_->on_slot(color, ticket, slot); });
        },
        config_.queue_length);
  }
  worker_ = std::make_unique<Worker>(0, relay_loop(), *core_);
  publish();
  address_ = *worker_->listen(*base::parse_address("10.0.0.9:80"));
}

void RelayStage::publish() {
  ++table_.version;
  for (size_t color = 0; color < table_.colors.size(); ++color) {
    std::vector<SlotPool::Backend> backends;
    for (const routing::Backend& backend : table_.colors[color].http) {
      backends.push_back({backend.id, table_.colors[color].slots, backend.usable});
    }
    core_->slots[color]->configure(backends);
  }
  worker_->apply(std::make_shared<const routing::RoutingTable>(table_));
  settle();
}

MemoryPeer& RelayStage::connect() {
  if (worker_ == nullptr) start();
  return *clients_.emplace_back(std::make_unique<MemoryPeer>(loop_, address_));
}

void RelayStage::send(MemoryPeer& client, std::string_view bytes, int requests) {
  requests_ += requests;
  client.send(bytes);
  settle();
}

std::string RelayStage::ask(std::string_view bytes) {
  MemoryPeer& client = connect();
  send(client, bytes);
  return client.take();
}

Answer RelayStage::get(const std::string& target, const std::string& fields) {
  const std::vector<Answer> answers = read_answers(ask(get_head(target, fields)));
  EXPECT_EQ(answers.size(), 1u);
  return answers.empty() ? Answer{} : answers.front();
}

std::string RelayStage::some_bytes(size_t size) {
  std::string bytes(size, 0);
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 7 + i / 251);
  return bytes;
}

int64_t RelayStage::in_flight(routing::ColorIndex color, Kind kind) const {
  return worker_->counters()
      .colors[std::min(color, routing::kColorsMax)]
      .in_flight[static_cast<size_t>(kind)]
      .read();
}

int64_t RelayStage::tally(Tally what) const {
  return worker_->counters().tallies[static_cast<size_t>(what)].read();
}

int64_t RelayStage::errors(base::ErrorCode code) const {
  return worker_->counters().errors[static_cast<size_t>(code)].read();
}

int64_t RelayStage::accounted_as(int status) const {
  int64_t count = 0;
  for (const ColorCells& color : worker_->counters().colors) {
    for (const RouteCells& cells : color.routes) {
      count += cells.requests[static_cast<size_t>(routing::code_slot(status))].read();
    }
  }
  return count;
}

int64_t RelayStage::accounted() const {
  int64_t count = accounted_as(599);  // the slot of all others
  for (const int status : routing::kCodes) count += accounted_as(status);
  return count;
}

routing::Route& RelayStage::route(std::string_view name) {
  for (routing::Route& one : table_.routes) {
    if (one.name == name) return one;
  }
  ADD_FAILURE() << "no route " << name;
  return table_.routes.front();
}

std::string RelayStage::cookie(routing::ColorIndex color, uint64_t nonce, uint64_t epoch) {
  routing::AffinitySigner signer({kKey});
  std::string text;
  const auto now =
      std::chrono::duration_cast<std::chrono::seconds>(loop_.wall().time_since_epoch());
  signer.write({color, nonce, static_cast<uint64_t>(now.count()), epoch, routing::kNoColor}, table_,
               text);
  return "Cookie: color=" + text + "\r\n";
}

void RelayStage::expect_nothing_left() {
  if (worker_ == nullptr) return;
  clients_.clear();
  settle();
  for (ScriptedBackend* backend : {&blue_, &green_, &blue_websocket_, &green_websocket_}) {
    backend->server.peers.clear();
  }
  settle();
  pass(20min);  // longer than any deadline
  std::vector<routing::InFlightEntry> entries;
  worker_->list(routing::kNoColor, 100, entries);
  EXPECT_TRUE(entries.empty());
  worker_->leave();
  pass(200ms);
  EXPECT_TRUE(worker_->is_empty());
  const WorkerCounters& counters = worker_->counters();
  for (size_t color = 0; color < counters.colors.size(); ++color) {
    for (size_t kind = 0; kind < routing::kKinds; ++kind) {
      EXPECT_EQ(counters.colors[color].in_flight[kind].read(), 0)
          << color << " " << routing::text_of(static_cast<Kind>(kind));
    }
  }
  for (const BackendCells& backend : counters.backends) {
    EXPECT_EQ(backend.in_flight.read(), 0);
    EXPECT_EQ(backend.idle.read(), 0);
  }
  for (routing::ColorIndex color = 0; color < table_.colors.size(); ++color) {
    EXPECT_EQ(core_->slots[color]->taken(), 0);
    EXPECT_EQ(core_->slots[color]->waiting(), 0);
  }
  EXPECT_EQ(core_->held.load(), 0);
  EXPECT_EQ(counters.client_connections.read(), 0);
  EXPECT_EQ(core_->spool.memory_used(), 0);
  EXPECT_EQ(core_->spool.disk_used(), 0);
  EXPECT_EQ(accounted(), requests_) << "one account a request";
}

std::string read_size_name(const testing::TestParamInfo<size_t>& info) {
  return info.param == SIZE_MAX ? "whole" : std::to_string(info.param);
}

}  // namespace relay

#include "proxy/relay/config.h"

namespace relay {
namespace {

using base::Millis;
using base::Section;
constexpr Millis kTick{1};
constexpr Millis kDay{86'400'000};
constexpr int64_t kTiB = int64_t{1} << 40;

void read_listen(Section& top, base::Address& listen) {
  std::string text = "127.0.0.1:8080";
  top.read("listen", text);
  if (auto address = base::parse_address(text)) {
    listen = *address;
  } else {
    top.fault("listen", address.error().detail);
  }
}

void read_workers(Section& top, int& workers) {
  std::string text = "auto";
  top.read("workers", text);
  if (text == "auto") return;
  int value = 0;
  for (char c : text) {
    if (c < '0' || c > '9' || value > 1000) {
      value = -1;
      break;
    }
    value = value * 10 + (c - '0');
  }
  if (value < 1 || value > 64) {
    top.fault("workers", "must be auto or a number from 1 to 64");
  } else {
    workers = value;
  }
}

void read_trusted(Section& top, std::vector<base::Cidr>& trusted) {
  std::vector<std::string> texts = {"127.0.0.1/32"};
  top.read("trusted_proxies", texts);
  for (const std::string& text : texts) {
    if (auto cidr = base::parse_cidr(text)) {
      trusted.push_back(*cidr);
    } else {
      top.fault("trusted_proxies", cidr.error().detail);
    }
  }
}

void read_spool(Section spool, RelayConfig& config) {
  spool.read("dir", config.spool.dir);
  spool.read_size("memory", config.spool.memory_bytes_max, 1 << 20, kTiB);
  spool.read_size("disk", config.spool.disk_bytes_max, 0, 64 * kTiB);
  spool.read_size("min_free", config.spool.disk_free_min, 0, 64 * kTiB);
  spool.read_size("memory_each", config.spool.memory_bytes_each, 16 << 10, 1 << 30);
  int64_t answer_max = static_cast<int64_t>(config.answer_spool_max);
  spool.read_size("answer_max", answer_max, 64 << 10, 64 * kTiB);
  config.answer_spool_max = static_cast<size_t>(answer_max);
}

void read_size_of(Section& from, std::string_view key, size_t& value, int64_t least, int64_t most) {
  auto bytes = static_cast<int64_t>(value);
  from.read_size(key, bytes, least, most);
  value = static_cast<size_t>(bytes);
}

void read_limits(Section limits, RelayConfig& config) {
  http::HeadLimits& head = config.limits;
  read_size_of(limits, "head", head.head_bytes, 1 << 10, 1 << 20);
  read_size_of(limits, "target", head.target_bytes, 256, 1 << 20);
  read_size_of(limits, "line", head.line_bytes, 256, 1 << 20);
  int fields = static_cast<int>(head.fields);
  limits.read("fields", fields, 8, 1000);
  head.fields = static_cast<size_t>(fields);
  auto body = static_cast<int64_t>(head.body_bytes);
  limits.read_size("body", body, 0, 64 * kTiB);
  head.body_bytes = static_cast<uint64_t>(body);
  read_size_of(limits, "response_head", head.response_head_bytes, 4 << 10, 4 << 20);
  int response_fields = static_cast<int>(head.response_fields);
  limits.read("response_fields", response_fields, 16, 2000);
  head.response_fields = static_cast<size_t>(response_fields);
  limits.read("body_rate", config.body_rate_min, 0, 1'000'000'000);
  read_size_of(limits, "pipelined", config.pipelined_bytes, 16 << 10, 1 << 20);
  std::string memory = "auto";
  if (limits.has("memory")) limits.read("memory", memory);
  if (memory != "auto") limits.read_size("memory", config.memory_max, 32 << 20, 64 * kTiB);
  limits.read("keep_alive_requests", config.keep_alive_requests, 1, 1'000'000'000);
  limits.read("connections", config.connections_max, 16, 1'000'000);
  limits.read("reuse_idle", config.reuse_idle_max, 0, 65'536);
}

void read_timeouts(Section section, Timeouts& timeouts) {
  section.read("first_byte", timeouts.first_byte, kTick, kDay);
  section.read("head", timeouts.head, kTick, kDay);
  section.read("body_idle", timeouts.body_idle, kTick, kDay);
  section.read("body_grace", timeouts.body_grace, kTick, kDay);
  section.read("keep_alive", timeouts.keep_alive, kTick, kDay);
  section.read("connection_age", timeouts.connection_age, kTick, 30 * kDay);
  section.read("connect", timeouts.connect, kTick, Millis{60'000});
  section.read("answer_idle", timeouts.answer_idle, kTick, kDay);
  section.read("send_idle", timeouts.send_idle, kTick, kDay);
  section.read("tunnel_idle", timeouts.tunnel_idle, kTick, kDay);
  section.read("linger", timeouts.linger, kTick, Millis{60'000});
  section.read("backend_idle", timeouts.backend_idle, kTick, kDay);
}

}  // namespace

RelayConfig read_relay_config(Section& top) {
  RelayConfig config;
  read_listen(top, config.listen);
  read_workers(top, config.workers);
  read_trusted(top, config.trusted_proxies);
  top.read("proxy_protocol", config.proxy_protocol);
  read_spool(top.section("spool"), config);
  Section queue = top.section("queue");
  queue.read("length", config.queue_length, 0, 1'000'000);
  queue.read("timeout", config.queue_timeout, kTick, kDay);
  read_limits(top.section("limits"), config);
  read_timeouts(top.section("timeouts"), config.timeouts);
  top.section("retry").read("safe_methods", config.retry_safe_methods);
  Section shutdown = top.section("shutdown");
  shutdown.read("lame_duck", config.lame_duck, Millis{0}, kDay);
  shutdown.read("finish", config.shutdown, Millis{0}, kDay);
  Section upgrade = top.section("upgrade");
  upgrade.read("idle", config.upgrade_idle, Millis{0}, kDay);
  upgrade.read("grace", config.upgrade_grace, Millis{0}, 30 * kDay);
  top.read("access_log", config.access_log);
  return config;
}

}  // namespace relay

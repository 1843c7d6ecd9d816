#include "proxy/relay/access_log.h"

namespace relay {

void write_access_line(const AccessEntry& entry, base::LogLine& line) {
  line.clear();
  line.add("time", entry.time)
      .add("request_id", entry.request_id)
      .add("client", entry.client.host())
      .add("method", entry.method)
      .add("path", entry.path)
      .add("route", entry.route)
      .add("color", entry.color)
      .add("reason", entry.reason)
      .add("status", entry.status)
      .add("body_in", entry.body_in)
      .add("bytes_out", entry.bytes_out)
      .add_seconds("receive", entry.receive_us)
      .add_seconds("queue", entry.queue_us)
      .add_seconds("backend", entry.backend_us)
      .add_seconds("deliver", entry.deliver_us);
  if (entry.retries > 0) line.add("retries", entry.retries);
  if (!entry.error.empty()) line.add("error", entry.error);
}

}  // namespace relay

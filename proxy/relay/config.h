// The data plane's own keys: defaults and limits. Values here need a restart to change; what may
// change while running is in the RoutingTable.
#pragma once

#include <string>
#include <vector>

#include "proxy/base/address.h"
#include "proxy/base/clock.h"
#include "proxy/base/spool.h"
#include "proxy/base/yaml.h"
#include "proxy/http/parser.h"

namespace relay {

struct Timeouts {
  base::Millis first_byte{10'000};  // of a new client connection
  base::Millis head{10'000};        // from a head's first byte to its last, absolute
  base::Millis body_idle{30'000};   // no byte of a request body
  base::Millis body_grace{20'000};  // after this the minimum rate holds
  base::Millis keep_alive{
      180'000};  // idle client; longer than Traefik's 90 s, so that it closes first
  base::Millis connection_age{3'600'000};
  base::Millis connect{3'000};
  base::Millis answer_idle{900'000};  // between two pieces of an answer
  base::Millis send_idle{60'000};     // a client that takes nothing of its answer
  base::Millis tunnel_idle{300'000};  // Odoo pings websockets after 45 s of silence
  base::Millis linger{5'000};         // reading on after an error answer, so that it arrives
  base::Millis backend_idle{4'000};   // kept backend connections (`reuse`)
};

struct RelayConfig {
  base::Address listen;                     // 127.0.0.1:8080
  int workers = 0;                          // 0: one a core
  std::vector<base::Cidr> trusted_proxies;  // whose X-Forwarded-* are believed
  bool proxy_protocol = false;              // those begin with a PROXY header, and must
  base::SpoolLimits spool;
  size_t answer_spool_max = size_t{1} << 30;  // one answer; beyond, the backend is slowed down
  int queue_length = 512;                     // waiting for a slot, for each color
  base::Millis queue_timeout{30'000};
  http::HeadLimits limits;
  int body_rate_min = 500;            // bytes a second, averaged, after body_grace
  size_t pipelined_bytes = 64 << 10;  // read ahead of the answer
  size_t linger_bytes = 1 << 20;
  int keep_alive_requests = 10'000;
  int connections_max = 50'000;  // clients, for each worker
  int64_t memory_max = 0;        // of the process (overload.h); 0: automatic_memory_limit()
  int interim_answers = 8;
  int reuse_idle_max = 256;         // kept connections, for each backend and worker
  bool retry_safe_methods = false;  // GET and HEAD once after a close without an answer byte
  Timeouts timeouts;
  base::Millis lame_duck{10'000};  // health says no before we stop accepting
  base::Millis shutdown{130'000};  // then exchanges may finish for so long
  // Of a process that was replaced: its idle clients (Traefik keeps them 90 s), and websockets.
  base::Millis upgrade_idle{95'000};
  base::Millis upgrade_grace{900'000};
  std::string access_log = "-";    // a file, "-" (standard output), "stderr" or "off"
};

// Reads `listen`, `workers`, `trusted_proxies`, `proxy_protocol`, `spool`, `queue`, `limits`,
// `timeouts`, `retry`, `shutdown`, `upgrade` and `access_log` of the file's top section.
RelayConfig read_relay_config(base::Section& top);

}  // namespace relay

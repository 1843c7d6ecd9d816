// One JSON line an exchange. Never the query (sessions travel in it), cookies or bodies.
#pragma once

#include <cstdint>
#include <string_view>

#include "proxy/base/address.h"
#include "proxy/base/log.h"

namespace relay {

struct AccessEntry {
  std::string_view time;
  std::string_view request_id;
  base::Address client;
  std::string_view method;
  std::string_view path;  // without the query
  std::string_view route;
  std::string_view color;   // "none" without one
  std::string_view reason;  // of the choice
  int status = 0;
  std::string_view error;  // label, empty when nothing went wrong
  int64_t body_in = 0;
  int64_t bytes_out = 0;
  int64_t receive_us = 0;
  int64_t queue_us = 0;
  int64_t backend_us = 0;  // slot granted to last byte
  int64_t deliver_us = 0;
  int retries = 0;
};

void write_access_line(const AccessEntry& entry, base::LogLine& line);

}  // namespace relay

// Answers that the sidecar gives itself: errors as a page (Spanish, for users) or in the shape of
// JSON-RPC, and its own health. Without internals: a status, a sentence, the request id.
#pragma once

#include <string>
#include <string_view>

namespace relay {

struct OwnAnswer {
  int status = 500;
  std::string_view request_id;
  std::string_view date;
  bool json_rpc = false;   // the route speaks JSON-RPC (Odoo's clients then show the message)
  bool head_only = false;  // the answer to HEAD
  bool close = true;
  int retry_after_s = 0;  // 0: no Retry-After
};

// Head and body, appended.
void write_own_answer(const OwnAnswer& answer, std::string& out);
// GET /.sidecar/health: 200 while serving, 503 when this process is about to leave.
void write_health_answer(bool serving, std::string_view date, bool head_only, bool close,
                         std::string& out);
// OPTIONS that may go no further: what is served here (RFC 9110 9.3.7).
void write_options_answer(std::string_view request_id, std::string_view date, bool close,
                          std::string& out);
// Paths whose clients expect JSON-RPC: /jsonrpc and /web/dataset.
bool speaks_json_rpc(std::string_view path);

inline constexpr std::string_view kHealthPath = "/.sidecar/health";

}  // namespace relay

// The raw cases that the readers of tests/unit/http are held to, here for use over sockets.
#pragma once

#include <string>
#include <vector>

namespace wire {

struct WantedRequest {  // as it must reach the backend
  std::string start;    // "GET /x"
  std::string host;
  std::string body;
  std::vector<std::string> fields;  // "Name: value" of those passed on as they came
  bool websocket = false;
};

struct RawCase {
  enum class Outcome { forward, refuse, answer, switches, broken, incomplete };

  std::string id;
  bool from_backend = false;  // what a backend answers; else what a client sends
  std::string bytes;
  Outcome outcome = Outcome::forward;
  int status = 0;                       // refuse, answer
  std::vector<WantedRequest> messages;  // that are whole before the end
  bool to_head = false;                 // backend: what was asked
  std::string body;                     // backend: of the answer, or what came through the tunnel
  std::vector<std::string> fields;      // backend: of the answer
  std::vector<int> interim;
  bool keeps_connection = false;  // backend: the answer ends without the connection's end
};

std::vector<RawCase> read_corpus();

}  // namespace wire

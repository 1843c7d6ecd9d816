// A sidecar in front of one backend that keeps every byte: what most tests here start with.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/integration/harness/sidecar_process.h"
#include "tests/wire/corpus.h"
#include "tests/wire/recorder.h"
#include "tests/wire/strict_http.h"

namespace wire {

// What one client saw, and what the backend got of it.
struct Seen {
  std::string received;
  Answers answers;
  std::vector<std::string> records;  // bytes of each connection to the backend
  std::vector<Message> requests;     // the same, read strictly
  std::vector<std::string> faults;   // of those that are not as they must be

  // The status of each answer, in order: "200 400".
  std::string statuses() const;
  const Message& answer(size_t at = 0) const;
  const Message& request(size_t at = 0) const;
};

struct SiteSetup {
  std::map<std::string, std::string> keys;  // of the config, as YAML
  int slots = 64;
  bool reuse = false;
};

class Site {
 public:
  explicit Site(SiteSetup setup = {});

  uint16_t port() const { return sidecar_.port(); }
  harness::SidecarProcess& sidecar() { return sidecar_; }
  Recorder& recorder() { return recorder_; }
  // For a client of its own whose first request is answered as `script` says.
  std::string new_client(Script script = {});

  // A new client sends the pieces, each read for itself, says that it is done, and reads to the
  // end.
  Seen talk(const std::vector<std::string>& pieces, Script script = {},
            const std::vector<bool>& heads = {});
  Seen talk(const std::string& bytes, Script script = {}, const std::vector<bool>& heads = {});
  // Everything that the backend got of this client, once nothing is under way any more.
  void look_at_backend(const std::string& client, Seen& seen);

 private:
  Recorder recorder_;
  harness::SidecarProcess sidecar_;
  uint32_t clients_ = 0;
};

// The bytes of a raw case.
std::string raw_case(const std::string& id);

}  // namespace wire

// One raw case over sockets: how it is cut and who ends first, what came of it, and what is wrong
// with that.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/wire/corpus.h"
#include "tests/wire/recorder.h"

namespace wire {

struct Trial {
  const RawCase* one = nullptr;
  std::vector<std::string> pieces;
  // client cases: FIN right behind the bytes, not only after the last answer.
  // backend cases: the backend waits for the sidecar to close, where the answer allows it.
  bool other_end = false;
  std::string how;         // for people
  std::string address;     // of its client
  bool streaming = false;  // the route does not buffer
};

// Whole, twice; byte by byte up to 2 kB; and `splits` times cut in places drawn from `seed`. (In
// two at every place: tests/unit/http. Connections are not free, the kernel remembers each for
// minutes.)
std::vector<Trial> trials_of(const RawCase& one, int splits, uint32_t seed);

// Returns what is wrong, or "".
std::string play(const Trial& trial, Recorder& recorder, uint16_t port);
// The same about what the backend got in a client's case, once all have been played.
std::string fault_at_backend(const Trial& trial, Recorder& recorder);

}  // namespace wire

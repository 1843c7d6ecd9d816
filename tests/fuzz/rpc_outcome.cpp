// The first bytes of a JSON-RPC answer: pieces do not change what is said, and bytes that follow
// never change what was already told.
#include "proxy/relay/rpc_outcome.h"

#include <algorithm>
#include <string_view>

#include "tests/fuzz/targets.h"

namespace {

relay::RpcOutcome read(std::string_view bytes, size_t piece) {
  relay::RpcReader reader;
  reader.begin(true);
  for (size_t at = 0; at < bytes.size(); at += piece) reader.read(bytes.substr(at, piece));
  return reader.end();
}

}  // namespace

int rpc_outcome_one(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), std::min<size_t>(size, 2'048));
  const relay::RpcOutcome whole = read(bytes, std::max<size_t>(bytes.size(), 1));
  for (const size_t piece : {1, 3, 7}) {
    if (read(bytes, piece) != whole) fuzz_fault("pieces change the outcome");
  }
  relay::RpcOutcome told = relay::RpcOutcome::open;
  for (size_t length = 0; length <= bytes.size(); length += 1 + length / 16) {
    const relay::RpcOutcome now = relay::read_rpc_outcome(bytes.substr(0, length));
    if (told != relay::RpcOutcome::open && now != told) fuzz_fault("more bytes change the outcome");
    told = now;
  }
  return 0;
}

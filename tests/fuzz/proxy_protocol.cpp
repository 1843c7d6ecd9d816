// The PROXY header: the verdict does not depend on how the bytes were cut, and a header never
// takes more than it may.
#include "proxy/relay/proxy_protocol.h"

#include "tests/fuzz/targets.h"

int proxy_protocol_one(const uint8_t* data, size_t size) {
  using State = relay::ProxyHeader::State;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const relay::ProxyHeader whole = relay::read_proxy_header(bytes);
  if (whole.state == State::complete) {
    if (whole.bytes == 0 || whole.bytes > size) fuzz_fault("takes what is not there");
    if (whole.bytes > relay::kProxyV2BytesMax) fuzz_fault("longer than the limit");
    const bool is_text = bytes[0] == 'P';
    if (is_text && whole.bytes > relay::kProxyV1BytesMax) fuzz_fault("longer than a line");
  }
  if (whole.state == State::incomplete && size >= relay::kProxyV2BytesMax) {
    fuzz_fault("waits for ever");
  }
  for (size_t cut = 0; cut < size && cut <= relay::kProxyV2BytesMax; ++cut) {
    const relay::ProxyHeader part = relay::read_proxy_header(bytes.substr(0, cut));
    if (part.state == State::incomplete) continue;
    if (part.state != whole.state || part.bytes != whole.bytes || part.client != whole.client) {
      fuzz_fault("another verdict with fewer bytes");
    }
  }
  return 0;
}

// Responses: the outcome does not depend on the pieces. The first byte says what was asked.
#include "tests/fuzz/targets.h"
#include "tests/unit/http/reading.h"

int response_head_one(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  http_test::Options options;
  options.limits.response_head_bytes = 1024;
  options.limits.response_fields = 12;
  options.to = (data[0] & 1) != 0 ? http::Method::head : http::Method::get;
  options.upgrade_asked = (data[0] & 2) != 0;
  const http_test::Reading whole = http_test::read_response({bytes}, options);
  if (whole.error.detail.find("second parser") != std::string::npos) {
    fuzz_fault("the parsers disagree");
  }
  for (const size_t piece : {1, 3}) {
    if (!(http_test::read_response(http_test::cut_evenly(bytes, piece), options) == whole)) {
      fuzz_fault("pieces change the outcome");
    }
  }
  const size_t cut = bytes.empty() ? 0 : (data[0] + 7 * size) % bytes.size();
  if (!(http_test::read_response({bytes.substr(0, cut), bytes.substr(cut)}, options) == whole)) {
    fuzz_fault("a cut changes the outcome");
  }
  return 0;
}

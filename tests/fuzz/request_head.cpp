// Requests: the outcome does not depend on the pieces, both parsers agree on all that passes, and
// what we would forward is read again as the same request.
#include <string>

#include "proxy/http/bytes.h"
#include "proxy/http/writer.h"
#include "tests/fuzz/targets.h"
#include "tests/unit/http/reading.h"

namespace {

using http_test::Reading;

std::string written_anew(const http_test::ReadMessage& message) {
  std::string text = message.start + " HTTP/1.1\r\n";
  http::write_field("Host", message.host.empty() ? "default" : message.host, text);
  for (const std::string& line : message.fields) text += line + "\r\n";
  if (!message.body.empty()) http::write_field("Content-Length", message.body.size(), text);
  http::write_head_end(text);
  return text + message.body;
}

void check_message(const http_test::ReadMessage& message, const http_test::Options& options) {
  for (const char byte : message.start) {
    if (!http::is(http::kTargetByte, byte) && byte != ' ') fuzz_fault("byte in the target");
  }
  for (const std::string& line : message.fields) {
    if (!http::all_are(http::kTextByte, line)) fuzz_fault("control in a field");
  }
  const std::string text = written_anew(message);
  const Reading again = http_test::read_requests({text}, options);
  if (again.end != Reading::End::clean || again.messages.size() != 1) {
    fuzz_fault("forwarded request is not read as one");
  }
  const http_test::ReadMessage& second = again.messages[0];
  if (second.start != message.start || second.body != message.body ||
      second.fields != message.fields) {
    fuzz_fault("forwarded request is read as another");
  }
}

}  // namespace

int request_head_one(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  http_test::Options options;
  options.limits.head_bytes = 1024;  // small, so that inputs reach them
  options.limits.line_bytes = 256;
  options.limits.target_bytes = 128;
  options.limits.fields = 12;
  options.limits.body_bytes = 4096;
  const Reading whole = http_test::read_requests({bytes}, options);
  if (whole.end == Reading::End::refused &&
      whole.error.code == base::ErrorCode::parser_disagreement) {
    fuzz_fault("the parsers disagree");
  }
  for (const size_t piece : {1, 3}) {
    const Reading reading = http_test::read_requests(http_test::cut_evenly(bytes, piece), options);
    if (!(reading == whole)) fuzz_fault("pieces change the outcome");
  }
  const size_t cut = size == 0 ? 0 : (data[0] + 7 * size) % size;
  if (!(http_test::read_requests({bytes.substr(0, cut), bytes.substr(cut)}, options) == whole)) {
    fuzz_fault("a cut changes the outcome");
  }
  for (const http_test::ReadMessage& message : whole.messages) {
    if (!message.websocket) check_message(message, http_test::Options{});
  }
  return 0;
}

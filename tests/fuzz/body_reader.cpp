// Bodies: the content does not depend on the pieces, and where the second parser takes a chunked
// body too, it finds the same content. The first byte says how the body is delimited.
#include <llhttp.h>

#include <algorithm>
#include <string>

#include "proxy/http/framing.h"
#include "tests/fuzz/targets.h"

namespace {

struct Content {
  std::string bytes;
  size_t used = 0;
  bool done = false;
  bool faulty = false;
  base::ErrorCode code = base::ErrorCode::internal;
  bool operator==(const Content&) const = default;
};

Content read(http::BodyReader reader, std::string_view bytes, size_t piece) {
  Content content;
  for (size_t at = 0; at < bytes.size() && !reader.is_done(); at += piece) {
    std::string_view rest = bytes.substr(at, piece);
    while (!rest.empty() && !reader.is_done()) {
      const auto step = reader.read(rest);
      if (!step) {
        content.faulty = true;
        content.code = step.error().code;
        content.used = 0;  // where the fault showed is not compared
        return content;
      }
      if (step->used == 0 || step->used > rest.size()) fuzz_fault("a step that is none");
      content.bytes += step->content;
      content.used += step->used;
      rest.remove_prefix(step->used);
    }
  }
  if (reader.content_bytes() != content.bytes.size()) fuzz_fault("content miscounted");
  content.done = reader.is_done();
  return content;
}

int take_body(llhttp_t* parser, const char* at, size_t length) {
  static_cast<std::string*>(parser->data)->append(at, length);
  return 0;
}

int end_message(llhttp_t*) { return HPE_PAUSED; }

void compare_with_second_parser(std::string_view bytes, const Content& content) {
  llhttp_settings_t settings;
  llhttp_settings_init(&settings);
  settings.on_body = take_body;
  settings.on_message_complete = end_message;
  std::string body;
  llhttp_t parser;
  llhttp_init(&parser, HTTP_REQUEST, &settings);
  parser.data = &body;
  const std::string head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  llhttp_execute(&parser, head.data(), head.size());
  const llhttp_errno_t error =
      llhttp_execute(&parser, bytes.data(), std::min(bytes.size(), content.used));
  // It refuses some extensions that are valid.
  if (error == HPE_PAUSED && body != content.bytes) fuzz_fault("another content");
  if (error == HPE_OK) fuzz_fault("the second parser wants more");
}

}  // namespace

int body_reader_one(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data + 2), size - 2);
  const bool is_chunked = data[0] % 3 == 0;
  http::Framing framing{http::BodyKind::chunked, 0};
  if (data[0] % 3 == 1) framing = {http::BodyKind::length, data[1]};
  if (data[0] % 3 == 2) framing = {http::BodyKind::until_close, 0};
  const uint64_t bytes_max = data[1] < 128 ? data[1] : UINT64_MAX;
  const http::BodyReader reader(framing, bytes_max, base::Side::client);
  const Content whole = read(reader, bytes, std::max<size_t>(bytes.size(), 1));
  for (const size_t piece : {1, 3, 7}) {
    if (!(read(reader, bytes, piece) == whole)) fuzz_fault("pieces change the content");
  }
  if (is_chunked && whole.done) compare_with_second_parser(bytes, whole);
  return 0;
}

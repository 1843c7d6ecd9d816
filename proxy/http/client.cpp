#include "proxy/http/client.h"

#include "proxy/base/tls_stream.h"
#include "proxy/http/framing.h"
#include "proxy/http/writer.h"

namespace http {
namespace {

using base::ErrorCode;
using base::Side;

std::string text_of(const ClientRequest& request) {
  std::string text;
  const bool is_post = !request.json.empty();
  write_request_line(is_post ? Method::post : Method::get, request.path, text);
  write_field("Host", request.host, text);
  write_field("Connection", "close", text);
  for (const auto& [name, value] : request.fields) write_field(name, value, text);
  if (is_post) {
    write_field("Content-Type", "application/json", text);
    write_field("Content-Length", std::to_string(request.json.size()), text);
  }
  write_head_end(text);
  return text + request.json;
}

}  // namespace

struct Client::Parts final : base::ConnectHandler, base::StreamHandler {
  Parts(base::Loop& own_loop, ClientRequest own_request, Done own_done)
      : loop(own_loop),
        request(std::move(own_request)),
        done(std::move(own_done)),
        started(own_loop.fresh()),
        deadline(own_loop.timers(), this, base::fires<&Parts::on_deadline>) {
    deadline.start(request.deadline);
    connecting = request.tls == nullptr
                     ? loop.connect(request.to, *this)
                     : base::connect_tls(loop, request.to, request.tls, nullptr, *this);
  }

  // ConnectHandler
  void on_connected(std::unique_ptr<base::Stream> connected) override {
    stream = std::move(connected);
    stream->set_handler(this);
    stream->resume_reading();
    stream->write(text_of(request));
  }
  void on_connect_failed(const base::Error& error) override {
    finish(base::fail(base::Error(error)));
  }

  // StreamHandler
  void on_bytes(std::string_view bytes) override {
    if (is_head_read) return read_body(bytes);
    received += bytes;
    if (read_heads()) read_body(std::string_view(received).substr(consumed));
  }
  void on_end() override {
    if (!is_head_read) {
      return finish(
          base::fail(ErrorCode::backend_reset, Side::backend, "closed without an answer"));
    }
    if (const auto ended = body.end(); !ended) return finish(base::fail(ended.error()));
    finish_well();
  }
  void on_broken(const base::Error& error) override {
    finish(base::fail(ErrorCode::backend_reset, Side::backend, error.detail));
  }
  void on_flushed() override {}

  void on_deadline() {
    const ErrorCode code =
        stream == nullptr ? ErrorCode::connect_timeout : ErrorCode::backend_timeout;
    finish(base::fail(code, Side::backend, "no whole answer in time"));
  }

  // True when the final head is read; interim ones before it are passed over.
  bool read_heads() {
    for (;;) {
      const std::string_view rest = std::string_view(received).substr(consumed);
      const Parsed parsed = parser.parse_response(rest, seen, Method::get, false, head);
      if (parsed.state == Parsed::State::faulty) {
        finish(base::fail(parsed.error));
        return false;
      }
      if (parsed.state == Parsed::State::incomplete) {
        seen = rest.size();
        return false;
      }
      consumed += parsed.head_bytes;
      seen = 0;
      if (!head.is_interim()) break;
      if (++interim_answers > kInterimAnswersMax) {
        finish(base::fail(ErrorCode::bad_backend_message, Side::backend, "interim answers"));
        return false;
      }
    }
    is_head_read = true;
    answer.status = head.status;
    body = BodyReader(head.framing, UINT64_MAX, Side::backend);
    return true;
  }

  void read_body(std::string_view bytes) {
    while (!body.is_done()) {
      auto step = body.read(bytes);
      if (!step) return finish(base::fail(std::move(step.error())));
      if (step->used == 0) return;
      bytes.remove_prefix(step->used);
      answer.body += step->content.substr(0, request.body_bytes_max - answer.body.size());
      if (answer.body.size() == request.body_bytes_max) break;
    }
    finish_well();
  }

  void finish_well() {
    answer.took = std::chrono::duration_cast<base::Micros>(loop.fresh() - started);
    finish(std::move(answer));
  }
  // The last thing that any callback does: `done` may destroy this object.
  void finish(base::Result<ClientAnswer> result) {
    deadline.stop();
    connecting.reset();
    stream.reset();
    const Done call = std::move(done);
    call(std::move(result));
  }

  base::Loop& loop;
  const ClientRequest request;
  Done done;
  const base::Instant started;
  base::Timer deadline;
  std::unique_ptr<base::Connecting> connecting;
  std::unique_ptr<base::Stream> stream;
  HeadParser parser{HeadLimits{}};
  ResponseHead head;
  BodyReader body;
  std::string received;  // until the head is read
  size_t consumed = 0;   // of `received`
  size_t seen = 0;
  int interim_answers = 0;
  bool is_head_read = false;
  ClientAnswer answer;
};

Client::Client(base::Loop& loop, ClientRequest request, Done done)
    : parts_(std::make_unique<Parts>(loop, std::move(request), std::move(done))) {}
Client::~Client() = default;

}  // namespace http

#include "tests/unit/http/reading.h"

#include <algorithm>

namespace http_test {
namespace {

// The bytes that are here and not yet consumed, in a block of exactly their size, so that a read
// beyond them is seen by the sanitizer.
class Received {
 public:
  void add(std::string_view piece) {
    std::vector<char> next;
    next.reserve(bytes_.size() + piece.size());
    next.insert(next.end(), bytes_.begin(), bytes_.end());
    next.insert(next.end(), piece.begin(), piece.end());
    bytes_.swap(next);
  }
  void consume(size_t count) {
    std::vector<char> next(bytes_.begin() + static_cast<ptrdiff_t>(count), bytes_.end());
    bytes_.swap(next);
  }
  std::string_view view() const { return {bytes_.data(), bytes_.size()}; }

 private:
  std::vector<char> bytes_;
};

std::vector<std::string> forwarded(const std::vector<http::Field>& fields, bool with_length) {
  std::vector<std::string> lines;
  for (const http::Field& field : fields) {
    if (field.hop_by_hop || field.underscored || field.id == http::FieldId::host) continue;
    if (field.id == http::FieldId::content_length && !with_length) continue;
    lines.push_back(std::string(field.name) + ": " + std::string(field.value));
  }
  return lines;
}

class Reader {
 public:
  Reader(const Options& options, bool requests)
      : options_(options), requests_(requests), parser_(options.limits) {}

  Reading read(const Pieces& pieces) {
    size_t begun = 0;
    for (const std::string_view piece : pieces) {
      if (over_) break;
      received_.add(piece);
      begun += piece.size();
      while (!over_ && step()) {
      }
    }
    if (!over_) end();
    reading_.rest = std::string(received_.view());
    size_t all = 0;
    for (const std::string_view piece : pieces) {
      if (all >= begun && reading_.end != Reading::End::refused) reading_.rest += piece;
      all += piece.size();
    }
    // How much was read in vain before a fault showed depends on the pieces.
    if (reading_.end == Reading::End::refused) reading_.rest.clear();
    return std::move(reading_);
  }

 private:
  // Returns whether anything was consumed.
  bool step() {
    if (in_body_) return read_body();
    return requests_ ? read_request_head() : read_response_head();
  }

  bool is_complete(const http::Parsed& parsed) {
    if (parsed.state == http::Parsed::State::incomplete) {
      seen_ = received_.view().size();
      return false;
    }
    if (parsed.state == http::Parsed::State::faulty) {
      refuse(parsed.error);
      return false;
    }
    seen_ = 0;
    return true;
  }

  bool read_request_head() {
    const http::Parsed parsed = parser_.parse_request(received_.view(), seen_, request_);
    if (!is_complete(parsed)) return false;
    ReadMessage message;
    message.start =
        std::string(http::text_of(request_.method)) + " " + std::string(request_.target);
    message.host = std::string(request_.host);
    message.fields = forwarded(request_.fields, false);
    message.keep_alive = request_.keep_alive;
    message.websocket = request_.websocket;
    begin_body(message, request_.framing, options_.limits.body_bytes, base::Side::client);
    received_.consume(parsed.head_bytes);
    if (request_.websocket) finish(Reading::End::switched);
    return true;
  }

  bool read_response_head() {
    const http::Parsed parsed = parser_.parse_response(received_.view(), seen_, options_.to,
                                                       options_.upgrade_asked, response_);
    if (!is_complete(parsed)) return false;
    if (response_.is_interim()) {
      if (reading_.interim.size() == http::kInterimAnswersMax) {
        refuse({base::ErrorCode::bad_backend_message, base::Side::backend, "interim answers"});
        return false;
      }
      reading_.interim.push_back(response_.status);
      received_.consume(parsed.head_bytes);
      return true;
    }
    ReadMessage message;
    message.start = std::to_string(response_.status);
    message.fields = forwarded(response_.fields, response_.framing.body == http::BodyKind::none);
    message.keep_alive = response_.keep_alive;
    begin_body(message, response_.framing, UINT64_MAX, base::Side::backend);
    received_.consume(parsed.head_bytes);
    if (response_.status == 101) finish(Reading::End::switched);
    return true;
  }

  void begin_body(ReadMessage& message, http::Framing framing, uint64_t bytes_max,
                  base::Side side) {
    message_ = std::move(message);
    body_ = http::BodyReader(framing, bytes_max, side);
    in_body_ = true;
    if (body_.is_done()) end_message();
  }

  bool read_body() {
    const auto step = body_.read(received_.view());
    if (!step) {
      refuse(step.error());
      return false;
    }
    message_.body += step->content;
    received_.consume(step->used);
    if (body_.is_done()) end_message();
    return step->used > 0;
  }

  void end_message() {
    in_body_ = false;
    const bool goes_on = requests_ && message_.keep_alive;
    reading_.messages.push_back(std::move(message_));
    message_ = {};
    if (!goes_on && !over_) finish(Reading::End::clean);
  }

  void end() {
    if (in_body_) {
      const auto ended = body_.end();
      if (ended) return end_message();
      reading_.error = ended.error();
      return finish(Reading::End::broken);
    }
    const bool nothing_missing = requests_ && received_.view().empty();
    finish(nothing_missing ? Reading::End::clean : Reading::End::incomplete);
  }

  void refuse(const base::Error& error) {
    reading_.error = error;
    finish(Reading::End::refused);
  }

  void finish(Reading::End end) {
    reading_.end = end;
    over_ = true;
  }

  const Options& options_;
  const bool requests_;
  http::HeadParser parser_;
  http::RequestHead request_;
  http::ResponseHead response_;
  http::BodyReader body_;
  Received received_;
  size_t seen_ = 0;
  bool in_body_ = false;
  bool over_ = false;
  ReadMessage message_;
  Reading reading_;
};

}  // namespace

bool Reading::operator==(const Reading& other) const {
  return end == other.end && error.code == other.error.code && error.side == other.error.side &&
         messages == other.messages && interim == other.interim && rest == other.rest;
}

std::string Reading::text() const {
  constexpr std::string_view kEnds[] = {"clean", "incomplete", "broken", "refused", "switched"};
  std::string out(kEnds[static_cast<size_t>(end)]);
  if (end == End::refused || end == End::broken) {
    out += " " + std::string(base::facts_of(error.code).label) + " (" + error.detail + ")";
  }
  for (const int status : interim) out += " +" + std::to_string(status);
  for (const ReadMessage& message : messages) {
    out += "\n  " + message.start + " host=" + message.host + " body=" + message.body.substr(0, 64);
    out += message.keep_alive ? " keep" : " close";
    if (message.websocket) out += " websocket";
    for (const std::string& line : message.fields) out += " [" + line.substr(0, 64) + "]";
  }
  return out + "\n  rest=" + rest.substr(0, 64);
}

Reading read_requests(const Pieces& pieces, const Options& options) {
  return Reader(options, true).read(pieces);
}

Reading read_response(const Pieces& pieces, const Options& options) {
  return Reader(options, false).read(pieces);
}

Pieces cut_evenly(std::string_view bytes, size_t size) {
  Pieces pieces;
  for (size_t at = 0; at < bytes.size(); at += size) pieces.push_back(bytes.substr(at, size));
  return pieces;
}

std::vector<size_t> cuts_of(std::string_view bytes, const std::vector<size_t>& marks) {
  std::vector<size_t> cuts;
  const auto near = [&](size_t from, size_t to) {
    for (size_t at = from; at < std::min(to, bytes.size()); ++at) cuts.push_back(at);
  };
  if (bytes.size() <= 2048) {
    near(1, bytes.size());
    return cuts;
  }
  near(1, 512);
  near(bytes.size() - 512, bytes.size());
  for (const size_t mark : marks) near(mark > 8 ? mark - 8 : 1, mark + 24);
  return cuts;
}

}  // namespace http_test

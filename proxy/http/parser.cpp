#include "proxy/http/parser.h"

#include <llhttp.h>

#include "proxy/base/check.h"
#include "proxy/http/head_check.h"
#include "proxy/http/head_scanner.h"

namespace http {
namespace {

static_assert(LLHTTP_STRICT_MODE == 1, "in its other mode llhttp ends a head at CR and any byte");

// llhttp tells us only what we compare. It never sees a byte beyond the head.
struct Opinion {
  const char* target = nullptr;
  size_t target_bytes = 0;
  size_t fields = 0;
  bool is_complete = false;
  bool is_bodiless = false;   // given to it: RFC 9112 6.3 1, which 8.1.0 gets wrong
  bool is_switching = false;  // given to it: an accepted 101
  uint16_t flags = 0;
  uint64_t length = 0;
};

Opinion& opinion_of(llhttp_t* parser) { return *static_cast<Opinion*>(parser->data); }

int on_target(llhttp_t* parser, const char* at, size_t length) {
  opinion_of(parser).target = at;
  opinion_of(parser).target_bytes = length;
  return 0;
}

int on_field(llhttp_t* parser) {
  ++opinion_of(parser).fields;
  return 0;
}

// The flags are gone once the message is complete, so they are read here.
int on_head(llhttp_t* parser) {
  Opinion& opinion = opinion_of(parser);
  opinion.is_complete = true;
  opinion.flags = parser->flags;
  opinion.length = parser->content_length;
  if (opinion.is_switching) return 2;
  return opinion.is_bodiless ? 1 : 0;
}

bool is_same_framing(const Opinion& opinion, BodyKind body, uint64_t length) {
  const bool chunked = (opinion.flags & F_CHUNKED) != 0;
  const bool has_length = (opinion.flags & F_CONTENT_LENGTH) != 0;
  if (chunked != (body == BodyKind::chunked)) return false;
  if (has_length != (body == BodyKind::length)) return false;
  return !has_length || opinion.length == length;
}

llhttp_method_t method_to_llhttp(Method method) {
  constexpr llhttp_method_t kMethods[] = {HTTP_GET,   HTTP_HEAD,   HTTP_POST,   HTTP_PUT,
                                          HTTP_PATCH, HTTP_DELETE, HTTP_OPTIONS};
  return kMethods[static_cast<size_t>(method)];
}

}  // namespace

struct HeadParser::Parts {
  explicit Parts(const HeadLimits& limits)
      : request_scanner(HeadKind::request,
                        {limits.head_bytes, limits.line_bytes, limits.target_bytes, limits.fields}),
        response_scanner(HeadKind::response,
                         {limits.response_head_bytes, limits.response_head_bytes,
                          limits.response_head_bytes, limits.response_fields}) {
    llhttp_settings_init(&settings);
    settings.on_url = on_target;
    settings.on_header_value_complete = on_field;
    settings.on_headers_complete = on_head;
    llhttp_init(&request_llhttp, HTTP_REQUEST, &settings);
    llhttp_init(&response_llhttp, HTTP_RESPONSE, &settings);
    request_llhttp.data = &opinion;
    response_llhttp.data = &opinion;
  }

  // Reads the head a second time. False: llhttp refuses it.
  bool ask(llhttp_t& parser, std::string_view head, bool is_bodiless, bool is_switching) {
    opinion = {};
    opinion.is_bodiless = is_bodiless;
    opinion.is_switching = is_switching;
    llhttp_reset(&parser);
    const llhttp_errno_t error = llhttp_execute(&parser, head.data(), head.size());
    return opinion.is_complete && (error == HPE_OK || error == HPE_PAUSED_UPGRADE);
  }

  const HeadScanner request_scanner;
  const HeadScanner response_scanner;
  Scan scan;
  llhttp_settings_t settings;
  llhttp_t request_llhttp;
  llhttp_t response_llhttp;
  Opinion opinion;
};

HeadParser::HeadParser(const HeadLimits& limits)
    : limits_(limits), parts_(std::make_unique<Parts>(limits)) {
  CHECK(limits.fields <= UINT16_MAX && limits.response_fields <= UINT16_MAX);
}
HeadParser::~HeadParser() = default;

Parsed HeadParser::parse_request(std::string_view bytes, size_t seen, RequestHead& head) {
  Scan& scan = parts_->scan;
  Parsed parsed;
  const auto refuse = [&parsed](base::ErrorCode code, const char* what) {
    parsed.state = Parsed::State::faulty;
    parsed.error = {code, base::Side::client, what};
  };
  parts_->request_scanner.scan(bytes, seen, head.fields, scan);
  if (scan.state == Scan::State::incomplete) return parsed;
  if (scan.state == Scan::State::faulty) {
    refuse(scan.fault.code, scan.fault.what);
    return parsed;
  }
  if (const Judgement found = check_request(scan, limits_.fields, limits_.body_bytes, head)) {
    refuse(found->code, found->what);
    return parsed;
  }
  const std::string_view text = bytes.substr(scan.start, scan.head_bytes - scan.start);
  const llhttp_t& second = parts_->request_llhttp;
  const Opinion& opinion = parts_->opinion;
  const StartLine& line = scan.start_line;
  if (!parts_->ask(parts_->request_llhttp, text, false, false)) {
    refuse(base::ErrorCode::parser_disagreement, "the second parser refuses the head");
  } else if (second.method != method_to_llhttp(head.method) || second.http_major != 1 ||
             second.http_minor != head.minor || opinion.fields != scan.fields ||
             opinion.target != line.received_target.data() ||
             opinion.target_bytes != line.received_target.size() ||
             !is_same_framing(opinion, head.framing.body, head.framing.length)) {
    refuse(base::ErrorCode::parser_disagreement, "the second parser reads another head");
  } else {
    parsed.state = Parsed::State::complete;
    parsed.head_bytes = scan.head_bytes;
  }
  return parsed;
}

Parsed HeadParser::parse_response(std::string_view bytes, size_t seen, Method to,
                                  bool upgrade_asked, ResponseHead& head) {
  Scan& scan = parts_->scan;
  Parsed parsed;
  const auto refuse = [&parsed](const char* what) {
    parsed.state = Parsed::State::faulty;
    parsed.error = {base::ErrorCode::bad_backend_message, base::Side::backend, what};
  };
  parts_->response_scanner.scan(bytes, seen, head.fields, scan);
  if (scan.state == Scan::State::incomplete) return parsed;
  if (scan.state == Scan::State::faulty) {
    refuse(scan.fault.what);
    return parsed;
  }
  const Judgement found = check_response(scan, limits_.response_fields, to, upgrade_asked, head);
  if (found) {
    refuse(found->what);
    return parsed;
  }
  const std::string_view text = bytes.substr(0, scan.head_bytes);
  const llhttp_t& second = parts_->response_llhttp;
  const Opinion& opinion = parts_->opinion;
  const bool is_switching = head.status == 101;
  const bool is_bodiless = head.framing.body == BodyKind::none && !is_switching;
  if (!parts_->ask(parts_->response_llhttp, text, is_bodiless, is_switching)) {
    refuse("the second parser refuses the head");
  } else if (second.status_code != head.status || second.http_major != 1 ||
             second.http_minor != head.minor || opinion.fields != scan.fields ||
             (!is_bodiless && !is_switching &&
              !is_same_framing(opinion, head.framing.body, head.framing.length))) {
    refuse("the second parser reads another head");
  } else {
    parsed.state = Parsed::State::complete;
    parsed.head_bytes = scan.head_bytes;
  }
  return parsed;
}

}  // namespace http

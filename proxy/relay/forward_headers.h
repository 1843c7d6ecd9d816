// What a head says when it leaves: rewritten towards the backend (one trusted hop, no hop-by-hop
// field) and towards the client. Pure; appends to a string that the caller reuses.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/base/address.h"
#include "proxy/http/message.h"
#include "proxy/http/writer.h"
#include "proxy/routing/routing_table.h"

namespace relay {

struct ClientFacts {
  base::Address peer;         // of the connection
  bool trusted = false;       // the peer is a trusted proxy: its X-Forwarded-* are kept
  bool tls = false;           // the connection itself is TLS
  std::string_view instance;  // our name in Via, for loop detection
};

// The client's address as forwarded: the last element of a trusted X-Forwarded-For, else the peer.
base::Address client_address(const http::RequestHead& head, const ClientFacts& client);
// https as the user sees it: X-Forwarded-Proto of a trusted peer (https or wss), else the
// connection.
bool is_https(const http::RequestHead& head, const ClientFacts& client);
// Is our own name in the request's Via (RFC 9110 7.6.3)?
bool has_looped(const http::RequestHead& head, std::string_view instance);

// How many more intermediaries an OPTIONS may pass (RFC 9110 7.6.2): 0 is ours to answer. -1: no
// limit, or one that nobody can read.
int max_forwards(const http::RequestHead& head);

// What testers say to us is not the backend's to read (routing::Force): the header never passes,
// and the cookie of that name is cut out of its field while there are tokens. The request line and
// fields, without framing, Connection, Upgrade and the end: those depend on the backend and come
// with write_request_end. Returns how many underscored fields were dropped.
int write_request_head(const http::RequestHead& head, const ClientFacts& client,
                       std::string_view request_id, const routing::Force& force, std::string& out);

struct RequestEnd {
  bool websocket = false;
  bool keep_alive = false;  // the backend may keep the connection
  http::BodyKind body = http::BodyKind::none;
  uint64_t length = 0;
};
void write_request_end(const RequestEnd& end, std::string& out);

struct AnswerFacts {
  std::string_view request_id;
  std::string_view date;           // used when the backend sent none
  std::string_view set_cookie;     // the affinity cookie, empty: none
  bool websocket = false;          // a 101 that we asked for
  bool keep_length_field = false;  // HEAD and 304: the backend's own Content-Length may stand
};
// Status line and fields; the end (framing, Connection, empty line) apart, since an answer that is
// held back learns its length last.
void write_answer_fields(const http::ResponseHead& head, const AnswerFacts& facts,
                         std::string& out);
void write_answer_end(http::BodyKind body, uint64_t length, bool close, std::string& out);
// An interim answer (1xx), without what speaks about the connection or a body.
void write_interim_head(const http::ResponseHead& head, std::string& out);

// May an answer carry the affinity cookie? Not 1xx, 304, nor what shared caches may keep.
bool may_carry_cookie(const http::ResponseHead& head);

}  // namespace relay

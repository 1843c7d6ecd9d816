// What a head's fields say together: Host, Connection, how the body is delimited, upgrades,
// expectations. Refuses what another reader could take differently. Inside proxy/http only.
#pragma once

#include "proxy/http/head_scanner.h"
#include "proxy/http/message.h"

namespace http {

// Needs: `scan` is complete and its fields are in `head.fields`. Fills in the rest of the head.
Judgement check_request(const Scan& scan, size_t fields_max, uint64_t body_bytes_max,
                        RequestHead& head);
Judgement check_response(const Scan& scan, size_t fields_max, Method to, bool upgrade_asked,
                         ResponseHead& head);

}  // namespace http

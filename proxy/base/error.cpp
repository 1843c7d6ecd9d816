#include "proxy/base/error.h"

#include <cstring>
#include <iterator>

namespace base {
namespace {

using enum ErrorCode;

constexpr ErrorFacts kErrorFacts[] = {
    {bad_message, 400, false, "bad_message"},
    {bad_version, 505, false, "bad_version"},
    {bad_method, 501, false, "bad_method"},
    {method_refused, 405, false, "method_refused"},
    {unknown_coding, 501, false, "unknown_coding"},
    {target_too_long, 414, false, "target_too_long"},
    {head_too_large, 431, false, "head_too_large"},
    {body_too_large, 413, false, "body_too_large"},
    {expectation_failed, 417, false, "expectation_failed"},
    {parser_disagreement, 400, false, "parser_disagreement"},
    {denied, 403, false, "denied"},
    {loop_detected, 508, false, "loop_detected"},
    {head_timeout, 408, false, "head_timeout"},
    {body_timeout, 408, false, "body_timeout"},
    {connect_timeout, 504, true, "connect_timeout"},
    {backend_timeout, 504, false, "backend_timeout"},
    {queue_timeout, 503, false, "queue_timeout"},
    {hold_timeout, 503, false, "hold_timeout"},
    {connect_refused, 502, true, "connect_refused"},
    {connect_failed, 502, true, "connect_failed"},
    {certificate_refused, 502, true, "certificate_refused"},
    {backend_reset, 502, true, "backend_reset"},
    {bad_backend_message, 502, false, "bad_backend_message"},
    {client_gone, 0, false, "client_gone"},
    {queue_full, 503, false, "queue_full"},
    {hold_full, 503, false, "hold_full"},
    {no_backend, 503, false, "no_backend"},
    {spool_full, 503, false, "spool_full"},
    {shutting_down, 503, false, "shutting_down"},
    {io_failed, 500, false, "io_failed"},
    {bad_config, 500, false, "bad_config"},
    {bad_input, 400, false, "bad_input"},
    {conflict, 409, false, "conflict"},
    {refused, 403, false, "refused"},
    {not_found, 404, false, "not_found"},
    {internal, 500, false, "internal"},
};

constexpr bool in_order() {
  for (size_t i = 0; i < std::size(kErrorFacts); ++i) {
    if (static_cast<size_t>(kErrorFacts[i].code) != i) return false;
  }
  return std::size(kErrorFacts) == static_cast<size_t>(internal) + 1;
}
static_assert(in_order(), "one row a code, in the order of the enum");

}  // namespace

const ErrorFacts& facts_of(ErrorCode code) { return kErrorFacts[static_cast<size_t>(code)]; }

Error io_error(std::string_view what, int errno_value) {
  char text[128];
  // The GNU variant: may return a static string and leave `text` alone.
  const char* reason = strerror_r(errno_value, text, sizeof text);
  return {io_failed, Side::proxy, std::string(what) + ": " + reason};
}

}  // namespace base

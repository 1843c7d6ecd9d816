#include "f29svc/api/refusal.h"

namespace f29 {

using base::ErrorCode;

Refusal refusal_of(const base::Error& error) {
  // Details of side `client` and `backend` are our own words; those of `proxy` may be a library's.
  const bool may_tell = error.side != base::Side::proxy;
  switch (error.code) {
    case ErrorCode::not_found:
      if (error.side == base::Side::backend) return {502, "odoo", error.detail, {}};
      return {404, "not_found", may_tell ? error.detail : "no such thing", {}};
    case ErrorCode::conflict:
      if (error.side == base::Side::backend) return {409, "books_changed", error.detail, {}};
      if (error.detail == "busy") return {409, "busy", "somebody else is working on it", {}};
      if (error.detail == "period_closed") {
        return {409, "period_closed", "the return was sent; begin a rectification", {}};
      }
      if (error.detail == "outage_on") return {409, "outage_on", "it is noted already", {}};
      if (error.detail == "outage_off") return {409, "outage_off", "no outage is noted", {}};
      return {409, "conflict", may_tell ? error.detail : "it is not possible now", {}};
    case ErrorCode::bad_input:
      return {422, "bad_input", may_tell ? error.detail : "it cannot be read", {}};
    default:
      if (error.side == base::Side::backend) return {502, "odoo", error.detail, {}};
      return {500, "internal", "it failed; the log says more", {}};
  }
}

}  // namespace f29

#include "f29svc/sources/odoo/notes.h"

#include <nlohmann/json.hpp>

namespace f29 {

using nlohmann::json;

base::Result<bool> has_note(OdooRpc& rpc, int64_t move, const std::string& mark) {
  bool found = false;
  const json domain =
      json::array({json::array({"model", "=", "account.move"}), json::array({"res_id", "=", move}),
                   json::array({"body", "ilike", mark})});
  auto read = rpc.read_all("mail.message", domain, {"res_id"}, [&](const JsonValue&) {
    found = true;
    return base::Result<>();
  });
  if (!read) return base::fail(read.error());
  return found;
}

// An internal note (mail.mt_note) mails nobody; without the first context value its author would
// become a follower, without the second whoever is named would.
base::Result<> post_note(OdooRpc& rpc, int64_t move, const std::string& text) {
  const json context = {{"mail_create_nosubscribe", true},
                        {"mail_post_autofollow", false},
                        {"tracking_disable", true}};
  auto done = rpc.change("account.move", "message_post", json::array({json::array({move})}),
                         {{"body", text},
                          {"message_type", "comment"},
                          {"subtype_xmlid", "mail.mt_note"},
                          {"context", context}});
  if (!done) return base::fail(done.error());
  return {};
}

}  // namespace f29

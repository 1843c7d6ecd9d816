// A note on a document in Odoo: seen in its history, sent to nobody, followed by nobody new.
#pragma once

#include <cstdint>
#include <string>

#include "f29svc/sources/odoo/rpc.h"

namespace f29 {

// Is there a note with that mark on the move already?
base::Result<bool> has_note(OdooRpc& rpc, int64_t move, const std::string& mark);
// One try: a lost answer does not tell, so ask has_note before another. `text` holds the mark.
base::Result<> post_note(OdooRpc& rpc, int64_t move, const std::string& text);

}  // namespace f29

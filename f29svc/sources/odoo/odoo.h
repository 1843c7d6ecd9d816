// The books of a month out of Odoo 17 with l10n_cl. Moves become Documents whose taxes are named
// by xmlid and tag and still `unresolved`: the mapping of compute/ says what they are.
#pragma once

#include <cstdint>
#include <string>

#include "f29svc/domain/document.h"
#include "f29svc/domain/finding.h"
#include "f29svc/domain/period.h"
#include "f29svc/domain/rut.h"
#include "f29svc/sources/odoo/rpc.h"

namespace f29 {

struct OdooRequest {
  Rut company;
  Period period;
  int64_t company_id = 0;     // Odoo's; 0: the company with that RUT
  std::string name = "odoo";  // how findings call this source
  uint16_t file = 0;          // index for Document::file
};

struct OdooCounts {
  int64_t moves = 0;      // met
  int64_t documents = 0;  // delivered, drafts and cancelled ones included
  int64_t drafts = 0;
  int64_t cancelled = 0;
  int64_t rejected = 0;  // not delivered, each with a finding
};

// Documents whose accounting date lies in the period, and fees of earlier months that were paid in
// it. Drafts and cancelled moves come too, with their state and the amounts of their head.
//
// A part's amount has the sign it has in its document: what is withheld is negative. `line_id` is
// the id of the tax line. Net is what has a tax, exempt is what has none.
//
// Nothing is delivered twice, and nothing is left out silently: whatever cannot become a document
// is a finding. A failed request is an error, and what was delivered until then is worthless.
base::Result<OdooCounts> read_odoo(OdooRpc& rpc, const OdooRequest& request,
                                   const DocumentSink& sink, Findings& findings);

}  // namespace f29

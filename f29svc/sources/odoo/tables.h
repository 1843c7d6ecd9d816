// What must be known of an Odoo before its moves can be read: company, document types, taxes with
// xmlids and tags.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "f29svc/domain/document.h"
#include "f29svc/domain/finding.h"
#include "f29svc/sources/odoo/odoo.h"

namespace f29 {

struct OdooTax {
  std::string name;
  std::string xmlid;
  bool is_group = false;
};

struct OdooTables {
  int64_t company_id = 0;
  int64_t currency_id = 0;
  std::vector<int64_t> fee_type_ids;                    // fee slips: 70, 71
  std::unordered_map<int64_t, int> types;               // document type → SII code
  std::unordered_map<int64_t, OdooTax> taxes;           // archived ones too
  std::unordered_map<int64_t, std::string> tags;        // Chilean ones, without their sign
  std::unordered_map<int64_t, int> non_recoverable_of;  // fiscal position → code 1 to 9
};

base::Result<OdooTables> read_tables(OdooRpc& rpc, const OdooRequest& request, Findings& findings);

// "1_ITAX_19" → "ITAX_19" for company 1; any other name as it is.
std::string bare_name(std::string_view name, int64_t company_id);

}  // namespace f29

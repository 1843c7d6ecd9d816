// What the books cannot give: a small record per company and period (inputs.yaml, or the store).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "f29svc/domain/box_value.h"
#include "f29svc/domain/document.h"

namespace f29 {

struct Settings {
  int utm_decimals = 2;           // of the UTM quantity carried over
  int factor_decimals = 3;        // of the common-use factor
  bool final_consumer = false;    // ILA sold to final consumers: no remanente in 507
  bool small_diesel = false;      // yearly sales under 15,000 UTM: no variable part
  bool exclude_annulled = false;  // invoices annulled by a note of the month are left out with it
  int liquidation_line = 17;      // 17: boxes 500/501; 7: 502/503
  bool lenient = false;           // keep rows with a wrong check digit
  int64_t tolerance = 0;          // pesos between two sources that are still the same
  bool electronic = true;         // files on the web: the 20th, else the 12th
  bool move_28th = false;         // the 28th moves to a business day too
  friend bool operator==(const Settings&, const Settings&) = default;
};

struct Fee {
  Pesos gross;
  std::optional<Decimal> rate;  // absent: the year's
  Date paid;                    // none: within the period
};

struct Addition {
  Side side = Side::purchase;
  int type = 0;
  Rut issuer;
  int64_t folio = 0;
  Pesos net;
  Pesos vat;
  Pesos exempt;
  Use use = Use::giro;
  Date date;
  std::string reason;
};

struct Inputs {
  std::optional<Pesos> previous_77;
  std::optional<Pesos> opening_504;
  std::map<Period, Decimal> utm;  // by the month in which a return is due
  std::optional<Decimal> common_use_factor;
  std::optional<Pesos> common_use_taxed;  // both or none
  std::optional<Pesos> common_use_total;
  Boxes boxes;
  std::vector<Fee> fees;
  std::vector<Addition> additions;
  std::optional<Date> postpone_filed_on;
  std::optional<Pesos> ledger_remanente;  // what the ledger says of 504; only reconciled
  Settings settings;
};

}  // namespace f29

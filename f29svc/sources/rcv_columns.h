// The header of a register file: which column is where, and what kind of file it is. Columns are
// found by name (any case, accents, dots, spaces), never by position.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "f29svc/sources/csv_scanner.h"

namespace f29 {

enum class Column : uint8_t {
  number,
  type,
  use,
  rut,
  name,
  folio,
  issued,
  received,
  acknowledged,
  claimed,
  exempt,
  net,
  vat,
  non_recoverable,
  non_recoverable_code,
  total,
  net_fixed_asset,
  vat_fixed_asset,
  vat_common_use,
  without_credit,
  not_withheld,
  tobacco_cigars,
  tobacco_cigarettes,
  tobacco_other,
  note_over_46,
  other_code,
  other_amount,
  other_rate,
  withheld_total,
  withheld_part,
  vat_own,
  vat_third,
  liquidation_issuer,
  commission_net,
  commission_exempt,
  commission_vat,
  out_of_window,
  reference_type,
  reference_folio,
  construction_credit,
  free_zone_tax,
  deposit,
  not_billable,
  tickets_national,
  tickets_international,
  documents,
  kept_only,  // a known column that nothing here needs
};
inline constexpr size_t kColumns = static_cast<size_t>(Column::kept_only);

struct RcvHeader {
  RcvKind kind = RcvKind::unknown;
  size_t count = 0;                       // columns, without empty names at the end
  std::array<int16_t, kColumns> place{};  // -1: absent
  std::vector<std::string> unknown;       // names that no table has
  std::vector<std::string> missing;       // names that this kind needs
  bool has(Column column) const { return place[static_cast<size_t>(column)] >= 0; }
};

RcvHeader read_rcv_header(const CsvRecord& record);

}  // namespace f29

#include "f29svc/sources/rcv_row.h"

#include <algorithm>
#include <array>

namespace f29 {
namespace {

__extension__ using Int128 = __int128;

// The share of `whole` that belongs to `part` of `all`, half-up.
int64_t share(int64_t whole, int64_t part, int64_t all) {
  if (part == 0 || all == 0) return 0;
  if (part == all) return whole;
  return static_cast<int64_t>((static_cast<Int128>(whole) * part * 2 + all) /
                              (static_cast<Int128>(all) * 2));
}

void add_vat(Document& document, Use use, bool common_use, int64_t base, int64_t amount) {
  if (amount == 0) return;
  Part& part = document.parts.emplace_back();
  part.kind = PartKind::vat;
  part.use = use;
  part.common_use = common_use;
  part.base = Pesos{base};
  part.amount = Pesos{amount};
}

void add_others(RcvRow& row) {
  Document& document = row.document;
  int64_t withheld = row.withheld();
  if (withheld != 0) {
    Part& part = document.parts.emplace_back();
    part.kind = PartKind::withheld_vat;
    part.base = document.net;
    part.amount = Pesos{withheld};
  }
  for (const OtherTax& tax : row.others) {
    if (row.is_by_buyer() && is_withholding_code(tax.code)) continue;
    Part& part = document.parts.emplace_back();
    part.kind = PartKind::other_tax;
    part.code = tax.code;
    part.base = document.net;
    part.amount = Pesos{tax.amount};
    part.rate = tax.rate;
    part.has_rate = tax.has_rate;
  }
}

// Purchases: the columns split the VAT by what may be done with it.
bool build_purchase(RcvRow& row) {
  Document& document = row.document;
  int64_t recoverable = row.vat;
  int64_t common = row.vat_common_use;
  int64_t none = row.non_recoverable;
  bool contradicts = false;
  // Files that keep the fixed asset's VAT apart instead of as a detail.
  if (recoverable + common + none == 0) recoverable = row.vat_fixed_asset;
  if (document.use == Use::non_recoverable && recoverable + common != 0) {
    contradicts = true;
    none += recoverable + common;
    recoverable = common = 0;
  }
  if (row.is_common_class && common == 0 && recoverable != 0) {
    contradicts = true;
    common = recoverable;
    recoverable = 0;
  }
  bool is_asset = document.use == Use::fixed_asset;
  int64_t asset = row.vat_fixed_asset;
  if (asset == 0 && is_asset) asset = recoverable + common;
  int64_t asset_recoverable = std::min(asset, recoverable);
  int64_t asset_common = std::min(asset - asset_recoverable, common);
  Use rest = is_asset || document.use == Use::non_recoverable ? Use::giro : document.use;

  int64_t all = recoverable + common + none;
  int64_t net = document.net.value();
  int64_t base_none = share(net, none, all);
  int64_t left = net - base_none;
  int64_t base_asset =
      std::min(row.net_fixed_asset != 0 ? row.net_fixed_asset
                                        : share(net, asset_recoverable + asset_common, all),
               left);
  add_vat(document, rest, false, left - base_asset, recoverable - asset_recoverable);
  add_vat(document, rest, true, left - base_asset, common - asset_common);
  add_vat(document, Use::fixed_asset, false, base_asset, asset_recoverable);
  add_vat(document, Use::fixed_asset, true, base_asset, asset_common);
  add_vat(document, Use::non_recoverable, false, base_none, none);
  return contradicts;
}

}  // namespace

void RcvRow::clear() {
  document.clear();
  others.clear();
  is_used = is_note_negative = is_common_class = false;
  vat = non_recoverable = net_fixed_asset = vat_fixed_asset = vat_common_use = 0;
  not_withheld = withheld_total = withheld_part = out_of_window = 0;
  without_credit = tobacco = deposit = not_billable = free_zone_tax = 0;
  construction_credit = tickets = 0;
}

bool is_withholding_code(int code) {
  return code == 15 || code == 16 || (code >= 30 && code <= 34) || (code >= 36 && code <= 41) ||
         (code >= 46 && code <= 55) || code == 301 || code == 321 || code == 331 || code == 341 ||
         code == 361 || code == 371 || code == 481;
}

int64_t RcvRow::withheld() const {
  if (!is_by_buyer()) return 0;
  int64_t by_code = 0;
  for (const OtherTax& tax : others) {
    if (is_withholding_code(tax.code)) by_code += tax.amount;
  }
  int64_t amount = std::max(by_code, withheld_total + withheld_part);
  if (amount == 0 && not_withheld != 0 && not_withheld < vat) amount = vat - not_withheld;
  return amount;
}

bool build_parts(RcvRow& row) {
  Document& document = row.document;
  document.parts.clear();
  bool contradicts = false;
  if (document.side == Side::purchase) {
    contradicts = build_purchase(row);
  } else {
    add_vat(document, document.use, false, document.net.value(), row.vat);
  }
  add_others(row);
  return contradicts;
}

int64_t total_difference(const RcvRow& row) {
  const Document& document = row.document;
  int64_t sum = document.net.value() + document.exempt.value() + row.vat + row.non_recoverable +
                row.vat_common_use - row.withheld();
  if (row.vat + row.non_recoverable + row.vat_common_use == 0) sum += row.vat_fixed_asset;
  for (const OtherTax& tax : row.others) {
    if (!row.is_by_buyer() || !is_withholding_code(tax.code)) sum += tax.amount;
  }
  int64_t difference = document.total.value() - sum;
  if (difference == 0) return 0;
  // Columns that are part of the total in some documents and not in others: any choice may fit.
  int64_t commission = document.commission_net.value() + document.commission_exempt.value() +
                       document.commission_vat.value();
  const std::array<int64_t, 9> maybe = {
      row.without_credit, row.tobacco,       row.deposit,
      row.not_billable,   row.free_zone_tax, row.tickets,
      row.out_of_window,  -commission,       -row.construction_credit};
  for (unsigned choice = 1; choice < (1u << maybe.size()); ++choice) {
    int64_t chosen = 0;
    for (size_t i = 0; i < maybe.size(); ++i) {
      if ((choice >> i & 1u) != 0) chosen += maybe[i];
    }
    if (chosen == difference) return 0;
  }
  return difference;
}

}  // namespace f29

#include "f29svc/compute/rules.h"

#include <iterator>

namespace f29 {
namespace {

// clang-format off
constexpr BoxRule kRulesTable[] = {
    {"sale_invoice_giro",               503, 502,  1},
    {"sale_invoice_real_estate",        763, 764,  1},
    {"sale_invoice_fixed_asset",        716, 717,  1},
    {"sale_exempt_part",                  0, 142,  1},
    {"sale_exempt_giro",                586, 142,  1},
    {"sale_exempt_other",               714, 715,  1},
    {"sale_export_invoice",             585,  20,  1},
    {"sale_export_debit_note",            0,  20,  1},
    {"sale_export_credit_note",           0,  20, -1},
    {"sale_receipt",                    110, 111,  1},
    {"sale_voucher",                    758, 759,  1},
    {"sale_debit_note",                 512, 513,  1},
    {"sale_debit_note_fixed_asset",     716, 717,  1},
    {"sale_credit_note",                509, 510,  1},
    {"sale_credit_note_voucher",        708, 709,  1},
    {"sale_credit_note_fixed_asset",    733, 734,  1},
    {"sale_exempt_credit_note",           0, 142, -1},
    {"sale_liquidation",                500, 501,  1},
    {"sale_liquidation_line_7",         503, 502,  1},
    {"sale_liquidation_commission",     503, 502,  1},
    {"sale_withheld_total",             515, 587,  1},
    {"sale_withheld_part",              516, 517,  1},
    {"sale_withheld_part_net",            0, 720,  1},
    {"sale_withheld_total_debit_note",    0, 587,  1},
    {"sale_withheld_total_credit_note",   0, 587, -1},
    {"sale_margin_withheld",            731, 732,  1},
    {"sale_margin_agent",                 0, 597,  1},
    {"purchase_invoice_giro",           519, 520,  1},
    {"purchase_invoice_supermarket",    761, 762,  1},
    {"purchase_invoice_real_estate",    765, 766,  1},
    {"purchase_invoice_fixed_asset",    524, 525,  1},
    {"purchase_no_credit",              564, 521,  1},
    {"purchase_no_credit_debit_note",     0, 521,  1},
    {"purchase_no_credit_credit_note",    0, 521, -1},
    {"purchase_exempt",                 584, 562,  1},
    {"purchase_exempt_part",              0, 562,  1},
    {"purchase_exempt_credit_note",       0, 562, -1},
    {"purchase_credit_note",            527, 528,  1},
    {"purchase_debit_note",             531, 532,  1},
    {"import_giro",                     534, 535,  1},
    {"import_fixed_asset",              536, 553,  1},
    {"import_no_credit",                566, 560,  1},
    {"withheld_total",                    0,  39,  1},
    {"withheld_part",                     0, 554,  1},
    {"withheld_by_credit_note",           0, 736,  1},
    {"fees",                              0, 151,  1},
};
static_assert(std::size(kRulesTable) == kRules);

constexpr Target kNone{};
constexpr Target plus(uint16_t box) { return {box, 1}; }
constexpr Target minus(uint16_t box) { return {box, -1}; }

constexpr OtherTaxRule kOtherTaxes[] = {
    {17,  "other_tax_17",  plus(555), minus(555), plus(555),   0, plus(556), minus(556), plus(556)},
    {18,  "other_tax_18",  plus(555), minus(555), plus(555),   0, plus(556), minus(556), plus(556)},
    {19,  "other_tax_19",  plus(555), minus(555), plus(555),   0, plus(556), minus(556), plus(556)},
    {23,  "other_tax_23",  plus(113), minus(113), plus(113),   0, plus(28),  minus(28),  plus(28)},
    {24,  "other_tax_24",  plus(577), plus(546),  plus(545), 575, plus(576), plus(559),  plus(551)},
    {25,  "other_tax_25",  plus(32),  plus(546),  plus(545), 574, plus(33),  plus(559),  plus(551)},
    {26,  "other_tax_26",  plus(150), plus(546),  plus(545), 580, plus(149), plus(559),  plus(551)},
    {27,  "other_tax_27",  plus(146), plus(546),  plus(545), 582, plus(85),  plus(559),  plus(551)},
    {44,  "other_tax_44",  plus(522), minus(522), plus(522),   0, kNone,     kNone,      kNone},
    {45,  "other_tax_45",  plus(526), minus(526), plus(526),   0, kNone,     kNone,      kNone},
    {271, "other_tax_271", plus(752), plus(546),  plus(545), 753, plus(754), plus(559),  plus(551)},
};

constexpr TaxMeaning vat(Use use, bool common_use = false) {
  return {PartKind::vat, use, common_use, 0, 0, 0, 0};
}
constexpr TaxMeaning other(uint16_t code) {
  return {PartKind::other_tax, Use::giro, false, code, 0, 0, 0};
}
constexpr TaxMeaning kFee{PartKind::fee_withheld, Use::giro, false, 0, 0, 0, 0};
constexpr TaxMeaning kWithheld{PartKind::withheld_vat, Use::giro, false, 0, 0, 0, 0};
constexpr TaxMeaning kNowhere{PartKind::boxed, Use::giro, false, 0, 0, 0, 0};

// The specific tax `especifico_compra` has no box by itself and stays unmapped on purpose.
constexpr NamedMeaning kByXmlid[] = {
    {"ITAX_19", vat(Use::giro)}, {"OTAX_19", vat(Use::giro)},
    {"iva_supermercado_recup", vat(Use::supermarket)},
    {"iva_activo_fijo", vat(Use::fixed_asset)},
    {"iva_compra_uso_comun", vat(Use::giro, true)},
    {"iva_activo_fijo_uso_comun", vat(Use::fixed_asset, true)},
    {"iva_compra_no_recup", vat(Use::non_recoverable)},
    {"iva_activo_fijo_uso_no_recup", vat(Use::non_recoverable)},
    {"I_IU2C", kFee}, {"I_IR2C_2021", kFee}, {"I_IR2C_2022", kFee}, {"I_IR2C_2023", kFee},
    {"I_IR2C_2024", kFee}, {"I_IR2C_2025", kFee}, {"I_IR2C_2026", kFee}, {"I_IR2C_2027", kFee},
    {"I_IR2C_2028", kFee}, {"I_RTI", kWithheld},
    {"ila_a_100_p", other(27)}, {"ila_a_100_s", other(27)},
    {"ila_a_180_p", other(271)}, {"ila_a_180_s", other(271)},
    {"ila_v_205_p", other(25)}, {"ila_v_205_s", other(25)},
    {"ila_l_315_p", other(24)}, {"ila_l_315_s", other(24)},
    {"iec_gasoline", other(35)}, {"iec_diesel", other(28)},
};

// Tags of tax lines. Those of ILA are shared by all products and say nothing.
constexpr NamedMeaning kByTag[] = {
    {"iva debito fiscal", vat(Use::giro)},
    {"iva pagado compras recuperables", vat(Use::giro)},
    {"iva pagado compras supermercado", vat(Use::supermarket)},
    {"iva pagado compras uso comun", vat(Use::giro, true)},
    {"iva pagado no recuperable", vat(Use::non_recoverable)},
    {"compras activo fijo", vat(Use::fixed_asset)},
    {"compras activo fijo uso comun", vat(Use::fixed_asset, true)},
    {"compras activo fijo no recuperables", vat(Use::non_recoverable)},
    {"retencion segunda categoria", kFee},
    {"retencion total compras", kWithheld},
};

constexpr NamedMeaning kByWord[] = {
    {"vat", vat(Use::giro)}, {"vat_supermarket", vat(Use::supermarket)},
    {"vat_real_estate", vat(Use::real_estate)}, {"vat_fixed_asset", vat(Use::fixed_asset)},
    {"vat_common_use", vat(Use::giro, true)},
    {"vat_fixed_asset_common_use", vat(Use::fixed_asset, true)},
    {"vat_non_recoverable", vat(Use::non_recoverable)},
    {"withheld_vat", kWithheld}, {"fee_withheld", kFee},
    {"spirits", other(24)}, {"wine", other(25)}, {"beer", other(26)}, {"soft_drinks", other(27)},
    {"sugary_drinks", other(271)}, {"diesel", other(28)}, {"diesel_carriers", other(29)},
    {"petrol", other(35)}, {"art_37_abc", other(23)}, {"art_37_ehil", other(44)},
    {"art_37_j", other(45)}, {"none", kNowhere},
};
// clang-format on

struct YearRate {
  int year;
  Decimal rate;
};
constexpr YearRate kFeeRates[] = {
    {2020, {1075, 2}}, {2021, {115, 1}},  {2022, {1225, 2}}, {2023, {13, 0}}, {2024, {1375, 2}},
    {2025, {145, 1}},  {2026, {1525, 2}}, {2027, {16, 0}},   {2028, {17, 0}},
};

}  // namespace

std::span<const BoxRule> default_rules() { return kRulesTable; }
std::span<const OtherTaxRule> other_tax_rules() { return kOtherTaxes; }
std::span<const NamedMeaning> meanings_by_xmlid() { return kByXmlid; }
std::span<const NamedMeaning> meanings_by_tag() { return kByTag; }
std::span<const NamedMeaning> meanings_by_word() { return kByWord; }

const Decimal* fee_rate(int year) {
  if (year > std::prev(std::end(kFeeRates))->year) return &std::prev(std::end(kFeeRates))->rate;
  for (const YearRate& row : kFeeRates) {
    if (row.year == year) return &row.rate;
  }
  return nullptr;
}

}  // namespace f29

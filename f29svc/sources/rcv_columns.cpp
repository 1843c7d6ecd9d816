#include "f29svc/sources/rcv_columns.h"

#include "f29svc/domain/words.h"

namespace f29 {
namespace {

using enum Column;

struct Name {
  std::string_view words;  // as plain_words gives it
  Column column;
};
// clang-format off
constexpr Name kNames[] = {
    {"nro", number}, {"tipo doc", type}, {"tipo documento", type}, {"tipo de documento", type},
    {"tipo docto", type}, {"tipo compra", use}, {"tipo venta", use}, {"rut proveedor", rut},
    {"rut cliente", rut}, {"razon social", name}, {"folio", folio}, {"fecha docto", issued},
    {"fecha documento", issued}, {"fecha doc", issued}, {"fecha recepcion", received},
    {"fecha acuse", acknowledged}, {"fecha acuse recibo", acknowledged}, {"fecha reclamo", claimed},
    {"monto exento", exempt}, {"monto neto", net}, {"monto iva recuperable", vat},
    {"iva recuperable", vat}, {"monto iva", vat}, {"monto iva no recuperable", non_recoverable},
    {"iva no recuperable", non_recoverable}, {"codigo iva no rec", non_recoverable_code},
    {"monto total", total}, {"monto neto activo fijo", net_fixed_asset},
    {"iva activo fijo", vat_fixed_asset}, {"iva uso comun", vat_common_use},
    {"impto sin derecho a credito", without_credit}, {"iva no retenido", not_withheld},
    {"tabacos puros", tobacco_cigars}, {"tabacos cigarrillos", tobacco_cigarettes},
    {"tabacos elaborados", tobacco_other}, {"nce o nde sobre fact de compra", note_over_46},
    {"codigo otro impuesto", other_code}, {"codigo otro imp", other_code},
    {"valor otro impuesto", other_amount}, {"valor otro imp", other_amount},
    {"tasa otro impuesto", other_rate}, {"tasa otro imp", other_rate},
    {"iva retenido total", withheld_total}, {"iva retenido parcial", withheld_part},
    {"iva propio", vat_own}, {"iva terceros", vat_third},
    {"rut emisor liquid factura", liquidation_issuer},
    {"neto comision liquid factura", commission_net},
    {"exento comision liquid factura", commission_exempt},
    {"iva comision liquid factura", commission_vat}, {"iva fuera de plazo", out_of_window},
    {"tipo docto referencia", reference_type}, {"folio docto referencia", reference_folio},
    {"credito empresa constructora", construction_credit},
    {"impto zona franca ley 18211", free_zone_tax}, {"impto zona franca", free_zone_tax},
    {"garantia dep envases", deposit}, {"monto no facturable", not_billable},
    {"venta pasajes transporte nacional", tickets_national},
    {"venta pasajes transporte internacional", tickets_international},
    {"total documentos", documents}, {"num ident receptor extranjero", kept_only},
    {"nacionalidad receptor extranjero", kept_only}, {"indicador venta sin costo", kept_only},
    {"indicador servicio periodico", kept_only}, {"total monto periodo", kept_only},
    {"numero interno", kept_only}, {"codigo sucursal", kept_only},
};
// clang-format on

struct Need {
  Column column;
  std::string_view label;
};
constexpr Need kDetailNeeds[] = {
    {type, "Tipo Doc"},       {rut, "RUT"},        {folio, "Folio"},   {issued, "Fecha Docto"},
    {exempt, "Monto Exento"}, {net, "Monto Neto"}, {vat, "Monto IVA"}, {total, "Monto Total"},
};
constexpr Need kSummaryNeeds[] = {
    {type, "Tipo Documento"}, {documents, "Total Documentos"},
    {exempt, "Monto Exento"}, {net, "Monto Neto"},
    {vat, "Monto IVA"},       {total, "Monto Total"},
};

RcvKind kind_of(const RcvHeader& header, bool is_purchase_summary, bool is_purchase) {
  if (header.has(documents)) {
    return is_purchase_summary ? RcvKind::summary_purchase : RcvKind::summary_sale;
  }
  if (!header.has(use)) return RcvKind::unknown;
  if (!is_purchase) return RcvKind::sale;
  if (header.has(claimed)) return RcvKind::purchase_claimed;
  if (!header.has(acknowledged)) return RcvKind::purchase_pending;
  return header.has(tobacco_cigars) ? RcvKind::purchase_registered : RcvKind::purchase_not_included;
}

}  // namespace

RcvHeader read_rcv_header(const CsvRecord& record) {
  RcvHeader header;
  header.place.fill(-1);
  bool is_purchase = false;
  bool is_purchase_summary = false;
  size_t kept = record.count < CsvRecord::kFieldsMost ? record.count : CsvRecord::kFieldsMost;
  for (size_t i = 0; i < kept; ++i) {
    std::string words = plain_words(record.fields[i]);
    if (words.empty()) continue;
    header.count = i + 1;
    is_purchase |= words == "tipo compra";
    is_purchase_summary |= words == "iva recuperable";
    bool is_known = false;
    for (const Name& candidate : kNames) {
      if (candidate.words != words) continue;
      is_known = true;
      auto at = static_cast<size_t>(candidate.column);
      if (at < kColumns && header.place[at] < 0) header.place[at] = static_cast<int16_t>(i);
    }
    if (!is_known) header.unknown.push_back(std::move(words));
  }
  header.kind = kind_of(header, is_purchase_summary, is_purchase);
  bool is_summary =
      header.kind == RcvKind::summary_sale || header.kind == RcvKind::summary_purchase;
  auto need = [&](const Need& wanted) {
    if (!header.has(wanted.column)) header.missing.emplace_back(wanted.label);
  };
  if (is_summary) {
    for (const Need& wanted : kSummaryNeeds) need(wanted);
  } else {
    for (const Need& wanted : kDetailNeeds) need(wanted);
  }
  return header;
}

}  // namespace f29

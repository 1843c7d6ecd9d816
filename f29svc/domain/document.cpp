#include "f29svc/domain/document.h"

#include <algorithm>
#include <array>
#include <bitset>

namespace f29 {
namespace {

constexpr uint16_t kKnownTypes[] = {
    29,  30,  32,  33,  34,  35,  38,  39,  40,  41,  43,  45,  46,  47,  48,  50,  52,  55,  56,
    60,  61,  70,  71,  101, 102, 103, 104, 105, 106, 108, 109, 110, 111, 112, 175, 180, 185, 500,
    501, 801, 802, 803, 804, 805, 806, 807, 808, 809, 810, 811, 812, 813, 814, 815, 900, 901, 902,
    903, 904, 905, 906, 907, 908, 909, 910, 911, 914, 918, 919, 920, 921, 922, 923, 924};

const std::bitset<1024>& known_types() {
  static const std::bitset<1024> kKnown = [] {
    std::bitset<1024> known;
    for (uint16_t type : kKnownTypes) known.set(type);
    return known;
  }();
  return kKnown;
}

}  // namespace

std::string_view side_text(Side side) { return side == Side::sale ? "sale" : "purchase"; }

std::string_view section_text(Section section) {
  constexpr std::array<std::string_view, 7> kTexts = {
      "registered", "pending", "not_included", "claimed", "summary", "books", "manual"};
  return kTexts[static_cast<size_t>(section)];
}

std::string_view use_text(Use use) {
  constexpr std::array<std::string_view, 6> kTexts = {
      "giro", "supermarket", "real_estate", "fixed_asset", "non_recoverable", "excluded"};
  return kTexts[static_cast<size_t>(use)];
}

void Document::clear() {
  static_cast<DocumentFacts&>(*this) = DocumentFacts{};
  name.clear();
  parts.clear();
  taxes.clear();
  references.clear();
}

Rut Document::issuer() const {
  bool is_invoice_of_buyer = type == 46 || type == 45 || note_over_46;
  if (side == Side::purchase) return is_invoice_of_buyer ? company : counterparty;
  bool is_liquidation = type == 43 || type == 40;
  return is_invoice_of_buyer || is_liquidation ? counterparty : company;
}

Pesos Document::vat() const {
  Pesos total_vat;
  for (const Part& part : parts) {
    if (part.kind == PartKind::vat) total_vat += part.amount;
  }
  return total_vat;
}

std::string DocumentKey::text() const {
  return std::string(side_text(side)) + ' ' + std::to_string(type) + ' ' + Rut{issuer}.text() +
         ' ' + std::to_string(folio);
}

DocumentKey key_of(const Document& document) {
  return {document.issuer().number(), document.type, document.side, document.folio};
}

Date acceptance_date(const Document& document) {
  if (!document.acknowledged.is_none() || document.received.is_none()) {
    return document.acknowledged;
  }
  Date date = document.received;
  for (int i = 0; i < 8; ++i) date = next_day(date);
  return date;
}

bool is_known_type(int type) {
  return type > 0 && type < 1024 && known_types().test(static_cast<size_t>(type));
}
bool is_credit_note(int type) { return type == 61 || type == 60 || type == 112 || type == 106; }
bool is_debit_note(int type) { return type == 56 || type == 55 || type == 111 || type == 104; }
bool is_receipt(int type) {
  return type == 39 || type == 35 || type == 38 || type == 41 || type == 48;
}
bool is_electronic(int type) {
  return type == 33 || type == 43 || type == 46 || type == 56 || type == 61;
}

std::string_view type_text(int type) {
  switch (type) {
    case 29:
      return "factura de inicio";
    case 30:
      return "factura";
    case 32:
      return "factura exenta";
    case 33:
      return "factura electrónica";
    case 34:
      return "factura exenta electrónica";
    case 35:
      return "boleta";
    case 38:
      return "boleta exenta";
    case 39:
      return "boleta electrónica";
    case 40:
      return "liquidación factura";
    case 41:
      return "boleta exenta electrónica";
    case 43:
      return "liquidación factura electrónica";
    case 45:
      return "factura de compra";
    case 46:
      return "factura de compra electrónica";
    case 48:
      return "comprobante de pago electrónico";
    case 55:
      return "nota de débito";
    case 56:
      return "nota de débito electrónica";
    case 60:
      return "nota de crédito";
    case 61:
      return "nota de crédito electrónica";
    case 71:
      return "boleta de honorarios";
    case 101:
      return "factura de exportación";
    case 104:
      return "nota de débito de exportación";
    case 106:
      return "nota de crédito de exportación";
    case 110:
      return "factura de exportación electrónica";
    case 111:
      return "nota de débito de exportación electrónica";
    case 112:
      return "nota de crédito de exportación electrónica";
    case 914:
      return "declaración de ingreso";
    default:
      return "documento";
  }
}

}  // namespace f29

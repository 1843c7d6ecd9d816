// One tax document as every source delivers it: the purchase and sales register (RCV), Odoo's
// books, a JSON list, or an addition typed by the user. Amounts are positive in the document's own
// direction, notes included; the rules of compute/ give the sign.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "f29svc/domain/money.h"
#include "f29svc/domain/period.h"
#include "f29svc/domain/rut.h"

namespace f29 {

enum class Side : uint8_t { sale, purchase };
std::string_view side_text(Side side);

// Where the document stands. Only registered, summary, books and manual ones are declared.
enum class Section : uint8_t {
  registered,    // RCV: REGISTRO, or the sales file
  pending,       // RCV: PENDIENTE
  not_included,  // RCV: NO_INCLUIR
  claimed,       // RCV: RECLAMADO
  summary,       // a row of RESUMEN_VENTA: `count` documents of one type
  books,         // Odoo or a JSON document list
  manual,        // an addition of the inputs
};
std::string_view section_text(Section section);

// What a purchase was for, or what was sold. Decides the line of the form.
enum class Use : uint8_t {
  giro,  // the company's own trade; the default
  supermarket,
  real_estate,
  fixed_asset,
  non_recoverable,
  excluded,  // "No Corresp. Incluir"
};
std::string_view use_text(Use use);

enum class PartKind : uint8_t {
  vat,           // VAT of the document; `use` and `common_use` say whose line
  withheld_vat,  // of that VAT, what the buyer keeps (46); positive
  fee_withheld,  // second category (honorarios); positive; counts by `paid`
  other_tax,     // "otro impuesto"; `code` is the SII's
  unresolved,    // a tax of the books that mapping has not looked at yet; `source` names it
  boxed,         // the user's table sends it to `box`, counted in `count_box`
};

// One tax of a document with its base.
struct Part {
  PartKind kind = PartKind::vat;
  Use use = Use::giro;
  bool common_use = false;  // VAT of common use: the factor applies
  uint16_t code = 0;        // other_tax: SII code, 271, 28 …
  uint16_t box = 0;         // boxed only
  uint16_t count_box = 0;
  int16_t source = -1;  // index into Document::taxes
  bool has_rate = false;
  Pesos base;
  Pesos amount;
  Decimal rate;
};

// A tax as the books name it. `line_id` identifies the document line for ever.
struct SourceTax {
  int64_t tax_id = 0;
  int64_t line_id = 0;
  std::string xmlid;  // without module and company: "ITAX_19"; empty if there is none
  std::string name;
  std::vector<std::string> tags;  // names without their sign
};

struct Reference {
  int type = 0;
  std::string folio;  // digits, or one alphanumeric reference
};

enum class BookState : uint8_t { posted, draft, cancelled };

// Everything of a document but its text and its lists.
struct DocumentFacts {
  Side side = Side::sale;
  Section section = Section::registered;
  BookState state = BookState::posted;
  Use use = Use::giro;         // of the document as a whole
  uint16_t type = 0;           // SII type: 33, 61, 914 …
  bool note_over_46 = false;   // "NCE o NDE sobre Fact. de Compra" is 1
  bool out_of_window = false;  // sale 61/60 with "IVA fuera de plazo": not declared
  bool fee_partner = false;    // the partner is a second-category taxpayer (books only)
  bool has_total = true;
  uint8_t non_recoverable_code = 0;  // 1 exempt use, 2 late, 3 rejected, 4 free, 9 other
  Rut company;                       // whose books these are
  Rut counterparty;                  // supplier or client
  Rut liquidation_issuer;            // "RUT Emisor Liquid. Factura"
  int64_t folio = 0;                 // 0: none (summary rows)
  int64_t count = 1;                 // documents that this row stands for

  Date issued;
  Date received;
  Date acknowledged;
  Date claimed;
  Date accounted;  // the books' own date
  Date delivered;  // for the window of credit notes
  Date paid;       // fees: payment date

  Pesos net;
  Pesos exempt;
  Pesos total;
  Pesos commission_net;  // liquidación-factura
  Pesos commission_exempt;
  Pesos commission_vat;

  uint16_t file = 0;      // index given by the caller
  uint32_t line = 0;      // 1-based; 0: none
  int64_t source_id = 0;  // Odoo's move id, else 0
};

struct Document : DocumentFacts {
  std::string name;  // UTF-8, trimmed, no control characters
  std::vector<Part> parts;
  std::vector<SourceTax> taxes;
  std::vector<Reference> references;

  // Back to a fresh document; keeps the memory of its lists and strings.
  void clear();
  Rut issuer() const;
  Pesos vat() const;  // all parts of kind vat
};

// The key (type, issuer, folio) is unique on a side.
struct DocumentKey {
  uint32_t issuer = 0;
  uint16_t type = 0;
  Side side = Side::sale;
  int64_t folio = 0;
  friend auto operator<=>(const DocumentKey&, const DocumentKey&) = default;
  std::string text() const;  // "purchase 33 99990001-1 1001"
};
DocumentKey key_of(const Document& document);

// The day on which the buyer's acceptance is given: the acuse, or automatically eight days after
// the tax authority has received the document. None: not received.
Date acceptance_date(const Document& document);

// Types and their kin.
bool is_known_type(int type);
bool is_credit_note(int type);         // 60, 61, 106, 112
bool is_debit_note(int type);          // 55, 56, 104, 111
bool is_receipt(int type);             // 35, 38, 39, 41, 48: only in summaries
bool is_electronic(int type);          // 33, 43, 46, 56, 61: those of box 511
std::string_view type_text(int type);  // Spanish, short: "factura electrónica"

using DocumentSink = std::function<void(const Document&)>;

}  // namespace f29

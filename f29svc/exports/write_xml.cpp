// Our own XML; conf/f29-return.xsd describes it.
#include <array>

#include "f29svc/exports/writers.h"
#include "f29svc/form/form.h"

namespace f29 {
namespace {

struct Total {
  int code;
  std::string_view element;
};
constexpr std::array<Total, 6> kTotals = {{{538, "debits"},
                                           {537, "credits"},
                                           {595, "front"},
                                           {547, "determined"},
                                           {91, "payable"},
                                           {94, "payableLate"}}};

std::string escaped(std::string_view text) {
  std::string safe;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    // U+FFFE and U+FFFF are no characters of XML.
    if (text.substr(i, 2) == "\xEF\xBF" && i + 2 < text.size() && (text[i + 2] & 0x3E) == 0x3E) {
      safe += ' ';
      i += 2;
      continue;
    }
    switch (c) {
      case '&':
        safe += "&amp;";
        break;
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '"':
        safe += "&quot;";
        break;
      default:
        safe += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
  }
  return safe;
}

std::string_view element_of(const BoxInfo& box) {
  if (may_be_negative(box.code)) return "signed";
  switch (box.kind) {
    case BoxKind::count:
      return "count";
    case BoxKind::rate:
      return "rate";
    case BoxKind::volume:
      return "volume";
    case BoxKind::checkbox:
      return "mark";
    case BoxKind::date:
    case BoxKind::id:
      return "text";
    default:
      return "amount";
  }
}

bool is_total(int code) {
  for (const Total& total : kTotals) {
    if (total.code == code) return true;
  }
  return false;
}

void write_box(std::ostream& out, std::string_view element, int code, FormVersion version,
               std::string_view value) {
  const BoxInfo* box = find_box(code);
  out << "    <" << element << " code=\"" << code << '"';
  int line = line_of(code, version);
  if (line != 0) out << " line=\"" << line << '"';
  if (box != nullptr && box->sign != ' ') out << " sign=\"" << box->sign << '"';
  if (box != nullptr) out << " label=\"" << escaped(box->label) << '"';
  out << '>' << escaped(value) << "</" << element << ">\n";
}

}  // namespace

void write_xml(const Return& tax_return, std::ostream& out) {
  FormVersion version = version_of(tax_return.period);
  out << "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      << "<return xmlns=\"urn:f29svc:return:1\">\n"
      << "  <company>" << tax_return.company.text() << "</company>\n";
  if (!tax_return.name.empty()) out << "  <name>" << escaped(tax_return.name) << "</name>\n";
  out << "  <period>" << tax_return.period.text() << "</period>\n"
      << "  <version>" << tax_return.version << "</version>\n";
  if (!tax_return.folio.empty()) out << "  <folio>" << escaped(tax_return.folio) << "</folio>\n";
  out << "  <state>" << state_text(tax_return.state) << "</state>\n"
      << "  <form>" << version_text(version) << "</form>\n"
      << "  <due>" << tax_return.due.text() << "</due>\n"
      << "  <declaration>" << declaration_text(tax_return.declaration) << "</declaration>\n"
      << "  <boxes>\n";
  for (const auto& [code, value] : tax_return.boxes) {
    const BoxInfo* box = find_box(code);
    if (box == nullptr || is_total(code)) continue;
    write_box(out, element_of(*box), code, version, value.plain());
  }
  out << "  </boxes>\n  <totals>\n";
  for (const Total& total : kTotals) {
    write_box(out, total.element, total.code, version,
              std::to_string(amount_in(tax_return.boxes, total.code)));
  }
  out << "  </totals>\n";
  if (!tax_return.extras.empty()) {
    out << "  <extras>\n";
    for (const auto& [code, value] : tax_return.extras) {
      out << "    <extra code=\"" << escaped(code) << "\">" << escaped(value) << "</extra>\n";
    }
    out << "  </extras>\n";
  }
  out << "</return>\n";
}

}  // namespace f29

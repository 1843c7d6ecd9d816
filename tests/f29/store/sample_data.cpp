#include "tests/f29/store/sample_data.h"

#include <sstream>

namespace f29test {

using namespace f29;

namespace {

class Dice {
 public:
  explicit Dice(std::mt19937_64& random) : random_(random) {}
  int64_t upto(int64_t most) { return static_cast<int64_t>(random_() % (most + 1ull)); }
  bool maybe(int one_in = 2) { return upto(one_in - 1) == 0; }
  Pesos pesos() { return Pesos{upto(3) == 0 ? 0 : upto(kAmountMost)}; }
  Date date() {
    if (maybe()) return {};
    return {static_cast<int16_t>(2017 + upto(12)), static_cast<int8_t>(1 + upto(11)),
            static_cast<int8_t>(1 + upto(27))};
  }
  std::string text() {
    static const std::vector<std::string> pieces = {
        "",     "Ñandú ", ";\"quoted\"", "a\\b", "{x}", ",", "12:34",
        "NULL", "'",      "=1+1",        "Año",  " ",   "💡"};
    std::string all;
    for (int64_t left = upto(4); left > 0; --left) all += pieces[upto(pieces.size() - 1)];
    return all;
  }
  Rut rut() { return maybe(5) ? Rut() : Rut{static_cast<uint32_t>(upto(99'999'999))}; }

 private:
  std::mt19937_64& random_;
};

Part random_part(Dice& dice) {
  Part part;
  part.kind = static_cast<PartKind>(dice.upto(5));
  part.use = static_cast<Use>(dice.upto(5));
  part.common_use = dice.maybe();
  part.code = static_cast<uint16_t>(dice.upto(999));
  part.box = static_cast<uint16_t>(dice.upto(999));
  part.count_box = static_cast<uint16_t>(dice.upto(999));
  part.source = static_cast<int16_t>(dice.upto(20) - 1);
  part.has_rate = dice.maybe();
  part.base = dice.pesos();
  part.amount = Pesos{} - dice.pesos();
  part.rate = Decimal{dice.upto(1'000'000) - 1'000, static_cast<int>(dice.upto(9))};
  return part;
}

void describe_key(const DocumentKey& key, std::ostream& out) {
  out << int(key.side) << '/' << key.type << '/' << key.issuer << '/' << key.folio << ' ';
}

}  // namespace

Document random_document(std::mt19937_64& random) {
  Dice dice(random);
  Document d;
  d.side = static_cast<Side>(dice.upto(1));
  d.section = static_cast<Section>(dice.upto(6));
  d.type = static_cast<uint16_t>(dice.maybe() ? 33 : dice.upto(999));
  d.counterparty = dice.rut();
  d.folio = dice.upto(1'000'000'000'000);
  d.issued = dice.date();
  d.net = dice.pesos();
  d.exempt = dice.pesos();
  d.total = dice.pesos();
  d.line = static_cast<uint32_t>(dice.upto(UINT32_MAX));
  d.name = dice.text();
  if (dice.maybe()) {  // the usual document
    Part& part = d.parts.emplace_back();
    part.base = d.net;
    part.amount = dice.pesos();
    return d;
  }
  d.state = static_cast<BookState>(dice.upto(2));
  d.use = static_cast<Use>(dice.upto(5));
  d.note_over_46 = dice.maybe();
  d.out_of_window = dice.maybe();
  d.fee_partner = dice.maybe();
  d.has_total = dice.maybe();
  d.non_recoverable_code = static_cast<uint8_t>(dice.upto(9));
  d.liquidation_issuer = dice.rut();
  d.count = dice.upto(100'000);
  for (Date* date :
       {&d.received, &d.acknowledged, &d.claimed, &d.accounted, &d.delivered, &d.paid}) {
    *date = dice.date();
  }
  for (Pesos* amount : {&d.commission_net, &d.commission_exempt, &d.commission_vat}) {
    *amount = dice.pesos();
  }
  for (int64_t left = dice.upto(4); left > 0; --left) d.parts.push_back(random_part(dice));
  for (int64_t left = dice.upto(2); left > 0; --left) {
    SourceTax& tax = d.taxes.emplace_back();
    tax.tax_id = dice.upto(99);
    tax.line_id = dice.upto(1'000'000);
    tax.xmlid = dice.text();
    tax.name = dice.text();
    for (int64_t tags = dice.upto(2); tags > 0; --tags) tax.tags.push_back(dice.text());
  }
  for (int64_t left = dice.upto(2); left > 0; --left) {
    d.references.push_back({static_cast<int>(dice.upto(999)), dice.text()});
  }
  d.source_id = dice.upto(1'000'000'000);
  return d;
}

std::string describe(const Document& d) {
  std::ostringstream out;
  out << int(d.side) << ' ' << int(d.section) << ' ' << int(d.state) << ' ' << int(d.use) << ' '
      << d.type << ' ' << d.note_over_46 << d.out_of_window << d.fee_partner << d.has_total << ' '
      << int(d.non_recoverable_code) << ' ' << d.counterparty.text() << ' '
      << d.liquidation_issuer.text() << ' ' << d.folio << ' ' << d.count << " [" << d.name << "] ";
  for (const Date& date :
       {d.issued, d.received, d.acknowledged, d.claimed, d.accounted, d.delivered, d.paid}) {
    out << '<' << date.text() << '>';
  }
  for (const Pesos amount :
       {d.net, d.exempt, d.total, d.commission_net, d.commission_exempt, d.commission_vat}) {
    out << ' ' << amount.value();
  }
  for (const Part& p : d.parts) {
    out << "\n part " << int(p.kind) << ' ' << int(p.use) << ' ' << p.common_use << ' ' << p.code
        << ' ' << p.box << ' ' << p.count_box << ' ' << p.source << ' ' << p.has_rate << ' '
        << p.base.value() << ' ' << p.amount.value() << ' ' << p.rate.units() << '/'
        << p.rate.scale();
  }
  for (const SourceTax& tax : d.taxes) {
    out << "\n tax " << tax.tax_id << ' ' << tax.line_id << " [" << tax.xmlid << "] [" << tax.name
        << ']';
    for (const std::string& tag : tax.tags) out << " [" << tag << ']';
  }
  for (const Reference& r : d.references) out << "\n ref " << r.type << " [" << r.folio << ']';
  out << "\n " << d.line << ' ' << d.source_id << '\n';
  return out.str();
}

Return random_return(std::mt19937_64& random) {
  Dice dice(random);
  Return r;
  r.state = ReturnState::computed;
  r.boxes[538] = BoxValue::of(Pesos{-1'234});
  r.boxes[115] = BoxValue::of(Decimal{125, 3});
  r.boxes[315] = BoxValue::of(std::string("22/01/2019"));
  for (int left = 30; left > 0; --left) {
    r.boxes[static_cast<int>(1 + dice.upto(900))] = BoxValue::of(dice.pesos());
  }
  r.extras["8020"] = dice.text();
  r.iva_debito = Pesos{-1'234};
  r.iva_credito = dice.pesos();
  r.declaration = static_cast<Declaration>(dice.upto(2));
  r.due = {2026, 7, 20};
  r.settings.utm_decimals = 3;
  r.settings.lenient = true;
  r.settings.tolerance = dice.upto(9);
  for (int64_t left = dice.upto(5); left > 0; --left) {
    r.findings.push_back({"code_" + std::to_string(left),
                          static_cast<Severity>(dice.upto(2)),
                          {dice.text(), dice.upto(99), static_cast<int>(dice.upto(9)), dice.text()},
                          dice.text(),
                          dice.text()});
  }
  Provenance& p = r.provenance;
  for (int i = 0; i < 12; ++i) p.files.push_back("file " + std::to_string(i) + dice.text());
  for (int i = 0; i < 3; ++i) p.rules.push_back("rule_" + std::to_string(i));
  for (int64_t left = dice.upto(3'000); left > 0; --left) {
    DocumentKey key;
    key.side = static_cast<Side>(dice.upto(1));
    key.type = static_cast<uint16_t>(dice.upto(999));
    key.issuer = static_cast<uint32_t>(dice.upto(99'999'999));
    key.folio = dice.upto(1'000'000);
    p.docs.push({key, static_cast<uint32_t>(dice.upto(99)), static_cast<uint16_t>(dice.upto(11)),
                 static_cast<Section>(dice.upto(6))});
    Provenance::Entry entry;
    entry.amount = -dice.pesos().value();
    entry.doc = dice.maybe(9) ? Provenance::kNoDoc : static_cast<uint32_t>(p.docs.size() - 1);
    entry.count = static_cast<int32_t>(dice.upto(3)) - 1;
    entry.amount_box = static_cast<uint16_t>(dice.upto(900));
    entry.count_box = static_cast<uint16_t>(dice.upto(900));
    entry.rule = static_cast<uint16_t>(dice.upto(2));
    p.entries.push(entry);
  }
  p.others.push_back({504, "previous_return", dice.text(), "251685"});
  UnmappedTax& tax = r.unmapped.emplace_back();
  tax.tax_id = 11;
  tax.line_id = 61;
  tax.name = dice.text();
  tax.document.type = 33;
  tax.amount = Pesos{63'000};
  return r;
}

std::string describe(const Return& r) {
  std::ostringstream out;
  out << r.company.text() << r.name << ' ' << r.period.text() << ' ' << r.version << " [" << r.folio
      << "] " << state_text(r.state) << ' ' << r.iva_debito.value() << ' ' << r.iva_credito.value()
      << ' ' << int(r.declaration) << ' ' << r.due.text() << ' ' << (r.settings == Settings{})
      << ' ' << r.settings.utm_decimals << r.settings.lenient << r.settings.tolerance << '\n';
  for (const auto& [code, value] : r.boxes) {
    out << code << '=' << int(value.kind) << ':' << value.plain() << ' ';
  }
  for (const auto& [code, value] : r.extras) out << code << "=[" << value << "] ";
  for (const Finding& f : r.findings) {
    out << "\n finding " << f.code << int(f.severity) << '[' << f.place.file << ']' << f.place.line
        << ':' << f.place.column << '[' << f.place.subject << "][" << f.message << "][" << f.advice
        << ']';
  }
  const Provenance& p = r.provenance;
  for (const std::string& name : p.files) out << "\n file [" << name << ']';
  for (const std::string& name : p.rules) out << "\n rule [" << name << ']';
  for (size_t i = 0; i < p.docs.size(); ++i) {
    out << "\n doc ";
    describe_key(p.docs[i].key, out);
    out << int(p.docs[i].section) << ' ' << p.docs[i].file << ' ' << p.docs[i].line;
  }
  for (size_t i = 0; i < p.entries.size(); ++i) {
    const Provenance::Entry& e = p.entries[i];
    out << "\n entry " << e.amount << ' ' << e.doc << ' ' << e.count << ' ' << e.amount_box << ' '
        << e.count_box << ' ' << e.rule;
  }
  for (const auto& o : p.others) {
    out << "\n other " << o.box << " [" << o.rule << "] [" << o.detail << "] [" << o.amount << ']';
  }
  for (const UnmappedTax& t : r.unmapped) {
    out << "\n unmapped " << t.tax_id << ' ' << t.line_id << " [" << t.xmlid << "] [" << t.name
        << "] ";
    describe_key(t.document, out);
    out << t.source_id << ' ' << t.amount.value();
  }
  return out.str();
}

}  // namespace f29test

#include "f29svc/store/document_text.h"

#include <charconv>

namespace f29 {

namespace {

// Items are a letter and its values, "r20260605;": numbers with a comma between, texts with their
// length before, "5:ABCDE".
void append_number(int64_t number, std::string& out) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out.append(digits, end);
}
void append_text(std::string_view text, std::string& out) {
  append_number(static_cast<int64_t>(text.size()), out);
  out += ':';
  out += text;
}
template <class... Numbers>
void append_item(std::string& out, char letter, Numbers... numbers) {
  out += letter;
  size_t left = sizeof...(numbers);
  ((append_number(static_cast<int64_t>(numbers), out), out += --left == 0 ? ';' : ','), ...);
}

void append_date(std::string& out, char letter, Date date) {
  if (!date.is_none()) append_item(out, letter, number_of(date));
}

bool is_plain_vat(const Document& document) {
  if (document.parts.size() != 1) return false;
  const Part& part = document.parts[0];
  return part.kind == PartKind::vat && part.use == document.use && !part.common_use &&
         part.code == 0 && part.box == 0 && part.count_box == 0 && part.source < 0 &&
         !part.has_rate && part.base == document.net;
}

void append_part(const Part& part, std::string& out) {
  append_item(out, 'p', part.kind, part.use, part.common_use, part.code, part.box, part.count_box,
              part.source, part.has_rate, part.base.value(), part.amount.value(), part.rate.units(),
              part.rate.scale());
}

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}
  bool at_end() const { return text_.empty(); }
  bool good() const { return good_; }
  char letter() { return take(); }
  int64_t number() {
    int64_t value = 0;
    const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), value);
    if (error != std::errc()) good_ = false;
    text_.remove_prefix(static_cast<size_t>(end - text_.data()));
    take();  // comma, semicolon or colon
    return value;
  }
  std::string text() {
    const auto size = static_cast<size_t>(number());
    if (!good_ || size > text_.size()) {
      good_ = false;
      return {};
    }
    std::string value(text_.substr(0, size));
    text_.remove_prefix(size);
    return value;
  }
  template <class T>
  void into(T& value) {
    value = static_cast<T>(number());
  }
  void into(Pesos& value) { value = Pesos{number()}; }
  void into(Date& value) { value = date_of(number()); }
  void into(Rut& value) { value = Rut{static_cast<uint32_t>(number())}; }
  template <class... T>
  void all(T&... values) {
    (into(values), ...);
  }

 private:
  char take() {
    if (text_.empty()) {
      good_ = false;
      return 0;
    }
    const char c = text_.front();
    text_.remove_prefix(1);
    return c;
  }

  std::string_view text_;
  bool good_ = true;
};

void read_part(Reader& reader, Document& document) {
  Part part;
  int64_t units = 0;
  int scale = 0;
  reader.all(part.kind, part.use, part.common_use, part.code, part.box, part.count_box, part.source,
             part.has_rate, part.base, part.amount, units, scale);
  part.rate = Decimal{units, scale};
  document.parts.push_back(part);
}

void read_tax(Reader& reader, Document& document) {
  SourceTax tax;
  reader.all(tax.tax_id, tax.line_id);
  tax.xmlid = reader.text();
  tax.name = reader.text();
  for (int64_t left = reader.number(); left > 0 && reader.good(); --left) {
    tax.tags.push_back(reader.text());
  }
  document.taxes.push_back(std::move(tax));
}

void read_item(Reader& reader, char letter, Document& d) {
  switch (letter) {
    case 'u':
      return reader.into(d.use);
    case 'v': {
      Part part;
      part.use = d.use;
      part.base = d.net;
      reader.into(part.amount);
      d.parts.push_back(part);
      return;
    }
    case 'p':
      return read_part(reader, d);
    case 't':
      return read_tax(reader, d);
    case 'f': {
      Reference reference;
      reader.into(reference.type);
      reference.folio = reader.text();
      d.references.push_back(std::move(reference));
      return;
    }
    case 'b':
      return reader.all(d.state, d.note_over_46, d.out_of_window, d.fee_partner, d.has_total,
                        d.non_recoverable_code);
    case 'l':
      return reader.into(d.liquidation_issuer);
    case 'n':
      return reader.into(d.count);
    case 'r':
      return reader.into(d.received);
    case 'a':
      return reader.into(d.acknowledged);
    case 'c':
      return reader.into(d.claimed);
    case 'k':
      return reader.into(d.accounted);
    case 'd':
      return reader.into(d.delivered);
    case 'y':
      return reader.into(d.paid);
    case 'm':
      return reader.all(d.commission_net, d.commission_exempt, d.commission_vat);
    case 's':
      return reader.into(d.source_id);
    default:
      return;
  }
}

}  // namespace

int64_t number_of(Date date) {
  return date.is_none() ? 0 : date.year * 10'000 + date.month * 100 + date.day;
}

Date date_of(int64_t number) {
  return {static_cast<int16_t>(number / 10'000), static_cast<int8_t>(number / 100 % 100),
          static_cast<int8_t>(number % 100)};
}

void append_detail(const Document& d, std::string& out) {
  if (d.use != Use::giro) append_item(out, 'u', d.use);
  const Document usual;
  if (d.state != usual.state || d.note_over_46 || d.out_of_window || d.fee_partner ||
      !d.has_total || d.non_recoverable_code != 0) {
    append_item(out, 'b', d.state, d.note_over_46, d.out_of_window, d.fee_partner, d.has_total,
                d.non_recoverable_code);
  }
  if (!d.liquidation_issuer.is_empty()) append_item(out, 'l', d.liquidation_issuer.number());
  if (d.count != 1) append_item(out, 'n', d.count);
  append_date(out, 'r', d.received);
  append_date(out, 'a', d.acknowledged);
  append_date(out, 'c', d.claimed);
  append_date(out, 'k', d.accounted);
  append_date(out, 'd', d.delivered);
  append_date(out, 'y', d.paid);
  if (d.commission_net != Pesos{} || d.commission_exempt != Pesos{} ||
      d.commission_vat != Pesos{}) {
    append_item(out, 'm', d.commission_net.value(), d.commission_exempt.value(),
                d.commission_vat.value());
  }
  if (d.source_id != 0) append_item(out, 's', d.source_id);
  if (is_plain_vat(d)) {
    append_item(out, 'v', d.parts[0].amount.value());
  } else {
    for (const Part& part : d.parts) append_part(part, out);
  }
  for (const SourceTax& tax : d.taxes) {
    append_item(out, 't', tax.tax_id, tax.line_id);
    append_text(tax.xmlid, out);
    append_text(tax.name, out);
    append_number(static_cast<int64_t>(tax.tags.size()), out);
    out += ';';
    for (const std::string& tag : tax.tags) append_text(tag, out);
  }
  for (const Reference& reference : d.references) {
    append_item(out, 'f', reference.type);
    append_text(reference.folio, out);
  }
}

bool read_detail(std::string_view text, Document& document) {
  Reader reader(text);
  while (!reader.at_end() && reader.good()) {
    const char letter = reader.letter();
    if (std::string_view("uvptfblnrackdyms").find(letter) == std::string_view::npos) return false;
    read_item(reader, letter, document);
  }
  return reader.good();
}

}  // namespace f29

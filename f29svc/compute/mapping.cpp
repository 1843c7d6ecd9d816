#include "f29svc/compute/mapping.h"

#include <algorithm>

#include "f29svc/compute/rules.h"
#include "f29svc/domain/words.h"
#include "f29svc/form/form.h"

namespace f29 {
namespace {

// A box that a table may send amounts to: of the form, and not one that is only computed.
bool check_box(base::Section& yaml, std::string_view key, int code) {
  if (code == 0) return true;
  const BoxInfo* box = find_box(code);
  if (box == nullptr || box->identity) {
    yaml.fault(key, "box " + std::to_string(code) + " is not in the form");
    return false;
  }
  if (is_only_computed(*box)) {
    yaml.fault(key, "box " + std::to_string(code) + " is computed; nothing can be sent to it");
    return false;
  }
  return true;
}

uint16_t read_box(base::Section& yaml, std::string_view key, uint16_t standard) {
  int code = standard;
  yaml.read(key, code, 0, 9999);
  return check_box(yaml, key, code) ? static_cast<uint16_t>(code) : standard;
}

bool read_meaning(base::Section& yaml, TaxMeaning& meaning) {
  std::string word;
  std::vector<std::string> words;
  for (const NamedMeaning& known : meanings_by_word()) words.emplace_back(known.name);
  yaml.read_word("means", word, words);
  bool has_box = yaml.has("invoice") || yaml.has("credit_note") || yaml.has("debit_note");
  if (word.empty() == !has_box) {
    yaml.fault("", "needs either `means` or boxes (invoice, credit_note, debit_note)");
    return false;
  }
  for (const NamedMeaning& known : meanings_by_word()) {
    if (known.name == word) meaning = known.meaning;
  }
  if (!has_box) return true;
  meaning.kind = PartKind::boxed;
  meaning.invoice_box = read_box(yaml, "invoice", 0);
  meaning.credit_note_box = read_box(yaml, "credit_note", 0);
  meaning.debit_note_box = read_box(yaml, "debit_note", meaning.invoice_box);
  return true;
}

}  // namespace

Mapping::Mapping() : rules_(default_rules().begin(), default_rules().end()) {
  for (const NamedMeaning& row : meanings_by_xmlid()) by_xmlid_.emplace(row.name, row.meaning);
  for (const NamedMeaning& row : meanings_by_tag()) by_tag_.emplace(row.name, row.meaning);
}

void Mapping::read(base::Section yaml) {
  for (base::Section& entry : yaml.sections("taxes")) {
    std::string xmlid;
    std::string name;
    std::string tag;
    int64_t id = 0;
    entry.read("xmlid", xmlid);
    entry.read("tax", id, 1, INT64_MAX);
    entry.read("name", name);
    entry.read("tag", tag);
    TaxMeaning meaning;
    if (!read_meaning(entry, meaning)) continue;
    int keys = !xmlid.empty() + !name.empty() + !tag.empty() + (id != 0);
    if (keys != 1) {
      entry.fault("", "needs exactly one of xmlid, tax, name, tag");
      continue;
    }
    if (!xmlid.empty()) by_xmlid_[std::string(bare_xmlid(xmlid))] = meaning;
    if (id != 0) by_id_[id] = meaning;
    if (!name.empty()) by_name_[name] = meaning;
    if (!tag.empty()) by_tag_[plain_words(tag)] = meaning;
  }
  base::Section rules = yaml.section("rules");
  for (BoxRule& rule : rules_) {
    base::Section entry = rules.section(rule.name);
    rule.count_box = read_box(entry, "count", rule.count_box);
    rule.amount_box = read_box(entry, "amount", rule.amount_box);
  }
}

std::string_view Mapping::bare_xmlid(std::string_view xmlid) {
  size_t dot = xmlid.find('.');
  if (dot != std::string_view::npos) xmlid.remove_prefix(dot + 1);
  size_t digits = 0;
  while (digits < xmlid.size() && xmlid[digits] >= '0' && xmlid[digits] <= '9') ++digits;
  if (digits != 0 && digits < xmlid.size() && xmlid[digits] == '_') xmlid.remove_prefix(digits + 1);
  return xmlid;
}

const TaxMeaning* Mapping::meaning_of(const SourceTax& tax) const {
  if (!tax.xmlid.empty()) {
    auto found = by_xmlid_.find(bare_xmlid(tax.xmlid));
    if (found != by_xmlid_.end()) return &found->second;
  }
  if (auto found = by_id_.find(tax.tax_id); found != by_id_.end()) return &found->second;
  if (auto found = by_name_.find(tax.name); found != by_name_.end()) return &found->second;
  for (const std::string& tag : tax.tags) {
    auto found = by_tag_.find(plain_words(tag));
    if (found != by_tag_.end()) return &found->second;
  }
  return nullptr;
}

void Mapping::resolve(Document& document, std::vector<UnmappedTax>& unmapped) const {
  for (Part& part : document.parts) {
    if (part.kind != PartKind::unresolved) continue;
    const SourceTax& tax = document.taxes[static_cast<size_t>(part.source)];
    const TaxMeaning* meaning = meaning_of(tax);
    if (meaning == nullptr) {
      unmapped.push_back({tax.tax_id, tax.line_id, tax.xmlid, tax.name, key_of(document),
                          document.source_id, part.amount});
      continue;
    }
    part.kind = meaning->kind;
    part.use = meaning->use;
    part.common_use = meaning->common_use;
    part.code = meaning->code;
    // What is withheld stands with a minus in the books.
    bool is_withheld = part.kind == PartKind::withheld_vat || part.kind == PartKind::fee_withheld;
    if (is_withheld && part.amount < Pesos{}) part.amount = -part.amount;
    if (part.rate < Decimal{}) part.rate = Decimal{-part.rate.units(), part.rate.scale()};
    if (part.kind != PartKind::boxed) continue;
    bool is_credit = is_credit_note(document.type);
    part.box = is_credit                      ? meaning->credit_note_box
               : is_debit_note(document.type) ? meaning->debit_note_box
                                              : meaning->invoice_box;
  }
}

}  // namespace f29

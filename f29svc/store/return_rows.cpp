#include "f29svc/store/return_rows.h"

#include <charconv>

#include "proxy/base/log.h"

namespace f29 {

namespace {

std::string owner_of(std::string_view table) {
  return table.starts_with("import") ? "import_id" : "return_id";
}

base::Result<> write_boxes(Database& database, int64_t id, const Return& tax_return) {
  Database::Bulk boxes(database, "return_boxes", "return_id:i code:i kind:i value:t");
  for (const auto& [code, value] : tax_return.boxes) {
    boxes.add(id).add(code).add(static_cast<int64_t>(value.kind)).add(value.plain());
    if (auto done = boxes.end_row(); !done) return done;
  }
  if (auto done = boxes.finish(); !done) return done;
  Database::Bulk extras(database, "return_extras", "return_id:i code:t value:t");
  for (const auto& [code, value] : tax_return.extras) {
    if (auto done = extras.add(id).add(code).add(value).end_row(); !done) return done;
  }
  return extras.finish();
}

base::Result<> write_names(Database& database, int64_t id, const Provenance& provenance) {
  Database::Bulk names(database, "return_names", "return_id:i what:t seq:i name:t");
  for (const auto& [what, list] :
       {std::pair("file", &provenance.files), std::pair("rule", &provenance.rules)}) {
    int64_t seq = 0;
    for (const std::string& name : *list) {
      names.add(id).add(std::string_view(what)).add(seq++).add(name);
      if (auto done = names.end_row(); !done) return done;
    }
  }
  return names.finish();
}

base::Result<> write_provenance(Database& database, int64_t id, const Provenance& provenance) {
  if (auto done = write_names(database, id, provenance); !done) return done;
  Database::Bulk docs(database, "return_documents",
                      "return_id:i seq:i side:i type:i issuer:i folio:i section:i file:i line:i");
  for (size_t i = 0; i < provenance.docs.size(); ++i) {
    const Provenance::Doc& doc = provenance.docs[i];
    docs.add(id).add(static_cast<int64_t>(i)).add(static_cast<int64_t>(doc.key.side));
    docs.add(doc.key.type).add(doc.key.issuer).add(doc.key.folio);
    docs.add(static_cast<int64_t>(doc.section)).add(doc.file).add(doc.line);
    if (auto done = docs.end_row(); !done) return done;
  }
  if (auto done = docs.finish(); !done) return done;
  Database::Bulk entries(
      database, "return_entries",
      "return_id:i seq:i doc:i amount_box:i count_box:i rule:i amount:i doc_count:i");
  for (size_t i = 0; i < provenance.entries.size(); ++i) {
    const Provenance::Entry& entry = provenance.entries[i];
    entries.add(id).add(static_cast<int64_t>(i)).add(entry.doc).add(entry.amount_box);
    entries.add(entry.count_box).add(entry.rule).add(entry.amount).add(entry.count);
    if (auto done = entries.end_row(); !done) return done;
  }
  if (auto done = entries.finish(); !done) return done;
  Database::Bulk others(database, "return_others",
                        "return_id:i seq:i box:i rule:t detail:t amount:t");
  int64_t seq = 0;
  for (const Provenance::Other& other : provenance.others) {
    others.add(id).add(seq++).add(other.box).add(other.rule).add(other.detail).add(other.amount);
    if (auto done = others.end_row(); !done) return done;
  }
  return others.finish();
}

// What marks a tax of a document for ever: the line's id, else its document and the tax's name.
std::string mark_of(const UnmappedTax& tax) {
  if (tax.line_id != 0) return "line " + std::to_string(tax.line_id);
  return tax.document.text() + " " + std::to_string(tax.source_id) + " " +
         std::to_string(tax.tax_id) + " " + tax.name;
}

base::Result<> write_unmapped(Database& database, int64_t id, int64_t company_id,
                              const std::vector<UnmappedTax>& taxes) {
  Database::Bulk rows(database, "return_unmapped",
                      "return_id:i seq:i tax_id:i line_id:i xmlid:t name:t side:i type:i issuer:i "
                      "folio:i source_id:i amount:i");
  int64_t seq = 0;
  for (const UnmappedTax& tax : taxes) {
    rows.add(id).add(seq++).add(tax.tax_id).add(tax.line_id).add(tax.xmlid).add(tax.name);
    rows.add(static_cast<int64_t>(tax.document.side)).add(tax.document.type);
    rows.add(tax.document.issuer).add(tax.document.folio).add(tax.source_id);
    if (auto done = rows.add(tax.amount.value()).end_row(); !done) return done;
    auto seen = database.run(
        "INSERT INTO unmapped_seen (company_id, mark, made_at) VALUES (:a, :b, :c) "
        "ON CONFLICT DO NOTHING",
        {company_id, mark_of(tax), base::timestamp()});
    if (!seen) return seen;
  }
  return rows.finish();
}

BoxValue box_value(int64_t kind, const std::string& plain) {
  switch (static_cast<BoxValue::Kind>(kind)) {
    case BoxValue::Kind::amount: {
      int64_t amount = 0;
      std::from_chars(plain.data(), plain.data() + plain.size(), amount);
      return BoxValue::of(amount);
    }
    case BoxValue::Kind::decimal:
      return BoxValue::of(Decimal::parse(plain).value_or(Decimal()));
    case BoxValue::Kind::text:
      break;
  }
  return BoxValue::of(plain);
}

DocumentKey key_at(const SqlRow& row, size_t side, size_t type, size_t issuer, size_t folio) {
  DocumentKey key;
  key.side = static_cast<Side>(row.number(side));
  key.type = static_cast<uint16_t>(row.number(type));
  key.issuer = static_cast<uint32_t>(row.number(issuer));
  key.folio = row.number(folio);
  return key;
}

base::Result<> read_boxes(Database& database, int64_t id, Return& tax_return) {
  auto done = database.query("SELECT code, kind, value FROM return_boxes WHERE return_id = :a",
                             {id}, "iit", [&](const SqlRow& row) {
                               tax_return.boxes[static_cast<int>(row.number(0))] =
                                   box_value(row.number(1), row.text(2));
                             });
  if (!done) return done;
  return database.query("SELECT code, value FROM return_extras WHERE return_id = :a", {id}, "tt",
                        [&](const SqlRow& row) { tax_return.extras[row.text(0)] = row.text(1); });
}

base::Result<> read_provenance(Database& database, int64_t id, Provenance& provenance) {
  auto done = database.query(
      "SELECT what, name FROM return_names WHERE return_id = :a ORDER BY what, seq", {id}, "tt",
      [&](const SqlRow& row) {
        (row.text(0) == "file" ? provenance.files : provenance.rules).push_back(row.text(1));
      });
  if (!done) return done;
  done = database.query(
      "SELECT side, type, issuer, folio, section, file, line FROM return_documents "
      "WHERE return_id = :a ORDER BY seq",
      {id}, "iiiiiii", [&](const SqlRow& row) {
        provenance.docs.push({key_at(row, 0, 1, 2, 3), static_cast<uint32_t>(row.number(6)),
                              static_cast<uint16_t>(row.number(5)),
                              static_cast<Section>(row.number(4))});
      });
  if (!done) return done;
  done = database.query(
      "SELECT doc, amount_box, count_box, rule, amount, doc_count FROM return_entries "
      "WHERE return_id = :a ORDER BY seq",
      {id}, "iiiiii", [&](const SqlRow& row) {
        Provenance::Entry entry;
        entry.doc = static_cast<uint32_t>(row.number(0));
        entry.amount_box = static_cast<uint16_t>(row.number(1));
        entry.count_box = static_cast<uint16_t>(row.number(2));
        entry.rule = static_cast<uint16_t>(row.number(3));
        entry.amount = row.number(4);
        entry.count = static_cast<int32_t>(row.number(5));
        provenance.entries.push(entry);
      });
  if (!done) return done;
  return database.query(
      "SELECT box, rule, detail, amount FROM return_others WHERE return_id = :a ORDER BY seq", {id},
      "ittt", [&](const SqlRow& row) {
        provenance.others.push_back(
            {static_cast<int>(row.number(0)), row.text(1), row.text(2), row.text(3)});
      });
}

base::Result<> read_unmapped(Database& database, int64_t id, std::vector<UnmappedTax>& taxes) {
  return database.query(
      "SELECT tax_id, line_id, xmlid, name, side, type, issuer, folio, source_id, amount "
      "FROM return_unmapped WHERE return_id = :a ORDER BY seq",
      {id}, "iittiiiiii", [&](const SqlRow& row) {
        UnmappedTax& tax = taxes.emplace_back();
        tax.tax_id = row.number(0);
        tax.line_id = row.number(1);
        tax.xmlid = row.text(2);
        tax.name = row.text(3);
        tax.document = key_at(row, 4, 5, 6, 7);
        tax.source_id = row.number(8);
        tax.amount = Pesos{row.number(9)};
      });
}

// The settings by name, one place for writing and reading.
template <class Visit>
void each_setting(Settings& settings, const Visit& visit) {
  visit("utm_decimals", settings.utm_decimals);
  visit("factor_decimals", settings.factor_decimals);
  visit("final_consumer", settings.final_consumer);
  visit("small_diesel", settings.small_diesel);
  visit("exclude_annulled", settings.exclude_annulled);
  visit("liquidation_line", settings.liquidation_line);
  visit("lenient", settings.lenient);
  visit("tolerance", settings.tolerance);
  visit("electronic", settings.electronic);
  visit("move_28th", settings.move_28th);
}

}  // namespace

base::Result<> write_findings(Database& database, const char* table, int64_t owner_id,
                              const std::vector<Finding>& findings) {
  Database::Bulk rows(database, table,
                      owner_of(table) +
                          ":i seq:i code:t severity:i file:t line:i field:i "
                          "subject:t message:t advice:t");
  int64_t seq = 0;
  for (const Finding& finding : findings) {
    rows.add(owner_id).add(seq++).add(finding.code).add(static_cast<int64_t>(finding.severity));
    rows.add(finding.place.file).add(finding.place.line).add(finding.place.column);
    rows.add(finding.place.subject).add(finding.message).add(finding.advice);
    if (auto done = rows.end_row(); !done) return done;
  }
  return rows.finish();
}

base::Result<std::vector<Finding>> read_findings(Database& database, const char* table,
                                                 int64_t owner_id) {
  std::vector<Finding> findings;
  auto done = database.query(
      "SELECT code, severity, file, line, field, subject, message, advice FROM " +
          std::string(table) + " WHERE " + owner_of(table) + " = :a ORDER BY seq",
      {owner_id}, "titiittt", [&](const SqlRow& row) {
        Finding& finding = findings.emplace_back();
        finding.code = row.text(0);
        finding.severity = static_cast<Severity>(row.number(1));
        finding.place = {row.text(2), row.number(3), static_cast<int>(row.number(4)), row.text(5)};
        finding.message = row.text(6);
        finding.advice = row.text(7);
      });
  if (!done) return base::fail(done.error());
  return findings;
}

base::Result<> write_return_rows(Database& database, int64_t return_id, int64_t company_id,
                                 const Return& tax_return) {
  if (auto done = write_boxes(database, return_id, tax_return); !done) return done;
  if (auto done = write_findings(database, "return_findings", return_id, tax_return.findings);
      !done) {
    return done;
  }
  if (auto done = write_provenance(database, return_id, tax_return.provenance); !done) return done;
  return write_unmapped(database, return_id, company_id, tax_return.unmapped);
}

base::Result<> read_return_rows(Database& database, int64_t return_id, Return& tax_return,
                                bool with_provenance) {
  if (auto done = read_boxes(database, return_id, tax_return); !done) return done;
  auto findings = read_findings(database, "return_findings", return_id);
  if (!findings) return base::fail(findings.error());
  tax_return.findings = std::move(*findings);
  if (!with_provenance) return {};
  if (auto done = read_provenance(database, return_id, tax_return.provenance); !done) return done;
  return read_unmapped(database, return_id, tax_return.unmapped);
}

std::string settings_text(const Settings& settings) {
  Settings copy = settings;
  std::string text;
  each_setting(copy, [&](const char* name, const auto& value) {
    if (!text.empty()) text += ' ';
    text += std::string(name) + "=" + std::to_string(static_cast<int64_t>(value));
  });
  return text;
}

Settings read_settings(std::string_view text) {
  Settings settings;
  each_setting(settings, [&](const char* name, auto& value) {
    const std::string head = std::string(name) + "=";
    const size_t at = text.find(head);
    if (at == text.npos) return;
    int64_t number = 0;
    std::from_chars(text.data() + at + head.size(), text.data() + text.size(), number);
    value = static_cast<std::remove_reference_t<decltype(value)>>(number);
  });
  return settings;
}

}  // namespace f29

#include "f29svc/store/form_rows.h"

#include <algorithm>

#include "f29svc/store/document_text.h"
#include "f29svc/store/record_rows.h"
#include "f29svc/store/return_rows.h"

namespace f29 {

namespace {

base::Result<std::vector<std::string>> names_of(Database& database, int64_t return_id,
                                                const char* what) {
  std::vector<std::string> names;
  auto done = database.query(
      "SELECT name FROM return_names WHERE return_id = :a AND what = :b ORDER BY seq",
      {return_id, std::string(what)}, "t",
      [&](const SqlRow& row) { names.push_back(row.text(0)); });
  if (!done) return base::fail(done.error());
  return names;
}

std::string name_at(const std::vector<std::string>& names, int64_t index) {
  const auto i = static_cast<size_t>(index);
  return index >= 0 && i < names.size() ? names[i] : std::string();
}

}  // namespace

base::Result<BoxSources> read_box_sources(Database& database, int64_t return_id, int code,
                                          Page page) {
  BoxSources sources;
  auto done = database.query(
      "SELECT rule, detail, amount FROM return_others WHERE return_id = :a AND box = :b "
      "ORDER BY seq",
      {return_id, code}, "ttt", [&](const SqlRow& row) {
        if (page.holds(sources.total++)) {
          BoxSource& one = sources.page.emplace_back();
          one.rule = row.text(0);
          one.detail = row.text(1);
          one.amount = row.text(2);
        }
      });
  if (!done) return base::fail(done.error());
  auto rules = names_of(database, return_id, "rule");
  if (!rules) return base::fail(rules.error());
  auto files = names_of(database, return_id, "file");
  if (!files) return base::fail(files.error());
  auto count = database.number(
      "SELECT count(*) FROM return_entries WHERE return_id = :a AND (amount_box = :b OR "
      "count_box = :c)",
      {return_id, code, code});
  if (!count) return base::fail(count.error());
  const int64_t first = std::max<int64_t>(page.offset - sources.total, 0);
  const int64_t room = page.limit - static_cast<int64_t>(sources.page.size());
  sources.total += *count;
  if (room <= 0) return sources;
  done = database.query(
      "SELECT e.rule, e.count_box, e.amount, e.doc_count, COALESCE(d.seq, -1), "
      "COALESCE(d.side, 0), COALESCE(d.type, 0), COALESCE(d.issuer, 0), COALESCE(d.folio, 0), "
      "COALESCE(d.section, 0), COALESCE(d.file, 0), COALESCE(d.line, 0) "
      "FROM return_entries e LEFT JOIN return_documents d "
      "ON d.return_id = e.return_id AND d.seq = e.doc "
      "WHERE e.return_id = :a AND (e.amount_box = :b OR e.count_box = :c) "
      "ORDER BY e.seq LIMIT :d OFFSET :e",
      {return_id, code, code, room, first}, "iiiiiiiiiiii", [&](const SqlRow& row) {
        BoxSource& one = sources.page.emplace_back();
        one.rule = name_at(*rules, row.number(0));
        one.amount = std::to_string(row.number(1) == code ? row.number(3) : row.number(2));
        if (row.number(4) < 0) return;
        DocumentKey key;
        key.side = static_cast<Side>(row.number(5));
        key.type = static_cast<uint16_t>(row.number(6));
        key.issuer = static_cast<uint32_t>(row.number(7));
        key.folio = row.number(8);
        one.document = key;
        one.section = static_cast<Section>(row.number(9));
        one.file = name_at(*files, row.number(10));
        one.line = row.number(11);
      });
  if (!done) return base::fail(done.error());
  return sources;
}

base::Result<std::map<int, int64_t>> count_box_sources(Database& database, int64_t return_id) {
  std::map<int, int64_t> counts;
  for (const char* sql :
       {"SELECT box, count(*) FROM return_others WHERE return_id = :a GROUP BY box",
        "SELECT amount_box, count(*) FROM return_entries WHERE return_id = :a GROUP BY amount_box",
        "SELECT count_box, count(*) FROM return_entries WHERE return_id = :a AND "
        "count_box <> amount_box GROUP BY count_box"}) {
    auto done = database.query(sql, {return_id}, "ii", [&](const SqlRow& row) {
      if (row.number(0) != 0) counts[static_cast<int>(row.number(0))] += row.number(1);
    });
    if (!done) return base::fail(done.error());
  }
  return counts;
}

base::Result<> read_given_boxes(Database& database, int64_t return_id,
                                std::map<int, int64_t>& given) {
  return database.query(
      "SELECT box, count(*) FROM return_others WHERE return_id = :a AND rule = 'input' GROUP BY "
      "box",
      {return_id}, "ii",
      [&](const SqlRow& row) { given[static_cast<int>(row.number(0))] = row.number(1); });
}

base::Result<std::vector<Finding>> read_period_findings(Database& database,
                                                        const CompanyRecord& company, Period period,
                                                        const ReturnRecord& record) {
  if (record.state != ReturnState::draft) {
    return read_findings(database, "return_findings", record.id);
  }
  auto imports = read_import_records(database, company.id, period, false);
  if (!imports) return base::fail(imports.error());
  std::vector<Finding> all;
  for (const ImportRecord& import : *imports) {
    auto some = read_findings(database, "import_findings", import.id);
    if (!some) return base::fail(some.error());
    all.insert(all.end(), some->begin(), some->end());
  }
  return all;
}

base::Result<> read_documents(Database& database, Rut company, const ImportRecord& import,
                              uint16_t file, const std::string& where,
                              const std::vector<SqlValue>& values, const DocumentSink& sink) {
  Document document;
  bool readable = true;
  std::vector<SqlValue> parameters = {import.id};
  parameters.insert(parameters.end(), values.begin(), values.end());
  auto done = database.query(
      "SELECT side, section, type, counterparty, folio, issued, net, exempt, total, line, name, "
      "detail FROM documents WHERE import_id = :a" +
          where + " ORDER BY seq",
      parameters, "iiiiiiiiiitt", [&](const SqlRow& row) {
        document.clear();
        document.company = company;
        document.file = file;
        document.side = static_cast<Side>(row.number(0));
        document.section = static_cast<Section>(row.number(1));
        document.type = static_cast<uint16_t>(row.number(2));
        document.counterparty = Rut{static_cast<uint32_t>(row.number(3))};
        document.folio = row.number(4);
        document.issued = date_of(row.number(5));
        document.net = Pesos{row.number(6)};
        document.exempt = Pesos{row.number(7)};
        document.total = Pesos{row.number(8)};
        document.line = static_cast<uint32_t>(row.number(9));
        document.name = row.text(10);
        readable = readable && read_detail(row.text(11), document);
        if (readable) sink(document);
      });
  if (done && !readable) {
    return base::fail(base::ErrorCode::io_failed, base::Side::proxy,
                      "a stored document is unreadable");
  }
  return done;
}

base::Result<DocumentPage> read_document_page(Database& database, const CompanyRecord& company,
                                              Period period, const DocumentFilter& filter,
                                              Page page) {
  auto imports = read_import_records(database, company.id, period, false);
  if (!imports) return base::fail(imports.error());
  std::string where;
  std::vector<SqlValue> values;
  const auto add = [&](const char* column, int64_t value) {
    where += " AND " + std::string(column) + " = :" + static_cast<char>('b' + values.size());
    values.emplace_back(value);
  };
  if (filter.side) add("side", static_cast<int64_t>(*filter.side));
  if (filter.section) add("section", static_cast<int64_t>(*filter.section));
  if (filter.type != 0) add("type", filter.type);
  if (filter.folio >= 0) add("folio", filter.folio);
  DocumentPage found;
  for (const ImportRecord& import : *imports) {
    const auto file = static_cast<uint16_t>(found.files.size());
    found.files.push_back(import.name);
    auto done = read_documents(
        database, company.rut, import, file, where, values, [&](const Document& document) {
          if (!filter.issuer.is_empty() && document.issuer() != filter.issuer) return;
          found.net.add(document.net);
          found.exempt.add(document.exempt);
          found.vat.add(document.vat());
          found.sum.add(document.total);
          if (page.holds(found.total++)) found.page.push_back(document);
        });
    if (!done) return base::fail(done.error());
  }
  return found;
}

}  // namespace f29

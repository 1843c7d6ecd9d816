// Where a box of a stored return comes from, and the documents of a period, a page at a time: a
// month may have a million of them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "f29svc/domain/document.h"
#include "f29svc/store/database.h"
#include "f29svc/store/records.h"

namespace f29 {

struct Page {
  int64_t offset = 0;
  int64_t limit = 100;
  bool holds(int64_t index) const { return index >= offset && index < offset + limit; }
};

// One source of a box: a rule with its document, or an input, formula or earlier return.
struct BoxSource {
  std::string rule;
  std::string detail;  // of what is no document
  std::string amount;  // as it entered the box
  std::optional<DocumentKey> document;
  Section section = Section::registered;
  std::string file;
  int64_t line = 0;
};
struct BoxSources {
  int64_t total = 0;
  std::vector<BoxSource> page;
};
// Inputs and formulas first, then documents in the order in which they were read.
base::Result<BoxSources> read_box_sources(Database& database, int64_t return_id, int code,
                                          Page page);
// How many sources each box has.
base::Result<std::map<int, int64_t>> count_box_sources(Database& database, int64_t return_id);

// Boxes that the inputs gave, whether or not a formula would have.
base::Result<> read_given_boxes(Database& database, int64_t return_id,
                                std::map<int, int64_t>& given);
// Of a computed return its own; of a draft those of its imports.
base::Result<std::vector<Finding>> read_period_findings(Database& database,
                                                        const CompanyRecord& company, Period period,
                                                        const ReturnRecord& record);

struct DocumentFilter {
  std::optional<Side> side;
  std::optional<Section> section;
  int type = 0;        // 0: any
  Rut issuer;          // none: any
  int64_t folio = -1;  // -1: any
};
struct DocumentPage {
  int64_t total = 0;
  Sum net;  // of all that fit
  Sum exempt;
  Sum vat;
  Sum sum;
  std::vector<Document> page;  // `file` is the index into `files`
  std::vector<std::string> files;
};
// The documents of the current imports.
base::Result<DocumentPage> read_document_page(Database& database, const CompanyRecord& company,
                                              Period period, const DocumentFilter& filter,
                                              Page page);

// Every document of one import, in its order. io_failed if one cannot be read.
base::Result<> read_documents(Database& database, Rut company, const ImportRecord& import,
                              uint16_t file, const std::string& where,
                              const std::vector<SqlValue>& values, const DocumentSink& sink);

}  // namespace f29

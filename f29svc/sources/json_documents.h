// The documented JSON of documents: {"moves": [{...}]}, Odoo-like; see docs/f29.md.
#pragma once

#include <string>
#include <string_view>

#include "f29svc/domain/document.h"
#include "f29svc/domain/finding.h"
#include "proxy/base/result.h"

namespace f29 {

struct JsonOptions {
  Rut company;
  Period period;
  bool lenient = false;
  std::string name;  // how findings call the file
  uint16_t file = 0;
};

// Text that is not JSON, or has no list "moves", is an Error. A move that cannot be used is a
// finding. Drafts and cancelled moves are delivered too, with their state.
base::Result<int64_t> read_json_documents(std::string_view text, const JsonOptions& options,
                                          const DocumentSink& sink, Findings& findings);

}  // namespace f29

// What a document has beyond the columns of its row, as one short text, and back. Empty for the
// usual one: one VAT part over the whole net, no more dates, no references.
#pragma once

#include <string>
#include <string_view>

#include "f29svc/domain/document.h"

namespace f29 {

// Needs: the columns of the row (side, section, type, counterparty, folio, issued, net, exempt,
// total, line, name) are kept elsewhere.
void append_detail(const Document& document, std::string& out);
// Into a document whose columns are already set. False: not such a text.
bool read_detail(std::string_view text, Document& document);

int64_t number_of(Date date);  // 20260605; 0: none
Date date_of(int64_t number);

}  // namespace f29

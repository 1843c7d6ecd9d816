// A return as JSON, SII-like campos, CSV, XML and a keying sheet, and back. The same return always
// gives the same bytes. None of them is an upload format of the tax authority.
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>

#include "f29svc/domain/return.h"
#include "proxy/base/result.h"

namespace f29 {

enum class ExportFormat : uint8_t { json, campos, csv, xml };
std::optional<ExportFormat> parse_format(std::string_view text);
std::string_view content_type(ExportFormat format);

// Why a return cannot be written in a format; empty: it can. Boxes that must not be negative, or
// have too many digits, fit no XML that its schema accepts.
std::string why_not(const Return& tax_return, ExportFormat format);

void write_return(const Return& tax_return, ExportFormat format, std::ostream& out);
// Boxes by line, for the person who types them into the web form.
void write_sheet(const Return& tax_return, std::ostream& out);

// Reads any of the four. Unknown codes are kept as extras with a warning and never summed; echo
// codes are left out; a table without codes (lines only) is refused.
base::Result<Return> read_return(std::string_view text, ExportFormat format,
                                 const std::string& name, Findings& findings);

// Only the boxes of a campos object or one of ours; identity is not needed.
base::Result<Boxes> read_boxes(std::string_view text, const std::string& name, Findings& findings);

}  // namespace f29

// Any bytes as a list of documents, as an exported return and as campos. What is read can be
// written, and comes back the same.
#include <sstream>
#include <string>

#include "f29svc/compute/validate.h"
#include "f29svc/domain/json_value.h"
#include "f29svc/domain/words.h"
#include "f29svc/exports/exports.h"
#include "f29svc/form/form.h"
#include "f29svc/sources/json_documents.h"
#include "tests/f29/fuzz/targets.h"

namespace {

using namespace f29;

// Every reading of every value.
void walk(const JsonValue& value) {
  (void)value.id();
  (void)value.label();
  (void)value.ids();
  (void)value.date();
  (void)value.pesos();
  for (const JsonValue& item : value.items) walk(item);
  for (const auto& [name, member] : value.members) walk(member);
}

void read_documents(std::string_view text, bool is_lenient) {
  Findings findings;
  int64_t delivered = 0;
  auto sink = [&](const Document& one) {
    ++delivered;
    for (Pesos amount : {one.net, one.exempt, one.total}) {
      if (amount > Pesos{kAmountMost} || amount < Pesos{-kAmountMost}) fuzz_fault("out of range");
    }
    if (!is_utf8(one.name)) fuzz_fault("a name that is not UTF-8");
    if (!is_valid(one.issued)) fuzz_fault("no day of issue");
  };
  auto counted =
      read_json_documents(text, {Rut{99999001}, {2026, 6}, is_lenient, "file", 0}, sink, findings);
  if (counted && *counted != delivered) fuzz_fault("the count of documents is wrong");
}

void read_and_write(std::string_view text, ExportFormat format) {
  Findings findings;
  auto made = read_return(text, format, "file", findings);
  if (!made) return;
  for (const auto& [code, value] : made->boxes) {
    const BoxInfo* box = find_box(code);
    if (box == nullptr || box->identity) fuzz_fault("a box that the form does not have");
  }
  check_boxes(*made, findings);
  check_formulas(*made, findings);
  for (ExportFormat other : {ExportFormat::campos, ExportFormat::csv, ExportFormat::xml}) {
    std::ostringstream ignored;
    if (why_not(*made, other).empty()) write_return(*made, other, ignored);
    (void)content_type(other);
  }
  std::ostringstream out;
  write_return(*made, ExportFormat::json, out);
  Findings again_findings;
  auto again = read_return(out.str(), ExportFormat::json, "file", again_findings);
  if (!again) fuzz_fault("what was written cannot be read");
  if (again->boxes != made->boxes || again->extras != made->extras) fuzz_fault("other boxes");
}

}  // namespace

int json_one(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (auto tree = parse_json(text, 10'000)) walk(*tree);
  read_documents(text, data[0] % 2 == 0);
  read_and_write(text, ExportFormat::json);
  Findings findings;
  (void)read_boxes(text, "file", findings);
  return 0;
}

#include <algorithm>
#include <cstring>

#include "f29svc/domain/words.h"
#include "f29svc/sources/rcv_columns.h"
#include "f29svc/sources/rcv_fields.h"
#include "f29svc/sources/rcv_odd.h"
#include "f29svc/sources/rcv_row.h"
#include "f29svc/sources/rcv_rows.h"

namespace f29 {
namespace {

using base::ErrorCode;

base::Result<RcvCounts> refuse(std::string detail) {
  return base::fail(ErrorCode::bad_input, base::Side::client, std::move(detail));
}

// The delimiter that the header line has most of.
char delimiter_of(std::string_view start) {
  std::string_view line = start.substr(0, start.find('\n'));
  auto count = [&](char c) { return std::count(line.begin(), line.end(), c); };
  if (count(';') >= count(',') && count(';') >= count('\t')) return ';';
  return count('\t') > count(',') ? '\t' : ',';
}

std::string_view what_it_is(std::string_view start) {
  if (start.find('\0') != std::string_view::npos) return "bytes that are no text";
  std::string_view text = trimmed(start);
  if (!text.starts_with('<')) return {};
  bool is_book = text.find("LibroCompraVenta") != std::string_view::npos ||
                 text.find("LibroCV") != std::string_view::npos;
  return is_book ? "a purchase and sales book (IECV); the register replaces it since 2017-08"
                 : "a web page or XML";
}

}  // namespace

std::string_view rcv_kind_text(RcvKind kind) {
  switch (kind) {
    case RcvKind::purchase_registered:
      return "compra_registro";
    case RcvKind::purchase_pending:
      return "compra_pendiente";
    case RcvKind::purchase_not_included:
      return "compra_no_incluir";
    case RcvKind::purchase_claimed:
      return "compra_reclamado";
    case RcvKind::sale:
      return "venta";
    case RcvKind::summary_sale:
      return "resumen_venta";
    case RcvKind::summary_purchase:
      return "resumen_compra";
    case RcvKind::unknown:
      break;
  }
  return "unknown";
}

base::Result<RcvCounts> read_rcv(ByteSource& bytes, const RcvOptions& options, DocumentIndex& seen,
                                 const DocumentSink& sink, Findings& findings) {
  CsvScanner scanner(bytes);
  auto start = scanner.peek();
  if (!start) return base::fail(start.error());
  if (trimmed(*start).empty()) return refuse("empty");
  if (std::string_view what = what_it_is(*start); !what.empty()) {
    return refuse("not_rcv: " + std::string(what));
  }
  scanner.set_delimiter(delimiter_of(*start));

  CsvRecord record;
  auto has_header = scanner.next(record);
  if (has_header && *has_header && trimmed(record.fields[0]).starts_with("sep=")) {
    has_header = scanner.next(record);  // a spreadsheet's hint
  }
  if (!has_header) return base::fail(has_header.error());
  RcvHeader header = read_rcv_header(record);
  if (header.kind == RcvKind::unknown) return refuse("not_rcv: no header of a register file");
  if (!header.missing.empty()) {
    std::string names;
    for (const std::string& name : header.missing) names += (names.empty() ? "" : ", ") + name;
    return refuse("not_rcv: the header lacks " + names);
  }
  for (const std::string& name : header.unknown) {
    findings.add("unknown_column", Severity::note, {options.name, record.line, 0, {}},
                 "a column that is not used: " + name, "nothing");
  }
  // A row is hardly shorter than this; a table of the right size need not grow.
  constexpr size_t kRowBytes = 140;
  constexpr size_t kRowsMost = size_t{1} << 21;
  seen.reserve(seen.size() + std::min(bytes.size_hint() / kRowBytes, kRowsMost));
  RcvRows rows(options, header, seen, sink, findings);
  for (;;) {
    auto more = scanner.next(record);
    if (!more) return base::fail(more.error());
    if (!*more) break;
    rows.take(record);
  }
  return rows.finish();
}

std::optional<RcvName> read_rcv_name(std::string_view file_name) {
  size_t slash = file_name.rfind('/');
  if (slash != std::string_view::npos) file_name.remove_prefix(slash + 1);
  struct Prefix {
    std::string_view text;
    RcvKind kind;
  };
  constexpr Prefix kPrefixes[] = {
      {"RCV_COMPRA_REGISTRO_", RcvKind::purchase_registered},
      {"RCV_COMPRA_PENDIENTE_", RcvKind::purchase_pending},
      {"RCV_COMPRA_NO_INCLUIR_", RcvKind::purchase_not_included},
      {"RCV_COMPRA_RECLAMADO_", RcvKind::purchase_claimed},
      {"RCV_RESUMEN_COMPRA_REGISTRO_", RcvKind::summary_purchase},
      {"RCV_RESUMEN_VENTA_", RcvKind::summary_sale},
      {"RCV_VENTA_", RcvKind::sale},
  };
  for (const Prefix& prefix : kPrefixes) {
    if (!file_name.starts_with(prefix.text)) continue;
    std::string_view rest = file_name.substr(prefix.text.size());
    size_t mark = rest.find('_');
    if (mark == std::string_view::npos || rest.size() < mark + 7) return std::nullopt;
    // A wrong check digit does not hide whose file it is.
    auto reading = read_rut(rest.substr(0, mark));
    auto period = Period::parse(rest.substr(mark + 1, 6));
    if (!reading || !period) return std::nullopt;
    return RcvName{prefix.kind, reading->rut, *period};
  }
  return std::nullopt;
}

}  // namespace f29

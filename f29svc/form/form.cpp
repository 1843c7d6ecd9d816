#include "f29svc/form/form.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "f29svc/form/codes.h"

namespace f29 {
namespace {

using enum BoxKind;

const std::vector<BoxInfo>& boxes() {
  static const std::vector<BoxInfo> kBoxes = [] {
    std::vector<BoxInfo> list;
    for (const CodeRow& row : code_rows()) {
      std::string_view formula;
      for (const FormulaRow& candidate : formula_rows()) {
        if (candidate.code == row.code) formula = candidate.text;
      }
      list.push_back({row.code,
                      {row.lines[0], row.lines[1], row.lines[2]},
                      row.kind,
                      row.sign,
                      row.label,
                      formula,
                      row.identity});
    }
    return list;
  }();
  return kBoxes;
}

bool is_mark_set(std::string_view text) {
  return text == "1" || text == "X" || text == "x" || text == "on" || text == "true" ||
         text == "yes";
}

bool is_mark_clear(std::string_view text) {
  return text.empty() || text == "0" || text == "off" || text == "false" || text == "no";
}

// "2019-01-22" or "22/01/2019" → "22/01/2019".
std::optional<std::string> read_day(std::string_view text) {
  std::string iso(text);
  if (text.size() == 10 && text[2] == '/' && text[5] == '/') {
    iso = std::string(text.substr(6)) + '-' + std::string(text.substr(3, 2)) + '-' +
          std::string(text.substr(0, 2));
  }
  if (!parse_iso_date(iso)) return std::nullopt;
  return iso.substr(8, 2) + '/' + iso.substr(5, 2) + '/' + iso.substr(0, 4);
}

ReadValue read_decimal(std::string_view text, std::optional<Decimal> most) {
  auto value = Decimal::parse(text, 3);
  if (!value) return {{}, "must be a number with at most three decimals"};
  if (*value < Decimal{}) return {{}, "must be 0 or more"};
  if (most && *value > *most) return {{}, "must be at most 100"};
  return {BoxValue::of(*value), {}};
}

ReadValue read_text(std::string_view text) {
  bool is_plain = std::all_of(text.begin(), text.end(), [](unsigned char c) { return c >= 0x20; });
  if (text.size() > 100 || !is_plain) return {{}, "must be at most 100 bytes of plain text"};
  return {BoxValue::of(std::string(text)), {}};
}

}  // namespace

std::string_view kind_text(BoxKind kind) {
  constexpr std::array<std::string_view, 25> kTexts = {
      "text",      "rut",    "id",          "period", "number", "checkbox", "date",
      "unknown",   "echo",   "count",       "net",    "debit",  "credit",   "info",
      "total",     "tax",    "withholding", "base",   "rate",   "ppm",      "surcharge",
      "remanente", "volume", "component",   ""};
  return kTexts[static_cast<size_t>(kind)];
}

std::string_view version_text(FormVersion version) {
  constexpr std::array<std::string_view, 3> kTexts = {"V122", "V144", "V150"};
  return kTexts[static_cast<size_t>(version)];
}

FormVersion version_of(Period period) {
  if (period < Period{2021, 1}) return FormVersion::v122;
  return period < Period{2025, 10} ? FormVersion::v144 : FormVersion::v150;
}

std::span<const BoxInfo> all_boxes() { return boxes(); }

const BoxInfo* find_box(int code) {
  auto place = std::lower_bound(boxes().begin(), boxes().end(), code,
                                [](const BoxInfo& box, int wanted) { return box.code < wanted; });
  return place != boxes().end() && place->code == code ? &*place : nullptr;
}

int line_of(int code, FormVersion version) {
  const BoxInfo* box = find_box(code);
  return box == nullptr ? 0 : box->lines[static_cast<size_t>(version)];
}

bool may_be_negative(int code) {
  return code == 538 || code == 537 || code == 596 || code == 743 || code == 745;
}

bool is_only_computed(const BoxInfo& box) {
  return box.kind == total || box.code == 77 || box.code == 89 || box.code == 504;
}

ReadValue read_box_value(const BoxInfo& box, std::string_view text) {
  if (box.identity && box.kind != checkbox) return read_text(text);
  switch (box.kind) {
    case rate:
      return read_decimal(text, Decimal{100, 0});
    case volume:
      return read_decimal(text, std::nullopt);
    case BoxKind::id:
      return read_text(text);
    case date: {
      auto day = read_day(text);
      if (!day) return {{}, "must be a day, dd/mm/yyyy"};
      return {BoxValue::of(*day), {}};
    }
    case checkbox:
      if (is_mark_set(text)) return {BoxValue::of(int64_t{1}), {}};
      if (is_mark_clear(text)) return {BoxValue::of(int64_t{0}), {}};
      return {{}, "is a mark: 1 or 0"};
    default:
      break;
  }
  auto amount = parse_pesos(text);
  if (!amount) return {{}, "must be a whole number of at most 15 digits"};
  if (*amount < Pesos{} && !may_be_negative(box.code)) return {{}, "amount must be ≥ 0"};
  return {BoxValue::of(*amount), {}};
}

}  // namespace f29

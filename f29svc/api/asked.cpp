#include "f29svc/api/asked.h"

#include <algorithm>
#include <chrono>
#include <ctime>

namespace f29 {

std::string query_of(const Call& call, const char* name, std::string otherwise) {
  const auto found = call.request.query.find(name);
  return found == call.request.query.end() ? otherwise : found->second;
}

bool is_good_name(const std::string& name) {
  return !name.empty() && name.size() <= 200 && std::none_of(name.begin(), name.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20;
  });
}

// Four hours behind UTC the year round: nobody loses a day, whatever summer time says.
Date today() {
  const auto now = std::chrono::system_clock::now() - std::chrono::hours(4);
  const std::chrono::year_month_day day(std::chrono::floor<std::chrono::days>(now));
  return {static_cast<int16_t>(static_cast<int>(day.year())),
          static_cast<int8_t>(static_cast<unsigned>(day.month())),
          static_cast<int8_t>(static_cast<unsigned>(day.day()))};
}

int64_t Asked::number(const char* name, int64_t otherwise, int64_t least, int64_t most) {
  const std::string text = query_of(call_, name);
  if (text.empty()) return otherwise;
  const auto value = parse_pesos(text);
  if (value && value->value() >= least && value->value() <= most) return value->value();
  add_fault(std::string(name) + ": a whole number from " + std::to_string(least) + " to " +
            std::to_string(most));
  return otherwise;
}

Date Asked::date(const char* name, Date otherwise) {
  const std::string text = query_of(call_, name);
  if (text.empty()) return otherwise;
  if (const auto date = parse_iso_date(text)) return *date;
  add_fault(std::string(name) + ": a day, such as 2026-07-20");
  return otherwise;
}

Period Asked::period(const char* name, Period otherwise) {
  const std::string text = query_of(call_, name);
  if (text.empty()) return otherwise;
  if (const auto period = Period::parse(text)) return *period;
  add_fault(std::string(name) + ": a month, such as 2026-06");
  return otherwise;
}

std::string Asked::words(const char* name, size_t most) {
  const std::string text = query_of(call_, name);
  if (text.empty() || (text.size() <= most && is_good_name(text))) return text;
  add_fault(std::string(name) + ": at most " + std::to_string(most) + " letters in one line");
  return {};
}

std::string Asked::one_of(const char* name, const std::vector<std::string_view>& choices) {
  const std::string text = query_of(call_, name);
  if (text.empty() || std::find(choices.begin(), choices.end(), text) != choices.end()) return text;
  std::string list;
  for (const std::string_view choice : choices)
    list += (list.empty() ? "" : ", ") + std::string(choice);
  add_fault(std::string(name) + ": one of " + list);
  return {};
}

Page Asked::page() {
  constexpr int64_t kOffsetMost = 1'000'000'000;
  return {number("offset", 0, 0, kOffsetMost), number("limit", 100, 1, 1'000)};
}

DocumentFilter Asked::documents() {
  DocumentFilter filter;
  const std::string side = one_of("side", {"sale", "purchase"});
  if (!side.empty()) filter.side = side == "sale" ? Side::sale : Side::purchase;
  filter.type = static_cast<int>(number("type", 0, 1, 1'023));
  filter.folio = number("folio", -1, 0, kAmountMost);
  const std::string issuer = query_of(call_, "issuer");
  if (!issuer.empty()) {
    filter.issuer = parse_rut(issuer).value_or(Rut());
    if (filter.issuer.is_empty()) add_fault("issuer: a RUT with its check digit");
  }
  return filter;
}

std::optional<Refusal> Asked::fault() const {
  if (faults_.empty()) return std::nullopt;
  return Refusal{422, "bad_query", "the query cannot be used", faults_};
}

}  // namespace f29

#include "f29svc/domain/finding.h"

namespace f29 {

std::string_view severity_text(Severity severity) {
  switch (severity) {
    case Severity::note:
      return "note";
    case Severity::warning:
      return "warning";
    case Severity::error:
      break;
  }
  return "error";
}

std::string Place::text() const {
  std::string text = file;
  if (line != 0) text += ':' + std::to_string(line);
  if (column != 0) text += ':' + std::to_string(column);
  if (!subject.empty()) text += text.empty() ? subject : ": " + subject;
  return text;
}

Findings::Tally& Findings::tally(std::string_view code, Severity severity, std::string_view file) {
  auto [place, is_new] = tallies_.try_emplace({std::string(code), std::string(file)});
  if (is_new || severity > place->second.severity) place->second.severity = severity;
  return place->second;
}

void Findings::add(Finding finding) {
  Tally& seen = tally(finding.code, finding.severity, finding.place.file);
  ++seen.seen;
  if (finding.severity == Severity::error) ++errors_;
  if (finding.severity == Severity::warning) ++warnings_;
  int64_t most = finding.severity == Severity::error ? 10 * kKeptMost : kKeptMost;
  if (seen.seen <= most) list_.push_back(std::move(finding));
}

void Findings::add(std::string_view code, Severity severity, Place place, std::string message,
                   std::string advice) {
  add({std::string(code), severity, std::move(place), std::move(message), std::move(advice)});
}

bool Findings::wants(std::string_view code, Severity severity, std::string_view file) {
  Tally& seen = tally(code, severity, file);
  int64_t most = severity == Severity::error ? 10 * kKeptMost : kKeptMost;
  if (seen.seen < most) return true;
  ++seen.seen;
  if (severity == Severity::error) ++errors_;
  if (severity == Severity::warning) ++warnings_;
  return false;
}

void Findings::count_more(std::string_view code, Severity severity, std::string_view file,
                          int64_t count) {
  tally(code, severity, file).seen += count;
  if (severity == Severity::error) errors_ += count;
  if (severity == Severity::warning) warnings_ += count;
}

void Findings::finish() {
  std::vector<Finding> more;
  for (const auto& [key, seen] : tallies_) {
    int64_t most = seen.severity == Severity::error ? 10 * kKeptMost : kKeptMost;
    if (seen.seen <= most) continue;
    more.push_back(
        {"findings_left_out",
         Severity::note,
         {key.second, 0, 0, {}},
         std::to_string(seen.seen - most) + " more findings of " + key.first + " are not listed",
         "mend the listed ones and run again"});
  }
  for (Finding& finding : more) list_.push_back(std::move(finding));
}

int64_t Findings::count_of(std::string_view code) const {
  int64_t count = 0;
  for (const auto& [key, seen] : tallies_) {
    if (key.first == code) count += seen.seen;
  }
  return count;
}

}  // namespace f29

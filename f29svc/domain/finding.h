// What the service has to say about a file, a document or a box. Every finding names its place and
// what to do about it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace f29 {

enum class Severity : uint8_t { note, warning, error };
std::string_view severity_text(Severity severity);

struct Place {
  std::string file;          // as the caller named it
  int64_t line = 0;          // 1-based, 0: the whole file
  int column = 0;            // 1-based field, 0: the whole line
  std::string subject;       // "box 504", "purchase 33 99990001-1 1001", "inputs: fees[0]"
  std::string text() const;  // "ventas.csv:7:6", "box 504"
};

struct Finding {
  std::string code;  // stable, snake_case: "rut_check_digit"
  Severity severity = Severity::warning;
  Place place;
  std::string message;
  std::string advice;  // what to do
};

// Keeps findings in order. Memory stays bounded: of one code in one file at most `kKeptMost` are
// kept (ten times as many errors), the rest are counted and said once by `finish`.
class Findings {
 public:
  static constexpr int64_t kKeptMost = 1000;

  void add(Finding finding);
  void add(std::string_view code, Severity severity, Place place, std::string message,
           std::string advice = {});
  // Would a finding of this code and file still be kept? Counts it if not: the caller may then
  // save itself the work of writing it.
  bool wants(std::string_view code, Severity severity, std::string_view file);
  // `count` more of a code that `wants` has refused, or that the caller stopped writing.
  void count_more(std::string_view code, Severity severity, std::string_view file, int64_t count);
  // Adds "findings_left_out" for what was only counted. Call once, at the end.
  void finish();

  const std::vector<Finding>& list() const { return list_; }
  std::vector<Finding> take() { return std::move(list_); }
  int64_t errors() const { return errors_; }      // all, kept or not
  int64_t warnings() const { return warnings_; }  // all, kept or not
  int64_t count_of(std::string_view code) const;  // all, kept or not

 private:
  struct Tally {
    int64_t seen = 0;
    Severity severity = Severity::note;
  };
  Tally& tally(std::string_view code, Severity severity, std::string_view file);

  std::vector<Finding> list_;
  std::map<std::pair<std::string, std::string>, Tally, std::less<>> tallies_;
  int64_t errors_ = 0;
  int64_t warnings_ = 0;
};

}  // namespace f29

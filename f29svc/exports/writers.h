// One writer a format. Private to exports; write_return chooses.
#pragma once

#include <ostream>
#include <vector>

#include "f29svc/exports/exports.h"
#include "f29svc/exports/json_writer.h"

namespace f29 {

void write_json(const Return& tax_return, std::ostream& out);
void write_campos(const Return& tax_return, std::ostream& out);
void write_csv(const Return& tax_return, std::ostream& out);
// A spreadsheet must not take text for a formula; whatever has a delimiter or a quote is quoted.
std::string csv_cell(std::string_view text);
void write_xml(const Return& tax_return, std::ostream& out);
void write_findings(JsonWriter& json, const std::vector<Finding>& findings);

// Reading back: identity, then one box after the other.
class ReturnReader {
 public:
  ReturnReader(std::string name, Findings& findings)
      : name_(std::move(name)), findings_(findings) {}

  // A code as a file has it, with its value as text.
  void take(std::string_view code, std::string_view value);
  // version, state, folio, name, company, period, due …; false: not one of them.
  bool take_named(std::string_view key, std::string_view value);
  base::Result<Return> finish();
  Boxes boxes() && { return std::move(made_.boxes); }

 private:
  Return made_;
  std::string name_;
  Findings& findings_;
};

base::Result<Return> read_json(std::string_view text, const std::string& name, Findings& findings);
base::Result<Return> read_csv(std::string_view text, const std::string& name, Findings& findings);
base::Result<Return> read_xml(std::string_view text, const std::string& name, Findings& findings);

}  // namespace f29

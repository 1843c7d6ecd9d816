// The verbs that work on files. Each writes to the given streams and returns its exit code:
// 0 done (warnings allowed), 1 error findings, 2 usage or faulty input.
#pragma once

#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "f29svc/cli/files.h"
#include "f29svc/exports/exports.h"

namespace f29 {

inline constexpr int kDone = 0;
inline constexpr int kErrorFindings = 1;
inline constexpr int kFaultyInput = 2;

// What a person typed, still as text.
struct Arguments {
  std::string company;
  std::string name;
  std::string period;
  std::vector<std::string> rcv;
  std::string documents;
  std::string inputs;
  std::string mapping;
  std::string propuesta;
  std::string from;         // a return that was exported before, instead of computing one
  std::string from_format;  // json, campos, csv, xml; by the file's ending if empty
  std::string format = "json";
  std::string output;      // empty: standard output
  std::string iva_debito;  // what the books claim
  std::string iva_credito;
  bool json = false;
  bool is_terminal = false;  // progress goes to `err`
};

int compute_command(const Arguments& arguments, std::ostream& out, std::ostream& err);
int import_command(const Arguments& arguments, std::ostream& out, std::ostream& err);
int validate_command(const Arguments& arguments, std::ostream& out, std::ostream& err);
int export_command(const Arguments& arguments, std::ostream& out, std::ostream& err);
int reconcile_command(const Arguments& arguments, std::ostream& out, std::ostream& err);
int sheet_command(const Arguments& arguments, std::ostream& out, std::ostream& err);

}  // namespace f29

// A step that reconciles: the command's own JSON against the rows that the case expects.
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "f29svc/cli/commands.h"
#include "tests/f29/cases/case_world.h"

namespace f29 {
namespace {

using nlohmann::json;

std::string key_in(const json& row) {
  return row["side"].get<std::string>() + " " + row["type"].dump() + " " +
         row["issuer"].get<std::string>() + " " + row["folio"].dump();
}

// Every member that is expected stands there; nothing is said of others.
std::string misses(const json& wanted, const json& row) {
  std::string list;
  for (const auto& [name, value] : wanted.items()) {
    if (row.value(name, json()) == value) continue;
    list += " " + name + " is " + row.value(name, json()).dump() + ", expected " + value.dump();
  }
  return list;
}

void compare_rows(const json& wanted, const json& rows, std::vector<std::string>& lines) {
  for (const json& one : wanted) {
    int found = 0;
    for (const json& row : rows) {
      if (key_in(row) != key_in(one)) continue;
      ++found;
      const std::string why = misses(one, row);
      if (!why.empty()) lines.push_back(key_in(one) + ":" + why);
    }
    if (found != 1) lines.push_back(key_in(one) + " stands " + std::to_string(found) + " times");
  }
}

// What must be so of any report: totals are the sums of their rows.
void check_sums(const json& made, std::vector<std::string>& lines) {
  int64_t total = 0;
  int64_t tax = 0;
  int64_t documents = 0;
  for (const json& row : made["documents"]) {
    total += row["diff_total"].get<int64_t>();
    tax += row["diff_tax"].get<int64_t>();
    documents += row.value("count", int64_t{1});
  }
  const json& totals = made["totals"];
  if (totals["diff_total"] != total || totals["diff_tax"] != tax ||
      totals["documents"] != documents) {
    lines.push_back("the totals are not the sums of the rows");
  }
  int64_t by_status = 0;
  for (const auto& [status, sums] : totals["by_status"].items()) {
    by_status += sums["diff_total"].get<int64_t>();
  }
  if (by_status != total) lines.push_back("the statuses do not add up");
}

}  // namespace

std::vector<std::string> reconcile_differences(const json& step) {
  const TempFolder folder;
  const FileRequest request = request_of(step, folder);
  Arguments arguments;
  arguments.company = request.company.text();
  arguments.period = request.period.text();
  arguments.rcv = request.rcv;
  arguments.documents = request.documents;
  arguments.inputs = request.inputs;
  arguments.json = true;
  std::ostringstream out;
  std::ostringstream err;
  std::vector<std::string> lines;
  const int code = reconcile_command(arguments, out, err);
  if (code != step.value("exit", 0)) lines.push_back("exit " + std::to_string(code) + err.str());
  for (const json& fault : step.value("faults", json::array())) {
    if (err.str().find(fault.get<std::string>()) == std::string::npos) lines.push_back(err.str());
  }
  if (code == kFaultyInput) return lines;
  const json made = json::parse(out.str());
  check_sums(made, lines);
  compare_rows(step.value("reconciled", json::array()), made["documents"], lines);
  if (step.contains("reconciled_file")) {
    std::ifstream in("tests/f29/data/" + step["reconciled_file"].get<std::string>());
    const json wanted = json::parse(in);
    compare_rows(wanted, made["documents"], lines);
    if (made["documents"].size() != wanted.size()) lines.push_back("another number of rows");
    for (size_t i = 0; i < std::min(wanted.size(), made["documents"].size()); ++i) {
      if (key_in(wanted[i]) != key_in(made["documents"][i])) lines.push_back("another order");
    }
  }
  if (step.contains("rows") && made["documents"].size() != step["rows"].get<size_t>()) {
    lines.push_back("rows: " + made["documents"].dump());
  }
  for (const json& wanted : step.value("reconcile_findings", json::array())) {
    const std::string text = wanted.get<std::string>();
    const size_t cut = text.find('~');
    bool is_there = false;
    for (const json& finding : made["findings"]) {
      is_there |=
          finding["code"] == text.substr(0, cut) &&
          finding["message"].get<std::string>().find(text.substr(cut + 1)) != std::string::npos;
    }
    if (!is_there) lines.push_back("no finding " + text + " in " + made["findings"].dump());
  }
  if (step.contains("ledger") && made["ledger"] != step["ledger"]) {
    lines.push_back("ledger " + made["ledger"].dump());
  }
  if (step.contains("totals")) {
    const std::string why = misses(step["totals"], made["totals"]);
    if (!why.empty()) lines.push_back("totals:" + why);
  }
  return lines;
}

}  // namespace f29

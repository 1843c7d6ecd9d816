#include "tests/f29/formulas/form_cases.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "f29svc/form/form.h"

namespace f29 {
namespace {

using nlohmann::json;

// Walks a formula's text and makes a mutant of each term, at every depth.
class Mutator {
 public:
  explicit Mutator(const std::string& text) : text_(text) {}

  std::vector<Mutant> all() {
    walk(0, text_.size(), false);
    return std::move(mutants_);
  }

 private:
  // [from, to) is a sum. `is_condition`: the first argument of if, a mark that is 0 or 1.
  void walk(size_t from, size_t to, bool is_condition) {
    size_t start = from;
    int depth = 0;
    for (size_t at = from; at <= to; ++at) {
      char c = at < to ? text_[at] : '+';
      if (c == '(' || c == '[') ++depth;
      if (c == ')' || c == ']') --depth;
      if (depth != 0 || (c != '+' && c != '-')) continue;
      if (at > start) term(start, at, is_condition);
      start = at + 1;
    }
  }

  void term(size_t from, size_t to, bool is_condition) {
    std::string body = text_.substr(from, to - from);
    bool is_number = body.find_first_not_of("0123456789.") == std::string::npos;
    if (!is_number) {
      put(from, to, "0", body + " dropped");
      put(from, to, is_condition ? "(1-" + body + ")" : "(-" + body + ")", body + " negated");
    }
    size_t open = text_.find('(', from);
    while (open < to) {
      size_t close = matching(open);
      bool is_if = open >= from + 2 && text_.compare(open - 2, 2, "if") == 0;
      arguments(open + 1, close, is_if);
      open = text_.find('(', close);
    }
  }

  void arguments(size_t from, size_t to, bool is_if) {
    size_t start = from;
    int depth = 0;
    bool is_first = true;
    for (size_t at = from; at <= to; ++at) {
      char c = at < to ? text_[at] : ',';
      if (c == '(') ++depth;
      if (c == ')') --depth;
      if (depth != 0 || c != ',') continue;
      walk(start, at, is_if && is_first);
      is_first = false;
      start = at + 1;
    }
  }

  size_t matching(size_t open) const {
    int depth = 0;
    for (size_t at = open; at < text_.size(); ++at) {
      if (text_[at] == '(') ++depth;
      if (text_[at] == ')' && --depth == 0) return at;
    }
    return text_.size();
  }

  void put(size_t from, size_t to, const std::string& instead, std::string what) {
    mutants_.push_back({text_.substr(0, from) + instead + text_.substr(to), std::move(what)});
  }

  const std::string& text_;
  std::vector<Mutant> mutants_;
};

}  // namespace

std::vector<Mutant> mutants_of(const std::string& formula) { return Mutator(formula).all(); }

std::vector<FormCase> read_form_cases(const std::string& path) {
  std::ifstream in(path);
  json whole = json::parse(in);
  std::vector<FormCase> cases;
  for (const json& one : whole) {
    FormCase& read = cases.emplace_back();
    read.name = one["name"];
    for (const auto& [code, value] : one["given"].items()) {
      int number = std::stoi(code);
      read.given[number] = value.is_string()
                               ? BoxValue::of(*Decimal::parse(value.get<std::string>()))
                               : BoxValue::of(Pesos{value.get<int64_t>()});
    }
    if (one.contains("fixed")) read.fixed = one["fixed"].get<std::vector<int>>();
    for (const auto& [code, value] : one["expect"].items()) {
      read.expected.emplace_back(std::stoi(code), value.get<int64_t>());
    }
  }
  return cases;
}

std::string run_form_case(const FormCase& one, const Evaluator& form) {
  Boxes boxes = one.given;
  auto done = form.run(boxes, one.fixed);
  if (!done) return done.error().detail;
  for (const auto& [code, value] : one.expected) {
    if (amount_in(boxes, code) == value) continue;
    return "box " + std::to_string(code) + " is " + std::to_string(amount_in(boxes, code)) +
           ", expected " + std::to_string(value);
  }
  return {};
}

}  // namespace f29

// Lines of `code formula`: parsed, ordered, evaluated. No circle gets through, and nothing but a
// whole number or an error comes out.
#include "f29svc/form/formula.h"

#include <algorithm>
#include <string>

#include "tests/f29/fuzz/targets.h"

int formula_one(const uint8_t* data, size_t size) {
  using namespace f29;
  std::string_view text(reinterpret_cast<const char*>(data), size);
  Boxes boxes{
      {502, BoxValue::of(Pesos{1216000})},      {538, BoxValue::of(Pesos{-5})},
      {115, BoxValue::of(Decimal{125, 3})},     {91, BoxValue::of(Pesos{INT64_MAX})},
      {94, BoxValue::of(Pesos{INT64_MIN + 1})}, {915, BoxValue::of(std::string("01/02/2026"))}};
  auto whole = Formula::parse(text);
  if (whole) (void)whole->evaluate(boxes);
  std::vector<Evaluator::Rule> rules;
  while (!text.empty() && rules.size() < 64) {
    size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    int code = 0;
    while (!line.empty() && line[0] >= '0' && line[0] <= '9' && code < 10'000) {
      code = code * 10 + (line[0] - '0');
      line.remove_prefix(1);
    }
    if (!line.empty() && line[0] == ' ') rules.push_back({code, std::string(line.substr(1))});
  }
  auto evaluator = Evaluator::make(rules);
  if (!evaluator) return 0;
  if (evaluator->rules().size() != rules.size()) fuzz_fault("a formula is missing");
  // Each comes after those it needs.
  std::vector<int> done;
  for (const Evaluator::Rule& rule : evaluator->rules()) {
    auto formula = Formula::parse(rule.text);
    if (!formula) fuzz_fault("a formula that does not parse");
    for (int used : formula->boxes_used()) {
      for (const Evaluator::Rule& other : evaluator->rules()) {
        bool is_done = std::find(done.begin(), done.end(), other.code) != done.end();
        if (other.code == used && !is_done) fuzz_fault("out of order");
      }
    }
    done.push_back(rule.code);
  }
  (void)evaluator->run(boxes, {502});
  return 0;
}

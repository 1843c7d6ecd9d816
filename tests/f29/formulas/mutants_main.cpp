// f29_mutants: drops and negates each term of every formula in turn and looks for a case that
// fails. Prints killed/total; exit code 1 if one survives.
#include <cstdio>

#include "tests/f29/formulas/form_cases.h"

int main(int argc, char** argv) {
  using namespace f29;
  auto cases = read_form_cases(argc > 1 ? argv[1] : "tests/f29/formulas/form_cases.json");
  auto form = Evaluator::of_form();
  if (!form) return 1;
  for (const FormCase& one : cases) {
    std::string wrong = run_form_case(one, *form);
    if (wrong.empty()) continue;
    std::printf("the form itself fails %s: %s\n", one.name.c_str(), wrong.c_str());
    return 1;
  }
  size_t total = 0;
  size_t killed = 0;
  for (const Evaluator::Rule& rule : form->rules()) {
    for (const Mutant& mutant : mutants_of(rule.text)) {
      ++total;
      std::vector<Evaluator::Rule> rules = form->rules();
      for (Evaluator::Rule& changed : rules) {
        if (changed.code == rule.code) changed.text = mutant.text;
      }
      auto wrong_form = Evaluator::make(std::move(rules));
      bool is_killed = !wrong_form;
      for (const FormCase& one : cases) {
        if (is_killed) break;
        is_killed = !run_form_case(one, *wrong_form).empty();
      }
      killed += is_killed;
      if (!is_killed) std::printf("survives: %d: %s\n", rule.code, mutant.what.c_str());
    }
  }
  std::printf("mutants of the formulas: %zu/%zu killed, %.0f %%\n", killed, total,
              total == 0 ? 0.0 : 100.0 * static_cast<double>(killed) / static_cast<double>(total));
  return killed == total ? 0 : 1;
}

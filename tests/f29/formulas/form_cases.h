// Given boxes and the boxes that the form must give, from form_cases.json. Used by the tests and by
// the mutants: a changed formula must fail a case.
#pragma once

#include <string>
#include <vector>

#include "f29svc/form/formula.h"

namespace f29 {

struct FormCase {
  std::string name;
  Boxes given;
  std::vector<int> fixed;  // given boxes that replace their formula
  std::vector<std::pair<int, int64_t>> expected;
};
std::vector<FormCase> read_form_cases(const std::string& path);
// Empty: passed; else what is wrong.
std::string run_form_case(const FormCase& one, const Evaluator& form);

// One formula with one term dropped or negated.
struct Mutant {
  std::string text;
  std::string what;  // "[764] dropped"
};
std::vector<Mutant> mutants_of(const std::string& formula);

}  // namespace f29

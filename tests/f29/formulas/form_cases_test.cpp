#include "tests/f29/formulas/form_cases.h"

namespace f29 {
namespace {

TEST(FormCases, EachGivesItsBoxes) {
  auto form = Evaluator::of_form();
  ASSERT_TRUE(form);
  auto cases = read_form_cases("tests/f29/formulas/form_cases.json");
  EXPECT_GT(cases.size(), 20u);
  for (const FormCase& one : cases) EXPECT_EQ(run_form_case(one, *form), "") << one.name;
}

TEST(Mutants, AreTheTermsAtEveryDepth) {
  std::vector<std::string> texts;
  for (const Mutant& mutant : mutants_of("max([1]-[2],0)")) texts.push_back(mutant.text);
  EXPECT_EQ(texts,
            (std::vector<std::string>{"0", "(-max([1]-[2],0))", "max(0-[2],0)", "max((-[1])-[2],0)",
                                      "max([1]-0,0)", "max([1]-(-[2]),0)"}));
}

TEST(Mutants, EveryOneParses) {
  auto form = Evaluator::of_form();
  ASSERT_TRUE(form);
  for (const Evaluator::Rule& rule : form->rules()) {
    for (const Mutant& mutant : mutants_of(rule.text)) {
      EXPECT_TRUE(Formula::parse(mutant.text)) << mutant.text;
    }
  }
}

}  // namespace
}  // namespace f29

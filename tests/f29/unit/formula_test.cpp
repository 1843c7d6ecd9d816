#include "f29svc/form/formula.h"

#include "f29svc/form/form.h"

namespace f29 {
namespace {

std::string value(std::string_view text, const Boxes& boxes = {}) {
  auto formula = Formula::parse(text);
  if (!formula) return formula.error().detail;
  auto result = formula->evaluate(boxes);
  return result ? std::to_string(*result) : result.error().detail;
}

TEST(Formula, ComputesWithTheUsualPrecedence) {
  EXPECT_EQ(value("1+2*3"), "7");
  EXPECT_EQ(value("(1+2)*3"), "9");
  EXPECT_EQ(value("7-2-1"), "4");
  EXPECT_EQ(value("12/4/3"), "1");
  EXPECT_EQ(value("-(2+3)*-2"), "10");
  EXPECT_EQ(value("--2"), "2");
  EXPECT_EQ(value(" 1 + 1 "), "2");
}

TEST(Formula, AMissingBoxIsZero) {
  Boxes boxes{{538, BoxValue::of(Pesos{18050})}};
  EXPECT_EQ(value("max([537]-[538],0)", boxes), "0");
  EXPECT_EQ(value("[538]-[537]", boxes), "18050");
}

TEST(Formula, RatesAreExactDecimals) {
  Boxes boxes{{563, BoxValue::of(Pesos{3458147})}, {115, BoxValue::of(Decimal{125, 3})}};
  EXPECT_EQ(value("round([563]*[115]/100)", boxes), "4323");
  EXPECT_EQ(value("[563]*[115]/100", boxes), "the result is not whole");
}

TEST(Formula, RoundsHalfUp) {
  EXPECT_EQ(value("round(5/2)"), "3");
  EXPECT_EQ(value("round(7/3)"), "2");
  EXPECT_EQ(value("round(-5/2)"), "-3");
  EXPECT_EQ(value("round(0.1+0.2+0.2)"), "1");
}

TEST(Formula, KnowsItsFunctions) {
  EXPECT_EQ(value("max(1,3,2)"), "3");
  EXPECT_EQ(value("min(1,-3,2)"), "-3");
  EXPECT_EQ(value("abs(-4)"), "4");
  EXPECT_EQ(value("if(0,1,2)"), "2");
  EXPECT_EQ(value("if(5,1,1/0)"), "1");
}

TEST(Formula, SaysWhereItDoesNotParse) {
  EXPECT_EQ(value(""), "at 0: expected a number, a box, a function or '('");
  EXPECT_EQ(value("1+"), "at 2: expected a number, a box, a function or '('");
  EXPECT_EQ(value("[]"), "at 1: expected a code and ']'");
  EXPECT_EQ(value("[12"), "at 3: expected a code and ']'");
  EXPECT_EQ(value("(1"), "at 2: expected ')'");
  EXPECT_EQ(value("1 2"), "at 2: expected an operator");
  EXPECT_EQ(value("foo(1)"), "at 3: unknown function");
  EXPECT_EQ(value("if(1,2)"), "at 7: wrong number of arguments");
  EXPECT_EQ(value("1.2.3"), "at 5: not a number that can be used");
}

TEST(Formula, SaysWhenANumberCannotBe) {
  EXPECT_EQ(value("1/0"), "overflow or division by zero");
  std::string big = "999999999999999";
  EXPECT_EQ(value(big + "*" + big + "*" + big), "overflow or division by zero");
  EXPECT_EQ(value(big + "*" + big), "overflow or division by zero");
}

TEST(Formula, IsBoundedInDepthAndLength) {
  EXPECT_EQ(value(std::string(60, '(') + "1" + std::string(60, ')')), "at 51: too deep");
  EXPECT_EQ(value(std::string(60, '-') + "1"), "at 52: too deep");
  EXPECT_EQ(value(std::string(5000, '1')), "too long");
}

TEST(Evaluator, OrdersFormulasByWhatTheyNeed) {
  auto evaluator = Evaluator::make({{1, "[2]+[3]"}, {2, "[3]*2"}, {4, "[1]"}});
  ASSERT_TRUE(evaluator);
  Boxes boxes{{3, BoxValue::of(Pesos{5})}};
  ASSERT_TRUE(evaluator->run(boxes, {}));
  EXPECT_EQ(amount_in(boxes, 4), 15);
}

TEST(Evaluator, AGivenBoxReplacesItsFormula) {
  auto evaluator = Evaluator::make({{1, "[2]"}, {2, "7"}});
  ASSERT_TRUE(evaluator);
  Boxes boxes{{2, BoxValue::of(Pesos{5})}};
  ASSERT_TRUE(evaluator->run(boxes, {2}));
  EXPECT_EQ(amount_in(boxes, 1), 5);
}

TEST(Evaluator, RefusesACircleAndNamesIt) {
  auto evaluator = Evaluator::make({{1, "[2]"}, {2, "[3]"}, {3, "[1]"}});
  ASSERT_FALSE(evaluator);
  EXPECT_EQ(evaluator.error().detail, "formulas go in a circle: 1 → 2 → 3 → 1");
}

TEST(Evaluator, RefusesAFormulaThatDoesNotParseAndNamesIt) {
  auto evaluator = Evaluator::make({{547, "[595"}});
  ASSERT_FALSE(evaluator);
  EXPECT_EQ(evaluator.error().detail, "formula of 547: at 4: expected a code and ']'");
  EXPECT_FALSE(Evaluator::make({{1, "1"}, {1, "2"}}));
}

TEST(Evaluator, TheFormItselfHasNoCircle) {
  auto evaluator = Evaluator::of_form();
  ASSERT_TRUE(evaluator) << evaluator.error().detail;
  EXPECT_EQ(evaluator->rules().size(), 46u);
}

TEST(Form, EveryFormulaUsesKnownBoxesOnly) {
  for (const BoxInfo& box : all_boxes()) {
    if (box.formula.empty()) continue;
    auto formula = Formula::parse(box.formula);
    ASSERT_TRUE(formula) << box.code;
    for (int used : formula->boxes_used()) {
      EXPECT_TRUE(used >= 10'000 || find_box(used) != nullptr) << box.code << " uses " << used;
    }
  }
}

}  // namespace
}  // namespace f29

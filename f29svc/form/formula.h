// The small language of the form's formulas: [n] is box n, + - * /, parentheses, numbers, and
// max min abs round if(cond,a,b). A missing box is 0. Arithmetic is exact (fractions of 128 bits).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "f29svc/domain/box_value.h"
#include "proxy/base/result.h"

namespace f29 {

class Formula {
 public:
  // The detail of an error has the offset: "at 12: expected a number".
  static base::Result<Formula> parse(std::string_view text);
  ~Formula();
  Formula(Formula&&) noexcept;
  Formula& operator=(Formula&&) noexcept;

  // Exact; an overflow, a division by zero or a result that is not whole is an error.
  base::Result<int64_t> evaluate(const Boxes& boxes) const;
  const std::vector<int>& boxes_used() const;

 private:
  friend class FormulaParser;
  struct Node;
  Formula();
  std::unique_ptr<Node> root_;
  std::vector<int> used_;
};

// Formulas in an order in which each comes after those it needs. A cycle or a formula that does
// not parse is an error that names its codes.
class Evaluator {
 public:
  struct Rule {
    int code;
    std::string text;
  };
  // The formulas of the form and the helpers of compute.
  static base::Result<Evaluator> of_form();
  static base::Result<Evaluator> make(std::vector<Rule> rules);

  // Computes every box that has a formula and is not in `fixed`. Values of `boxes` that have a
  // formula and are not fixed are replaced.
  base::Result<> run(Boxes& boxes, const std::vector<int>& fixed) const;
  // Only one, from what is there.
  base::Result<int64_t> value_of(int code, const Boxes& boxes) const;
  const std::vector<Rule>& rules() const { return rules_; }  // in order of evaluation

 private:
  std::vector<Rule> rules_;
  std::vector<Formula> formulas_;
};

}  // namespace f29

#include <algorithm>
#include <map>

#include "f29svc/form/codes.h"
#include "f29svc/form/formula.h"

namespace f29 {
namespace {

using base::ErrorCode;
using base::Side;

// Depth-first order over "needs"; a code met again while it is still open closes a cycle.
class Order {
 public:
  explicit Order(const std::map<int, std::vector<int>>& needs) : needs_(needs) {}

  // Empty: no cycle on the way down from `code`.
  std::string visit(int code) {
    auto node = needs_.find(code);
    if (node == needs_.end() || state_[code] == State::done) return {};
    if (state_[code] == State::open) return std::to_string(code);
    state_[code] = State::open;
    for (int needed : node->second) {
      std::string cycle = visit(needed);
      if (!cycle.empty()) return std::to_string(code) + " → " + cycle;
    }
    state_[code] = State::done;
    order_.push_back(code);
    return {};
  }
  const std::vector<int>& order() const { return order_; }

 private:
  enum class State : uint8_t { unseen, open, done };
  const std::map<int, std::vector<int>>& needs_;
  std::map<int, State> state_;
  std::vector<int> order_;
};

}  // namespace

base::Result<Evaluator> Evaluator::make(std::vector<Rule> rules) {
  std::map<int, Formula> parsed;
  std::map<int, std::vector<int>> needs;
  std::map<int, std::string> texts;
  for (Rule& rule : rules) {
    std::string name = "formula of " + std::to_string(rule.code);
    auto formula = Formula::parse(rule.text);
    if (!formula) {
      return base::fail(ErrorCode::bad_config, Side::proxy, name + ": " + formula.error().detail);
    }
    if (texts.contains(rule.code)) {
      return base::fail(ErrorCode::bad_config, Side::proxy, name + ": given twice");
    }
    needs[rule.code] = formula->boxes_used();
    texts[rule.code] = std::move(rule.text);
    parsed.emplace(rule.code, std::move(*formula));
  }
  Order order(needs);
  for (const auto& [code, needed] : needs) {
    std::string cycle = order.visit(code);
    if (!cycle.empty()) {
      return base::fail(ErrorCode::bad_config, Side::proxy, "formulas go in a circle: " + cycle);
    }
  }
  Evaluator evaluator;
  for (int code : order.order()) {
    evaluator.rules_.push_back({code, std::move(texts[code])});
    evaluator.formulas_.push_back(std::move(parsed.at(code)));
  }
  return evaluator;
}

base::Result<Evaluator> Evaluator::of_form() {
  std::vector<Rule> rules;
  for (const FormulaRow& row : formula_rows()) rules.push_back({row.code, std::string(row.text)});
  return make(std::move(rules));
}

base::Result<> Evaluator::run(Boxes& boxes, const std::vector<int>& fixed) const {
  for (size_t i = 0; i < rules_.size(); ++i) {
    int code = rules_[i].code;
    if (std::find(fixed.begin(), fixed.end(), code) != fixed.end()) continue;
    auto value = formulas_[i].evaluate(boxes);
    if (!value) {
      base::Error error = value.error();
      error.detail = "box " + std::to_string(code) + ": " + error.detail;
      return base::fail(std::move(error));
    }
    boxes[code] = BoxValue::of(*value);
  }
  return {};
}

base::Result<int64_t> Evaluator::value_of(int code, const Boxes& boxes) const {
  for (size_t i = 0; i < rules_.size(); ++i) {
    if (rules_[i].code == code) return formulas_[i].evaluate(boxes);
  }
  return base::fail(ErrorCode::not_found, Side::proxy, "no formula");
}

}  // namespace f29

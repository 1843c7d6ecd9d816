#include "f29svc/form/formula.h"

#include <algorithm>
#include <utility>

#include "f29svc/form/fraction.h"

namespace f29 {

using base::ErrorCode;
using base::Side;

enum class Op : uint8_t {
  number,
  box,
  add,
  subtract,
  multiply,
  divide,
  negate,
  max,
  min,
  abs,
  round,
  choose
};

struct Formula::Node {
  Op op = Op::number;
  int box = 0;
  Fraction number;
  std::vector<Node> parts;

  std::optional<Fraction> value(const Boxes& boxes) const;
  std::optional<Fraction> extreme(const Boxes& boxes) const;
};

namespace {

constexpr size_t kTextMost = 4096;
constexpr int kDepthMost = 50;

Fraction fraction_of(Decimal decimal) {
  Int128 bottom = 1;
  for (int i = 0; i < decimal.scale(); ++i) bottom *= 10;
  return *reduced(decimal.units(), bottom);
}

struct Function {
  std::string_view name;
  Op op;
  size_t least;
  size_t most;
};
constexpr Function kFunctions[] = {
    {"max", Op::max, 1, 16},    {"min", Op::min, 1, 16},  {"abs", Op::abs, 1, 1},
    {"round", Op::round, 1, 1}, {"if", Op::choose, 3, 3},
};

}  // namespace

// Recursive descent; `fault_` keeps the first fault, after which nothing is consumed.
class FormulaParser {
 public:
  using Node = Formula::Node;
  explicit FormulaParser(std::string_view text) : text_(text) {}

  Node whole() {
    Node node = sum(0);
    if (fault_.empty() && at_ < text_.size()) fail("expected an operator");
    return node;
  }
  const std::string& fault() const { return fault_; }
  std::vector<int> used() && { return std::move(used_); }

 private:
  void fail(std::string_view what) {
    if (!fault_.empty()) return;
    fault_ = "at " + std::to_string(at_) + ": " + std::string(what);
    at_ = text_.size();
  }
  char look() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool take(char c) {
    if (look() != c) return false;
    ++at_;
    return true;
  }
  static Node make(Op op, Node left, Node right) {
    Node node;
    node.op = op;
    node.parts.push_back(std::move(left));
    node.parts.push_back(std::move(right));
    return node;
  }

  Node sum(int depth) {
    if (depth > kDepthMost) {
      fail("too deep");
      return {};
    }
    Node left = product(depth);
    for (;;) {
      if (take('+')) {
        left = make(Op::add, std::move(left), product(depth));
      } else if (take('-')) {
        left = make(Op::subtract, std::move(left), product(depth));
      } else {
        return left;
      }
    }
  }

  Node product(int depth) {
    Node left = signed_value(depth);
    for (;;) {
      if (take('*')) {
        left = make(Op::multiply, std::move(left), signed_value(depth));
      } else if (take('/')) {
        left = make(Op::divide, std::move(left), signed_value(depth));
      } else {
        return left;
      }
    }
  }

  Node signed_value(int depth) {
    if (!take('-')) return value(depth);
    if (depth > kDepthMost) {
      fail("too deep");
      return {};
    }
    Node node;
    node.op = Op::negate;
    node.parts.push_back(signed_value(depth + 1));
    return node;
  }

  Node value(int depth) {
    char c = look();
    if (c == '[') return box();
    if (c >= '0' && c <= '9') return number();
    if (c >= 'a' && c <= 'z') return call(depth);
    if (!take('(')) {
      fail("expected a number, a box, a function or '('");
      return {};
    }
    Node node = sum(depth + 1);
    if (!take(')')) fail("expected ')'");
    return node;
  }

  Node box() {
    Node node;
    node.op = Op::box;
    ++at_;
    size_t from = at_;
    while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9' && at_ - from < 6) {
      node.box = node.box * 10 + (text_[at_++] - '0');
    }
    if (at_ == from || !take(']')) fail("expected a code and ']'");
    if (std::find(used_.begin(), used_.end(), node.box) == used_.end()) used_.push_back(node.box);
    return node;
  }

  Node number() {
    size_t from = at_;
    while (at_ < text_.size() && ((text_[at_] >= '0' && text_[at_] <= '9') || text_[at_] == '.')) {
      ++at_;
    }
    auto decimal = Decimal::parse(text_.substr(from, at_ - from));
    Node node;
    if (decimal) {
      node.number = fraction_of(*decimal);
    } else {
      fail("not a number that can be used");
    }
    return node;
  }

  Node call(int depth) {
    size_t from = at_;
    while (at_ < text_.size() && text_[at_] >= 'a' && text_[at_] <= 'z') ++at_;
    std::string_view name = text_.substr(from, at_ - from);
    for (const Function& function : kFunctions) {
      if (function.name != name) continue;
      Node node;
      node.op = function.op;
      if (!take('(')) fail("expected '('");
      do {
        node.parts.push_back(sum(depth + 1));
      } while (take(',') && node.parts.size() <= function.most);
      if (!take(')')) fail("expected ')'");
      if (node.parts.size() < function.least || node.parts.size() > function.most) {
        fail("wrong number of arguments");
      }
      return node;
    }
    fail("unknown function");
    return {};
  }

  std::string_view text_;
  size_t at_ = 0;
  std::string fault_;
  std::vector<int> used_;
};

std::optional<Fraction> Formula::Node::extreme(const Boxes& boxes) const {
  auto best = parts[0].value(boxes);
  for (size_t i = 1; i < parts.size() && best; ++i) {
    auto other = parts[i].value(boxes);
    if (!other) return std::nullopt;
    auto less = op == Op::max ? is_less(*best, *other) : is_less(*other, *best);
    if (!less) return std::nullopt;
    if (*less) best = other;
  }
  return best;
}

std::optional<Fraction> Formula::Node::value(const Boxes& boxes) const {
  if (op == Op::number) return number;
  if (op == Op::box) {
    auto found = boxes.find(box);
    if (found == boxes.end()) return Fraction{};
    if (found->second.kind == BoxValue::Kind::decimal) return fraction_of(found->second.decimal);
    return Fraction{found->second.amount, 1};
  }
  if (op == Op::max || op == Op::min) return extreme(boxes);
  auto first = parts[0].value(boxes);
  if (!first) return std::nullopt;
  if (op == Op::choose) return parts[first->top != 0 ? 1 : 2].value(boxes);
  if (op == Op::negate) return negated(*first);
  if (op == Op::abs) return first->top < 0 ? negated(*first) : first;
  if (op == Op::round) return rounded(*first);
  auto second = parts[1].value(boxes);
  if (!second) return std::nullopt;
  switch (op) {
    case Op::add:
      return plus(*first, *second);
    case Op::subtract:
      return plus(*first, *negated(*second));
    case Op::multiply:
      return times(*first, *second);
    default:
      return divided(*first, *second);
  }
}

Formula::Formula() = default;
Formula::~Formula() = default;
Formula::Formula(Formula&&) noexcept = default;
Formula& Formula::operator=(Formula&&) noexcept = default;

base::Result<Formula> Formula::parse(std::string_view text) {
  if (text.size() > kTextMost) return base::fail(ErrorCode::bad_input, Side::proxy, "too long");
  FormulaParser parser(text);
  Formula formula;
  formula.root_ = std::make_unique<Node>(parser.whole());
  if (!parser.fault().empty()) {
    return base::fail(ErrorCode::bad_input, Side::proxy, parser.fault());
  }
  formula.used_ = std::move(parser).used();
  return formula;
}

const std::vector<int>& Formula::boxes_used() const { return used_; }

base::Result<int64_t> Formula::evaluate(const Boxes& boxes) const {
  auto value = root_->value(boxes);
  if (!value) {
    return base::fail(ErrorCode::bad_input, Side::proxy, "overflow or division by zero");
  }
  if (value->bottom != 1) {
    return base::fail(ErrorCode::bad_input, Side::proxy, "the result is not whole");
  }
  if (value->top > INT64_MAX || value->top < -INT64_MAX) {
    return base::fail(ErrorCode::bad_input, Side::proxy, "overflow or division by zero");
  }
  return static_cast<int64_t>(value->top);
}

}  // namespace f29

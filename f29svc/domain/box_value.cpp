#include "f29svc/domain/box_value.h"

namespace f29 {

std::string BoxValue::plain() const {
  switch (kind) {
    case Kind::amount:
      return std::to_string(amount);
    case Kind::decimal:
      return decimal.text();
    case Kind::text:
      break;
  }
  return text;
}

int64_t amount_in(const Boxes& boxes, int code) {
  auto box = boxes.find(code);
  return box == boxes.end() ? 0 : box->second.amount;
}

}  // namespace f29

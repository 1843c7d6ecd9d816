// An answer of Odoo as a tree. Numbers keep the text they came in: amounts are floats on the wire
// and must become exact pesos without passing through a binary one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "f29svc/domain/money.h"
#include "f29svc/domain/period.h"

namespace f29 {

class JsonValue {
 public:
  // Defined where the type is complete: it holds itself.
  JsonValue();
  ~JsonValue();
  JsonValue(const JsonValue&);
  JsonValue(JsonValue&&) noexcept;
  JsonValue& operator=(const JsonValue&);
  JsonValue& operator=(JsonValue&&) noexcept;

  enum class Kind : uint8_t { null, boolean, number, text, list, object };
  Kind kind = Kind::null;
  bool flag = false;
  std::string text;  // number: as written
  std::vector<JsonValue> items;
  std::vector<std::pair<std::string, JsonValue>> members;

  // A missing member is null.
  const JsonValue& operator[](std::string_view name) const;
  bool is_list() const { return kind == Kind::list; }
  bool is_object() const { return kind == Kind::object; }
  bool is_true() const { return kind == Kind::boolean && flag; }
  // Odoo says `false` for everything that is not set.
  bool is_unset() const { return kind == Kind::null || (kind == Kind::boolean && !flag); }

  // A whole number, or the id of a many2one `[id, "label"]`. 0: unset or something else.
  int64_t id() const;
  std::string_view label() const;  // of a many2one; empty if there is none
  std::vector<int64_t> ids() const;
  std::string_view string() const;  // empty if it is none
  std::optional<Date> date() const;
  // "1000000.0" → 1000000. Empty if it is no whole number of at most 15 digits.
  std::optional<Pesos> pesos() const;
};

// Empty if the text is not JSON, is nested deeper than 64 levels, or has more than `values_max`
// values.
std::optional<JsonValue> parse_json(std::string_view text, size_t values_max = 20'000'000);

}  // namespace f29

#include "f29svc/domain/json_value.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

namespace f29 {

JsonValue::JsonValue() = default;
JsonValue::~JsonValue() = default;
JsonValue::JsonValue(const JsonValue&) = default;
JsonValue::JsonValue(JsonValue&&) noexcept = default;
JsonValue& JsonValue::operator=(const JsonValue&) = default;
JsonValue& JsonValue::operator=(JsonValue&&) noexcept = default;

namespace {

constexpr size_t kDepthMost = 64;

// Collects the parser's events; keeps the path from the root to the open list or object.
class Collector final : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit Collector(size_t values_max) : left_(values_max) {}
  JsonValue root;

  bool null() override { return add(JsonValue::Kind::null) != nullptr; }
  bool boolean(bool flag) override {
    JsonValue* value = add(JsonValue::Kind::boolean);
    if (value != nullptr) value->flag = flag;
    return value != nullptr;
  }
  bool number_integer(number_integer_t number) override {
    return add_text(JsonValue::Kind::number, std::to_string(number));
  }
  bool number_unsigned(number_unsigned_t number) override {
    return add_text(JsonValue::Kind::number, std::to_string(number));
  }
  bool number_float(number_float_t, const string_t& text) override {
    return add_text(JsonValue::Kind::number, text);
  }
  bool string(string_t& text) override { return add_text(JsonValue::Kind::text, std::move(text)); }
  bool binary(binary_t&) override { return false; }
  bool start_object(size_t) override { return open(JsonValue::Kind::object); }
  bool key(string_t& name) override {
    open_.back()->members.emplace_back(std::move(name), JsonValue());
    return true;
  }
  bool end_object() override { return close(); }
  bool start_array(size_t) override { return open(JsonValue::Kind::list); }
  bool end_array() override { return close(); }
  bool parse_error(size_t, const std::string&, const nlohmann::detail::exception&) override {
    return false;
  }

 private:
  JsonValue* add(JsonValue::Kind kind) {
    if (left_ == 0) return nullptr;
    --left_;
    JsonValue* place = &root;
    if (!open_.empty()) {
      JsonValue& parent = *open_.back();
      place = parent.is_list() ? &parent.items.emplace_back() : &parent.members.back().second;
    }
    place->kind = kind;
    return place;
  }
  bool add_text(JsonValue::Kind kind, std::string text) {
    JsonValue* value = add(kind);
    if (value != nullptr) value->text = std::move(text);
    return value != nullptr;
  }
  bool open(JsonValue::Kind kind) {
    JsonValue* value = open_.size() < kDepthMost ? add(kind) : nullptr;
    if (value != nullptr) open_.push_back(value);
    return value != nullptr;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  std::vector<JsonValue*> open_;
  size_t left_;
};

const JsonValue kNull;

std::optional<int64_t> whole(std::string_view text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

const JsonValue& JsonValue::operator[](std::string_view name) const {
  const auto found = std::find_if(members.begin(), members.end(),
                                  [&](const auto& member) { return member.first == name; });
  return found == members.end() ? kNull : found->second;
}

int64_t JsonValue::id() const {
  if (kind == Kind::number) return whole(text).value_or(0);
  if (is_list() && !items.empty() && items[0].kind == Kind::number) return items[0].id();
  return 0;
}

std::string_view JsonValue::label() const {
  return is_list() && items.size() == 2 ? items[1].string() : std::string_view();
}

std::vector<int64_t> JsonValue::ids() const {
  std::vector<int64_t> list;
  for (const JsonValue& item : items) list.push_back(item.id());
  return list;
}

std::string_view JsonValue::string() const {
  return kind == Kind::text ? std::string_view(text) : std::string_view();
}

std::optional<Date> JsonValue::date() const { return parse_iso_date(string()); }

std::optional<Pesos> JsonValue::pesos() const {
  if (kind != Kind::number) return std::nullopt;
  std::string_view digits = text;
  const size_t point = digits.find('.');
  if (point != digits.npos) {
    if (digits.find_first_not_of('0', point + 1) != digits.npos) return std::nullopt;
    digits = digits.substr(0, point);
  }
  if (digits == "-0") digits = "0";
  const auto number = whole(digits);
  if (!number || *number > kAmountMost || *number < -kAmountMost) return std::nullopt;
  return Pesos{*number};
}

std::optional<JsonValue> parse_json(std::string_view text, size_t values_max) {
  Collector collector(values_max);
  if (!nlohmann::json::sax_parse(text, &collector)) return std::nullopt;
  return std::move(collector.root);
}

}  // namespace f29

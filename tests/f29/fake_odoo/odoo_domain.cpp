#include "tests/f29/fake_odoo/odoo_domain.h"

#include <algorithm>
#include <stdexcept>

namespace f29test {

using nlohmann::json;

namespace {

// Which table a many2one of a dotted path leads to.
const std::map<std::string, std::string> kTargets = {
    {"credit_move_id", "account.move.line"},
    {"move_id", "account.move"},
    {"commercial_partner_id", "res.partner"},
};

int64_t id_of(const json& value) {
  if (value.is_array() && value.size() == 2) return value[0].get<int64_t>();
  return value.is_number_integer() ? value.get<int64_t>() : 0;
}

json value_of(const Tables& tables, const json& record, const std::string& path) {
  const size_t dot = path.find('.');
  if (dot == path.npos) {
    if (!record.contains(path)) throw std::runtime_error("no field " + path);
    const json& value = record[path];
    const bool is_many2one = value.is_array() && value.size() == 2 && value[1].is_string();
    return is_many2one ? value[0] : value;
  }
  const std::string head = path.substr(0, dot);
  if (path == "country_id.code") return record[head][0] == 46 ? json("CL") : json("AR");
  const Table& table = tables.at(kTargets.at(head));
  return value_of(tables, table.at(id_of(record.at(head))), path.substr(dot + 1));
}

bool matches_leaf(const Tables& tables, const json& record, const json& leaf) {
  const json value = value_of(tables, record, leaf[0].get<std::string>());
  const std::string how = leaf[1].get<std::string>();
  const json& wanted = leaf[2];
  if (how == "=") return value == wanted;
  if (how == "!=") return value != wanted;
  if (how == "ilike") {
    return value.is_string() &&
           value.get<std::string>().find(wanted.get<std::string>()) != std::string::npos;
  }
  if (how == "in") return std::find(wanted.begin(), wanted.end(), value) != wanted.end();
  if (value.is_boolean()) return false;  // unset compares with nothing
  if (how == ">") return value > wanted;
  if (how == ">=") return value >= wanted;
  if (how == "<=") return value <= wanted;
  throw std::runtime_error("operator " + how);
}

// Polish notation: one term from `at` on.
bool term(const Tables& tables, const json& record, const json& domain, size_t& at) {
  const json& head = domain.at(at++);
  if (head == "|" || head == "&") {
    const bool left = term(tables, record, domain, at);
    const bool right = term(tables, record, domain, at);
    return head == "|" ? left || right : left && right;
  }
  return matches_leaf(tables, record, head);
}

}  // namespace

bool matches(const Tables& tables, const json& record, const json& domain) {
  bool all = true;
  for (size_t at = 0; at < domain.size();) all = term(tables, record, domain, at) && all;
  return all;
}

}  // namespace f29test

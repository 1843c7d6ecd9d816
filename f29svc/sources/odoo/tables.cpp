#include "f29svc/sources/odoo/tables.h"

#include <charconv>
#include <nlohmann/json.hpp>

namespace f29 {

using base::ErrorCode;
using nlohmann::json;

namespace {

base::Result<> read_company(OdooRpc& rpc, const OdooRequest& request, OdooTables& tables,
                            Findings& findings) {
  bool per_line = false;
  std::string currency;
  auto done = rpc.read_all(
      "res.company", json::array(), {"vat", "currency_id", "tax_calculation_rounding_method"},
      [&](const JsonValue& record) -> base::Result<> {
        const int64_t id = record["id"].id();
        const auto rut = parse_rut(record["vat"].string());
        if (!rut || *rut != request.company) return {};
        if (request.company_id != 0 && request.company_id != id) return {};
        if (tables.company_id != 0) {
          return base::fail(ErrorCode::bad_config, base::Side::proxy,
                            "Odoo has several companies with this RUT: say which (company_id)");
        }
        tables.company_id = id;
        tables.currency_id = record["currency_id"].id();
        currency = record["currency_id"].label();
        per_line = record["tax_calculation_rounding_method"].string() == "round_per_line";
        return {};
      });
  if (!done) return done;
  if (tables.company_id == 0) {
    return base::fail(ErrorCode::not_found, base::Side::backend,
                      "Odoo has no company " + request.company.text());
  }
  if (currency != "CLP") {
    return base::fail(ErrorCode::bad_input, base::Side::backend,
                      "the company's currency is not CLP");
  }
  if (per_line) {
    findings.add("rounding_per_line", Severity::warning, {request.name, 0, 0, "company"},
                 "the company rounds taxes per line; documents round them once",
                 "set the rounding method of the company to global");
  }
  return {};
}

base::Result<> read_types(OdooRpc& rpc, OdooTables& tables) {
  return rpc.read_all("l10n_latam.document.type", json::array({{"country_id.code", "=", "CL"}}),
                      {"code"}, [&](const JsonValue& record) -> base::Result<> {
                        const std::string_view text = record["code"].string();
                        int code = 0;
                        const auto [end, error] =
                            std::from_chars(text.data(), text.data() + text.size(), code);
                        if (error != std::errc() || end != text.data() + text.size()) return {};
                        const int64_t id = record["id"].id();
                        tables.types[id] = code;
                        if (code == 70 || code == 71) tables.fee_type_ids.push_back(id);
                        return {};
                      });
}

// Modules' own names before those of exports and imports; Odoo 17 keeps them in `account`.
int rank_of(std::string_view module) {
  if (module == "account") return 3;
  if (module == "l10n_cl") return 2;
  return module.starts_with("__") ? 0 : 1;
}

base::Result<> read_taxes(OdooRpc& rpc, OdooTables& tables) {
  auto done = rpc.read_all("account.tax", json::array({{"company_id", "=", tables.company_id}}),
                           {"name", "amount_type"}, [&](const JsonValue& record) -> base::Result<> {
                             OdooTax& tax = tables.taxes[record["id"].id()];
                             tax.name = record["name"].string();
                             tax.is_group = record["amount_type"].string() == "group";
                             return {};
                           });
  if (!done) return done;
  std::unordered_map<int64_t, int> best;
  return rpc.read_all("ir.model.data", json::array({{"model", "=", "account.tax"}}),
                      {"module", "name", "res_id"}, [&](const JsonValue& record) -> base::Result<> {
                        const auto tax = tables.taxes.find(record["res_id"].id());
                        const int rank = rank_of(record["module"].string());
                        if (tax == tables.taxes.end() || rank <= best[tax->first]) return {};
                        best[tax->first] = rank;
                        tax->second.xmlid = bare_name(record["name"].string(), tables.company_id);
                        return {};
                      });
}

base::Result<> read_tags(OdooRpc& rpc, OdooTables& tables) {
  return rpc.read_all(
      "account.account.tag",
      json::array({{"applicability", "=", "taxes"}, {"country_id.code", "=", "CL"}}), {"name"},
      [&](const JsonValue& record) -> base::Result<> {
        std::string_view name = record["name"].string();
        if (name.starts_with('+') || name.starts_with('-')) name.remove_prefix(1);
        tables.tags[record["id"].id()] = name;
        return {};
      });
}

// Positions say why VAT is not recoverable: "1_afpt_non_recoverable_vat_3".
base::Result<> read_positions(OdooRpc& rpc, OdooTables& tables) {
  constexpr std::string_view kName = "afpt_non_recoverable_vat_";
  return rpc.read_all("ir.model.data", json::array({{"model", "=", "account.fiscal.position"}}),
                      {"name", "res_id"}, [&](const JsonValue& record) -> base::Result<> {
                        const std::string name =
                            bare_name(record["name"].string(), tables.company_id);
                        if (!name.starts_with(kName) || name.size() != kName.size() + 1) return {};
                        tables.non_recoverable_of[record["res_id"].id()] = name.back() - '0';
                        return {};
                      });
}

}  // namespace

std::string bare_name(std::string_view name, int64_t company_id) {
  const std::string prefix = std::to_string(company_id) + "_";
  if (name.starts_with(prefix)) name.remove_prefix(prefix.size());
  return std::string(name);
}

base::Result<OdooTables> read_tables(OdooRpc& rpc, const OdooRequest& request, Findings& findings) {
  OdooTables tables;
  if (auto done = read_company(rpc, request, tables, findings); !done) {
    return base::fail(done.error());
  }
  rpc.set_company(tables.company_id);
  for (const auto step : {read_types, read_taxes, read_tags, read_positions}) {
    if (auto done = step(rpc, tables); !done) return base::fail(done.error());
  }
  return tables;
}

}  // namespace f29

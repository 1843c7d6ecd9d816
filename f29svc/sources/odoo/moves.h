// Moves and their lines → documents, a chunk of moves at a time. See odoo.h for what comes out.
#pragma once

#include <map>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "f29svc/sources/odoo/odoo.h"
#include "f29svc/sources/odoo/tables.h"

namespace f29 {

class MoveReader {
 public:
  MoveReader(OdooRpc& rpc, const OdooRequest& request, const OdooTables& tables,
             const DocumentSink& sink, Findings& findings)
      : rpc_(rpc), request_(request), tables_(tables), sink_(sink), findings_(findings) {}

  base::Result<OdooCounts> read();

 private:
  struct Move {
    int64_t id = 0;
    Document document;
    int64_t partner_id = 0;
    int64_t origin_id = 0;  // what a note is about
    int64_t position_id = 0;
    bool is_refund = false;
    bool in_company_currency = true;
    std::string payment_state;
    struct TaxLine {
      int64_t id = 0;
      int64_t tax_id = 0;
      Pesos amount;
      Pesos stated_base;
      std::vector<int64_t> tag_ids;
    };
    // Gathered from the lines.
    bool has_lines = false;
    std::vector<TaxLine> tax_lines;
    std::map<int64_t, Pesos> base_of;      // by tax, over the product lines
    std::map<int64_t, int64_t> base_line;  // a product line that has the tax
    Pesos net;                             // product lines with a tax
    Pesos exempt;                          // and without
    Pesos line_taxes;                      // the taxes of each product line, rounded there
    bool line_taxes_known = true;
    bool is_rejected = false;  // already said why
  };
  struct Partner {
    Rut rut;
    std::string name;
    bool is_fee_earner = false;
  };
  struct Origin {
    int type = 0;
    std::string folio;
  };

  base::Result<> read_period();
  base::Result<> read_fees_paid();
  base::Result<> read_by(const nlohmann::json& domain);
  base::Result<> take(const JsonValue& record);
  base::Result<> flush();
  base::Result<> read_lines();
  base::Result<> read_partners();
  base::Result<> read_origins();
  base::Result<> read_payments();
  void take_line(Move& move, const JsonValue& line);
  bool is_fee(const Move& move) const;
  void reject(Move& move, std::string_view code, std::string message);
  void say(const Move& move, std::string_view code, Severity severity, std::string message,
           std::string advice = {});
  void deliver(Move& move);
  void add_head(Move& move);
  void add_parts(Move& move);
  void check(const Move& move);

  OdooRpc& rpc_;
  const OdooRequest& request_;
  const OdooTables& tables_;
  const DocumentSink& sink_;
  Findings& findings_;
  OdooCounts counts_;
  std::vector<Move> chunk_;
  std::unordered_map<int64_t, size_t> place_in_chunk_;
  std::unordered_map<int64_t, Partner> partners_;
  std::unordered_map<int64_t, Origin> origins_;
  std::set<int64_t> met_;
};

}  // namespace f29

// The inside of a computation. documents: purchases.cpp, sales.cpp, other_taxes.cpp; what the
// summaries say: summaries.cpp; inputs and the form: finish.cpp.
#pragma once

#include <map>
#include <string>
#include <unordered_set>
#include <vector>

#include "f29svc/compute/compute.h"
#include "f29svc/compute/ledger.h"
#include "f29svc/form/formula.h"

namespace f29 {

struct TypeTally {
  int64_t count = 0;
  int64_t exempt = 0;
  int64_t net = 0;
  int64_t vat = 0;
  int64_t common_use = 0;
  int64_t non_recoverable = 0;
  int64_t total = 0;
};

// The VAT of one purchase by what may be done with it.
struct VatSplit {
  std::array<Pesos, 6> plain{};   // by Use
  std::array<Pesos, 6> common{};  // by Use, before the factor
  std::array<Pesos, 6> credit{};  // by Use, what may be credited
  Pesos none_base;                // net of what gives no credit
  bool has_credit = false;        // some VAT that may be credited, even if the factor is 0
};

struct SectionTally {
  int64_t count = 0;
  int64_t vat = 0;
};

bool over_vouchers(const Document& document);  // a credit note over payment vouchers

struct Booked {
  Pesos net;
  Pesos exempt;
  Pesos total;
  friend bool operator==(const Booked&, const Booked&) = default;
};

struct UnmappedTally {
  std::string xmlid;
  std::string name;
  int64_t lines = 0;
  std::string places;  // the first of them, for the message
};

struct Computation::Work {
  Work(const ComputeOptions& given, const Mapping& given_mapping, const Inputs& given_inputs);

  // Documents.
  void add(const Document& document);
  void add_declared(const Document& document);
  void add_purchase(const Document& document);
  void add_purchase_invoice(const Document& document, const VatSplit& split);
  void add_purchase_note(const Document& document, const VatSplit& split);
  void add_import(const Document& document, const VatSplit& split);
  void add_withheld(const Document& document);
  void add_fees(const Document& document);
  void add_sale(const Document& document);
  void add_sale_note(const Document& document, bool is_credit);
  void add_sale_by_buyer(const Document& document);
  void add_liquidation(const Document& document);
  void add_other_taxes(const Document& document);
  void add_special_tax(const Document& document, const Part& part);
  void add_booked(const Document& document);
  bool is_booked_twice(const Document& document);
  void resolve(Document& document);
  void check_vat(const Document& document);
  void note_references(const Document& document);
  bool can_be_annulled(const Document& document) const;
  bool is_late(const Document& document) const;
  bool is_out_of_window(const Document& document) const;
  VatSplit split_of(const Document& document) const;
  void tally(const Document& document);
  Place place_of(const Document& document) const;
  void say(std::string_view code, Severity severity, const Document& document, std::string message,
           std::string advice = {});

  // What only the whole month shows.
  void check_summaries();
  void check_sections();
  void check_sales();
  void check_unmapped();
  void add_kept_back();

  // Inputs and the form.
  base::Result<Return> finish();
  void add_additions();
  void check_additions();
  void add_fee_inputs(Boxes& boxes);
  base::Result<> add_carried_over(Boxes& boxes);
  void apply_given(Boxes& boxes);
  base::Result<> evaluate(Boxes& boxes);
  bool may_postpone(const Boxes& boxes);
  void check_given(const Evaluator& form, const Boxes& boxes);
  void explain(const Evaluator& form, const Boxes& boxes);
  Return closed(Boxes boxes);
  base::Result<Decimal> utm_of(Period month) const;
  void say_box(std::string_view code, Severity severity, int box, std::string message,
               std::string advice = {});

  const ComputeOptions options;
  const Mapping& mapping;
  const Inputs& inputs;
  Findings findings;
  Ledger ledger;
  std::optional<Decimal> factor;
  std::array<uint16_t, 1024> other_rules{};  // other tax code → provenance rule, 0: none
  uint16_t boxed_rule = 0;

  std::map<std::pair<Side, int>, TypeTally> details;
  std::map<std::pair<Side, int>, TypeTally> summaries;
  TypeTally* last_tally = nullptr;  // documents of one type follow each other
  std::pair<Side, int> last_tally_key;
  std::array<bool, 2> has_summary{};
  std::map<std::pair<Side, Section>, SectionTally> left_out;
  Sum common_use_vat;
  Sum paper_credit;
  TypeTally receipts_in_detail;
  std::vector<std::pair<int64_t, uint16_t>> claimed_sales;  // folio, type
  std::unordered_set<int64_t> noted_folios;                 // of sales that a credit note names
  std::vector<Document> kept_back;                          // exclude_annulled only
  bool is_adding_kept_back = false;
  std::map<DocumentKey, Booked> booked;  // of the books only
  std::map<int64_t, UnmappedTally> unmapped_taxes;
  std::vector<UnmappedTax> unmapped;
};

}  // namespace f29

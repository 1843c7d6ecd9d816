// October 2026 out of Odoo, to the last box.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "f29svc/compute/compute.h"
#include "f29svc/sources/odoo/odoo.h"
#include "tests/f29/fake_odoo/fake_odoo.h"

using namespace f29;

namespace {

struct Month {
  Return made;
  std::vector<Document> documents;
};

Month compute_october() {
  f29test::FakeOdoo odoo("tests/f29/odoo/books_2026_10.json");
  OdooOptions options;
  options.http.url = odoo.url();
  options.database = "books";
  options.user = "auditor";
  options.key = "right-key";
  auto rpc = OdooRpc::make(options);
  const Mapping mapping;
  Inputs inputs;
  inputs.common_use_factor = Decimal{80, 2};
  const Period period{2026, 10};
  Computation computation({*parse_rut("99950100-1"), period, true, {}}, mapping, inputs);
  OdooRequest request{*parse_rut("99950100-1"), period};
  request.file = computation.add_file(request.name);
  Month month;
  const auto counts = read_odoo(
      **rpc, request,
      [&](const Document& document) {
        month.documents.push_back(document);
        computation.add(document);
      },
      computation.findings());
  EXPECT_TRUE(counts.has_value());
  auto made = computation.finish();
  EXPECT_TRUE(made.has_value());
  if (made) month.made = std::move(*made);
  return month;
}

}  // namespace

TEST(OdooMonth, FillsExactlyTheBoxesOfItsDocuments) {
  const Month month = compute_october();
  const std::map<int, int64_t> expected = {
      {20, 950'000},  {32, 41'000},   {39, 19'000},   {77, 336'806},  {91, 60'000},  {94, 60'000},
      {110, 1},       {111, 19'000},  {142, 130'000}, {502, 324'014}, {503, 4},      {506, 41'000},
      {509, 1},       {510, 38'000},  {511, 518'320}, {512, 1},       {513, 9'500},  {519, 5},
      {520, 140'220}, {521, 50'000},  {524, 1},       {525, 380'000}, {527, 1},      {528, 7'600},
      {534, 1},       {535, 133'000}, {537, 651'320}, {538, 314'514}, {547, 60'000}, {562, 80'000},
      {564, 1},       {584, 1},       {585, 1},       {586, 2},       {596, 19'000}, {602, 41'000},
      {761, 1},       {762, 5'700},
  };
  for (const auto& [code, value] : expected) {
    EXPECT_EQ(amount_in(month.made.boxes, code), value) << "box " << code;
  }
  for (const auto& [code, value] : month.made.boxes) {
    EXPECT_TRUE(expected.contains(code)) << "box " << code << " = " << value.plain();
  }
}

TEST(OdooMonth, NamesEveryDocumentThatIsInNoBox) {
  const Month month = compute_october();
  std::set<uint32_t> used;
  const Provenance& provenance = month.made.provenance;
  for (size_t i = 0; i < provenance.entries.size(); ++i) used.insert(provenance.entries[i].doc);
  std::set<std::string> in_a_box;
  for (const uint32_t doc : used) in_a_box.insert(provenance.docs[doc].key.text());
  int outside = 0;
  for (const Document& document : month.documents) {
    const std::string key = key_of(document).text();
    if (document.state == BookState::posted && in_a_box.contains(key)) continue;
    ++outside;
    bool named = false;
    for (const Finding& finding : month.made.findings) {
      named = named || finding.place.subject == key;
    }
    EXPECT_TRUE(named) << key;
  }
  EXPECT_EQ(outside, 3) << "draft, cancelled, unpaid fee";
}

TEST(OdooMonth, ReportsTheTaxThatNoTableKnows) {
  const Month month = compute_october();
  ASSERT_EQ(month.made.unmapped.size(), 1u);
  EXPECT_EQ(month.made.unmapped[0].xmlid, "especifico_compra");
  EXPECT_EQ(month.made.unmapped[0].amount, Pesos{63'000});
  EXPECT_EQ(month.made.unmapped[0].line_id, 61);
}

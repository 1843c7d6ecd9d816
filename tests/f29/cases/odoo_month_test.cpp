// A month of Odoo's books: every box, and a named finding for each document that is in none.
#include <set>

#include "f29svc/compute/compute.h"
#include "f29svc/sources/odoo/odoo.h"
#include "tests/f29/fake_odoo/fake_odoo.h"

namespace f29 {
namespace {

struct Month {
  Return made;
  std::vector<Document> documents;
};

Month read_month() {
  f29test::FakeOdoo odoo("tests/f29/odoo/books_2026_10.json");
  OdooOptions options;
  options.http.url = odoo.url();
  options.database = "books";
  options.user = "auditor";
  options.key = "right-key";
  auto rpc = OdooRpc::make(options);
  EXPECT_TRUE(rpc);
  Mapping mapping;  // the tax shared by wine and beer means wine
  Inputs inputs;
  inputs.common_use_factor = Decimal{80, 2};
  ComputeOptions compute;
  compute.company = *parse_rut("99950100-1");
  compute.period = {2026, 10};
  Computation computation(compute, mapping, inputs);
  Month month;
  OdooRequest request{compute.company, compute.period};
  request.file = computation.add_file("odoo");
  auto counts = read_odoo(
      **rpc, request,
      [&](const Document& one) {
        month.documents.push_back(one);
        computation.add(one);
      },
      computation.findings());
  EXPECT_TRUE(counts);
  auto made = computation.finish();
  EXPECT_TRUE(made);
  month.made = std::move(*made);
  return month;
}

TEST(OdooMonth, GivesExactlyTheseBoxes) {
  const std::map<int, int64_t> expected = {
      {502, 324014}, {503, 4},     {142, 130000}, {586, 2},      {110, 1},     {111, 19000},
      {513, 9500},   {510, 38000}, {509, 1},      {20, 950000},  {519, 5},     {520, 140220},
      {525, 380000}, {762, 5700},  {528, 7600},   {535, 133000}, {521, 50000}, {562, 80000},
      {39, 19000},   {32, 41000},  {538, 314514}, {537, 651320}, {77, 336806}, {547, 60000},
      {585, 1},      {512, 1},     {524, 1},      {527, 1},      {534, 1},     {564, 1},
      {584, 1},      {761, 1},     {506, 41000},  {511, 518320}, {596, 19000}, {602, 41000},
      {91, 60000},   {94, 60000}};
  std::map<int, int64_t> ours;
  for (const auto& [code, value] : read_month().made.boxes) ours[code] = value.amount;
  EXPECT_EQ(ours, expected);
}

TEST(OdooMonth, NamesEachDocumentThatIsInNoBox) {
  Month month = read_month();
  std::set<std::string> boxed;
  const Provenance& provenance = month.made.provenance;
  for (size_t i = 0; i < provenance.docs.size(); ++i) boxed.insert(provenance.docs[i].key.text());
  std::set<std::string> named;
  for (const Finding& finding : month.made.findings) named.insert(finding.place.subject);
  int left_out = 0;
  for (const Document& document : month.documents) {
    std::string key = key_of(document).text();
    if (boxed.contains(key)) continue;
    ++left_out;
    EXPECT_TRUE(named.contains(key)) << key;
  }
  EXPECT_EQ(left_out, 3);  // a draft, a cancelled one, a fee that is not paid
}

TEST(OdooMonth, TheSpecificTaxIsUnmappedWithItsDocumentAndAmount) {
  Month month = read_month();
  ASSERT_EQ(month.made.unmapped.size(), 1u);
  EXPECT_EQ(month.made.unmapped[0].xmlid, "especifico_compra");
  EXPECT_EQ(month.made.unmapped[0].amount, Pesos{63000});
}

}  // namespace
}  // namespace f29

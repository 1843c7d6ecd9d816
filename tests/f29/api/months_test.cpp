// Months out of a seed, their boxes summed by this test over the documents alone: what the API
// shows and what every export says must be the same numbers.
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "f29svc/exports/exports.h"
#include "tests/f29/api/api_fixture.h"
#include "tests/support/slowness.h"

using namespace f29;
using namespace f29test;
using nlohmann::json;

namespace {

constexpr const char* kPurchaseHead =
    "Nro;Tipo Doc;Tipo Compra;RUT Proveedor;Razon Social;Folio;Fecha Docto;Fecha Recepcion;"
    "Fecha Acuse;Monto Exento;Monto Neto;Monto IVA Recuperable;Monto Iva No Recuperable;"
    "Codigo IVA No Rec.;Monto Total;Monto Neto Activo Fijo;IVA Activo Fijo;IVA uso Comun;"
    "Impto. Sin Derecho a Credito;IVA No Retenido;Tabacos Puros;Tabacos Cigarrillos;"
    "Tabacos Elaborados;NCE o NDE sobre Fact. de Compra;Codigo Otro Impuesto;"
    "Valor Otro Impuesto;Tasa Otro Impuesto\r\n";
constexpr const char* kSaleHead =
    "Nro;Tipo Doc;Tipo Venta;Rut cliente;Razon Social;Folio;Fecha Docto;Monto Exento;Monto Neto;"
    "Monto IVA;Monto total\r\n";

struct Month {
  Period period;
  std::string sales = kSaleHead;
  std::string purchases = kPurchaseHead;
  std::map<int, int64_t> boxes;  // the test's own sums
  int64_t opening = 0;
};

int64_t vat_of(int64_t net) { return (net * 19 + 50) / 100; }

void add_sale(Month& month, std::mt19937_64& random, int number) {
  const int type = std::array{33, 33, 33, 34, 61, 56}[random() % 6];
  const int64_t net = type == 34 ? 0 : static_cast<int64_t>(random() % 3'000'000) + 1;
  const int64_t exempt = type == 34 || (type == 33 && random() % 4 == 0)
                             ? static_cast<int64_t>(random() % 90'000) + 1
                             : 0;
  const int64_t vat = vat_of(net);
  month.sales += std::to_string(number) + ";" + std::to_string(type) + ";Del Giro;99980001-7;UNO;" +
                 std::to_string(1'000 + number) + ";10/" + month.period.compact().substr(4) + "/" +
                 month.period.compact().substr(0, 4) + ";" + std::to_string(exempt) + ";" +
                 std::to_string(net) + ";" + std::to_string(vat) + ";" +
                 std::to_string(net + exempt + vat) + "\r\n";
  std::map<int, int64_t>& boxes = month.boxes;
  boxes[142] += exempt;
  if (type == 33) boxes[503] += 1, boxes[502] += vat;
  if (type == 34) boxes[586] += 1;
  if (type == 61) boxes[509] += 1, boxes[510] += vat;
  if (type == 56) boxes[512] += 1, boxes[513] += vat;
}

void add_purchase(Month& month, std::mt19937_64& random, int number) {
  const int type = std::array{33, 33, 33, 33, 34, 61, 56}[random() % 7];
  const int use = type == 33 ? static_cast<int>(random() % 3) : 0;
  const int64_t net = type == 34 ? 0 : static_cast<int64_t>(random() % 2'000'000) + 1;
  const int64_t exempt = type == 34 || (type == 33 && random() % 5 == 0)
                             ? static_cast<int64_t>(random() % 70'000) + 1
                             : 0;
  const int64_t vat = vat_of(net);
  const std::string date =
      "/" + month.period.compact().substr(4) + "/" + month.period.compact().substr(0, 4);
  const std::string fixed = use == 2 ? std::to_string(net) + ";" + std::to_string(vat) : ";";
  month.purchases +=
      std::to_string(number) + ";" + std::to_string(type) + ";" +
      std::array{"Del Giro", "Supermercados", "Activo Fijo"}[static_cast<size_t>(use)] +
      ";99990001-1;DOS;" + std::to_string(number) + ";05" + date + ";06" + date + " 10:00:00;07" +
      date + " 10:00:00;" + std::to_string(exempt) + ";" + std::to_string(net) + ";" +
      std::to_string(vat) + ";;;" + std::to_string(net + exempt + vat) + ";" + fixed +
      ";;;0;;;;0;;;\r\n";
  std::map<int, int64_t>& boxes = month.boxes;
  boxes[562] += exempt;
  if (type == 33 && use == 0) boxes[519] += 1, boxes[520] += vat;
  if (type == 33 && use == 1) boxes[761] += 1, boxes[762] += vat;
  if (type == 33 && use == 2) boxes[524] += 1, boxes[525] += vat;
  if (type == 34) boxes[584] += 1;
  if (type == 61) boxes[527] += 1, boxes[528] += vat;
  if (type == 56) boxes[531] += 1, boxes[532] += vat;
}

Month month_of(uint64_t seed, Period period) {
  std::mt19937_64 random(seed);
  Month month;
  month.period = period;
  month.opening = static_cast<int64_t>(random() % 400'000);
  const int sales = static_cast<int>(random() % 12);
  const int purchases = static_cast<int>(random() % 14) + 1;
  for (int i = 1; i <= sales; ++i) add_sale(month, random, i);
  for (int i = 1; i <= purchases; ++i) add_purchase(month, random, i);
  std::map<int, int64_t>& b = month.boxes;
  b[504] = month.opening;
  b[538] = b[502] + b[513] - b[510];
  b[537] = b[520] + b[762] + b[525] - b[528] + b[532] + b[504];
  b[89] = std::max<int64_t>(b[538] - b[537], 0);
  b[77] = std::max<int64_t>(b[537] - b[538], 0);
  for (const int total : {595, 547, 91, 94}) b[total] = b[89];
  return month;
}

std::map<int, int64_t> boxes_in_form(const json& form) {
  std::map<int, int64_t> boxes;
  for (const json& line : form["lines"]) {
    for (const json& box : line["boxes"]) {
      if (box["value"].is_number_integer()) boxes[box["code"]] = box["value"];
    }
  }
  return boxes;
}

class Months : public ApiTest {
 protected:
  std::string path_;

  void fill(const Month& month) {
    path_ = "/v1/companies/99999001-0/periods/" + month.period.text();
    const std::string inputs =
        "{\"previous\": {\"opening_504\": " + std::to_string(month.opening) + "}}";
    ASSERT_EQ(call("PUT", path_ + "/inputs", inputs, "application/json").status, 200);
    for (const std::string& csv : {month.sales, month.purchases}) {
      const Answer answer = call("POST", path_ + "/import", csv, "text/csv");
      ASSERT_EQ(answer.status, 200) << answer.body;
      ASSERT_EQ(answer.json["import"]["rejected"], 0) << answer.body;
    }
    ASSERT_EQ(call("POST", path_ + "/compute").status, 200);
  }
  // One box down to its documents: what its sources add up to is what stands in it.
  void follow(int code, int64_t value) {
    const Answer box = call("GET", path_ + "/form/" + std::to_string(code) + "?limit=1000");
    ASSERT_EQ(box.status, 200) << box.body;
    EXPECT_EQ(box.json["value"], value) << code;
    int64_t sum = 0;
    bool is_of_documents = false;
    for (const json& entry : box.json["entries"]) {
      if (!entry.contains("document")) continue;
      is_of_documents = true;
      sum += entry["amount"].get<int64_t>();
    }
    if (is_of_documents) {
      EXPECT_EQ(sum, value) << code;
    }
  }
};

}  // namespace

TEST_F(Months, OfTwoHundredSeedsAreTheSumOfTheirDocumentsEverywhere) {
  Period period(2018, 1);
  for (uint64_t seed = 1; seed <= (support::kSlowness > 1 ? 40 : 200);
       ++seed, period = period.plus(1)) {
    SCOPED_TRACE("seed " + std::to_string(seed) + " " + period.text());
    const Month month = month_of(seed, period);
    fill(month);
    if (HasFatalFailure()) return;
    const Answer form = call("GET", path_ + "/form");
    const std::map<int, int64_t> shown = boxes_in_form(form.json);
    std::vector<Boxes> exported;
    for (const ExportFormat format :
         {ExportFormat::json, ExportFormat::campos, ExportFormat::csv, ExportFormat::xml}) {
      const char* name = std::array{"json", "campos", "csv", "xml"}[static_cast<size_t>(format)];
      // A form with a negative 538 fits every format; nothing here makes another one.
      const Answer answer = call("GET", path_ + "/export?format=" + name);
      ASSERT_EQ(answer.status, 200) << name << answer.body;
      Findings findings;
      auto made = read_return(answer.body, format, name, findings);
      ASSERT_TRUE(made.has_value()) << name << made.error().detail;
      exported.push_back(std::move(made->boxes));
    }
    for (const auto& [code, value] : month.boxes) {
      const auto found = shown.find(code);
      EXPECT_EQ(found == shown.end() ? 0 : found->second, value) << "form, box " << code;
      for (const Boxes& boxes : exported) EXPECT_EQ(amount_in(boxes, code), value) << code;
    }
    EXPECT_EQ(form.json["to_pay"], month.boxes.at(94));
    if (seed % 20 == 0) {
      for (const int code : {502, 510, 520, 528, 562}) follow(code, month.boxes.at(code));
    }
    if (HasFailure()) return;
  }
}

// The API from a file to a filed return, its refusals, its keys, its description.
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>
#include <thread>

#include "f29svc/cli/files.h"
#include "f29svc/exports/exports.h"
#include "tests/f29/api/api_fixture.h"
#include "tests/f29/fake_odoo/fake_odoo.h"

using namespace f29;
using namespace f29test;
using nlohmann::json;

TEST(OpenApi, DescribesEveryPathOfTheServerAndNoOther) {
  const json document = json::parse(openapi_text());
  std::set<std::string> described;
  for (const auto& [path, item] : document["paths"].items()) {
    for (const auto& [method, operation] : item.items()) {
      std::string verb = method;
      for (char& c : verb) c = static_cast<char>(std::toupper(c));
      described.insert(verb + " " + path);
      std::set<std::string> named;
      for (const json& parameter : operation.value("parameters", json::array())) {
        if (!parameter.contains("$ref")) continue;
        const std::string to = parameter["$ref"].get<std::string>().substr(1);
        named.insert(document[json::json_pointer(to)]["name"].get<std::string>());
      }
      for (size_t at = path.find('{'); at != path.npos; at = path.find('{', at + 1)) {
        EXPECT_TRUE(named.contains(path.substr(at + 1, path.find('}', at) - at - 1))) << path;
      }
    }
  }
  std::set<std::string> served;
  for (const Api::RouteName& route : Api::routes()) {
    served.insert(std::string(route.method) + " " + std::string(route.path));
  }
  EXPECT_EQ(described, served);
}

TEST(OpenApi, IsTheFileOfTheRepository) {
  EXPECT_EQ(openapi_text(), read_file("f29svc/api/openapi.json"));
}

TEST_F(ApiTest, ServesItsDescriptionAndHealthWithoutAKey) {
  EXPECT_EQ(call("GET", "/openapi.json", "", "", "").json, openapi_);
  EXPECT_EQ(call("GET", "/healthz", "", "", "").body, "{\"ok\":true}\n");
}

TEST_F(ApiTest, TakesAMonthFromItsFilesToAFiledReturn) {
  import_all();
  put_inputs();
  const Answer computed = at("POST", "/compute");
  ASSERT_EQ(computed.status, 200) << computed.body;
  EXPECT_EQ(computed.json["boxes"]["538"], 1'939'996);
  EXPECT_EQ(computed.json["boxes"]["77"], 24'355);
  EXPECT_EQ(computed.json["boxes"]["91"], 301'738);
  EXPECT_EQ(computed.json["boxes"]["115"], "0.125");
  EXPECT_EQ(computed.json["state"], "computed");
  EXPECT_EQ(computed.json["name"], "Empresa A");
  const Answer validated = at("POST", "/validate");
  EXPECT_EQ(validated.json["valid"], true) << validated.body;
  EXPECT_EQ(validated.json["return"]["state"], "validated");
  EXPECT_EQ(at("POST", "/returns/1/sent?folio=7000123").status, 200);
  const Answer paid = at("POST", "/returns/1/paid");
  EXPECT_EQ(paid.json["return"]["state"], "paid");
  EXPECT_EQ(paid.json["return"]["folio"], "7000123");
  EXPECT_EQ(paid.json["return"]["history"].back()["actor"], "first");
  EXPECT_EQ(at("GET", "").json["imports"].size(), 7u);
  EXPECT_EQ(at("GET", "/returns").json["returns"].size(), 1u);
  EXPECT_EQ(call("GET", "/v1/companies").json["companies"][0]["company"], "99999001-0");
  EXPECT_EQ(call("GET", "/v1/companies/99999001-0/periods").json["periods"][0]["state"], "paid");
}

TEST_F(ApiTest, ComputesWhatTheCommandComputesOnTheSameFiles) {
  import_all();
  put_inputs();
  const Answer computed = at("POST", "/compute");
  FileRequest request;
  request.company = *parse_rut("99999001-0");
  request.period = {2026, 6};
  request.rcv = {kData};
  request.inputs = folder_ + "/inputs.yaml";
  std::ofstream(request.inputs)
      << at("GET", "/inputs").json["inputs"][0]["body"].get<std::string>();
  std::vector<std::string> faults;
  auto result = compute_files(request, faults);
  ASSERT_TRUE(result.has_value()) << (faults.empty() ? "" : faults[0]);
  std::ostringstream out;
  write_return(result->made, ExportFormat::json, out);
  const json command = json::parse(out.str());
  EXPECT_EQ(computed.json["boxes"], command["boxes"]);
  EXPECT_EQ(computed.json["findings"].size(), command["findings"].size());
  const Answer exported = at("GET", "/export?format=json");
  ASSERT_EQ(exported.json["provenance"].size(), command["provenance"].size());
  for (const auto& [box, entries] : command["provenance"].items()) {
    EXPECT_EQ(exported.json["provenance"][box].size(), entries.size()) << "box " << box;
  }
}

TEST_F(ApiTest, ExportsEveryFormatAlwaysWithTheSameBytes) {
  import_all();
  put_inputs();
  at("POST", "/compute");
  for (const char* format : {"json", "campos", "csv", "xml"}) {
    const std::string path = std::string("/export?format=") + format;
    const Answer first = at("GET", path);
    EXPECT_EQ(first.status, 200) << first.body;
    EXPECT_EQ(at("GET", path).body, first.body);
    EXPECT_EQ(at("GET", path + "&version=1").body, first.body);
  }
  EXPECT_NE(at("GET", "/sheet").body.find("538"), std::string::npos);
  EXPECT_EQ(code_of(at("GET", "/export?format=xls")), "bad_format");
  EXPECT_EQ(at("GET", "/export?version=2").status, 404);
}

TEST_F(ApiTest, RefusesAWrongKeyWithoutReadingTheBody) {
  const std::string huge(64 << 20, 'x');
  for (const std::string key : {"", "first-kez", "first-key1", "first"}) {
    const Answer answer = call("POST", std::string(kPeriodPath) + "/import", huge, "text/csv", key);
    EXPECT_EQ(answer.status, 401);
    EXPECT_EQ(code_of(answer), "unauthorized");
    EXPECT_EQ(answer.fields.at("www-authenticate"), "Bearer");
  }
  for (const Api::RouteName& route : Api::routes()) {
    if (route.is_open) continue;
    EXPECT_EQ(call(std::string(route.method), std::string(route.path), "", "", "wrong").status, 401)
        << route.path;
  }
}

TEST_F(ApiTest, TakesBothKeysAndNamesTheirUsers) {
  EXPECT_EQ(call("GET", "/v1/companies", "", "", "second-key").status, 200);
  const std::string inputs = std::string(kPeriodPath) + "/inputs";
  EXPECT_EQ(call("PUT", inputs, "{}", "application/json", "second-key").status, 200);
  EXPECT_EQ(call("GET", inputs).json["inputs"][0]["actor"], "second");
}

TEST_F(ApiTest, TakesTheKeyFromItsOwnFieldToo) {
  const Answer answer = read_answer(
      exchange(server_->bound().port,
               "GET /v1/companies HTTP/1.1\r\nHost: f29\r\nX-API-Key: second-key\r\n\r\n"));
  EXPECT_EQ(answer.status, 200);
}

TEST_F(ApiTest, AnswersUnknownThingsWith404) {
  EXPECT_EQ(code_of(at("GET", "")), "not_found");
  EXPECT_EQ(at("POST", "/compute").status, 404);
  EXPECT_EQ(at("GET", "/export").status, 404);
  EXPECT_EQ(at("POST", "/returns/1/sent").status, 404);
  EXPECT_EQ(call("GET", "/v1/companies/99950100-1/periods").status, 404);
  EXPECT_EQ(call("GET", "/v1/companies/99950100-2/periods").status, 404);
  EXPECT_EQ(call("GET", "/v1/companies/99999001-0/periods/2026-13").status, 404);
  EXPECT_EQ(code_of(call("GET", "/nothing")), "no_such_path");
  EXPECT_EQ(call("DELETE", kPeriodPath).status, 405);
}

TEST_F(ApiTest, RefusesToChangeAClosedPeriodWith409) {
  import_all();
  put_inputs();
  at("POST", "/compute");
  at("POST", "/validate");
  at("POST", "/returns/1/sent");
  EXPECT_EQ(code_of(at("POST", "/compute")), "period_closed");
  EXPECT_EQ(at("POST", "/compute").status, 409);
  EXPECT_EQ(at("POST", "/validate").status, 409);
  EXPECT_EQ(at("PUT", "/inputs", "{}", "application/json").status, 409);
  EXPECT_EQ(import_rcv("RCV_VENTA_99999001-0_202606.csv").status, 409);
  EXPECT_EQ(at("POST", "/returns/1/sent").status, 409);
}

TEST_F(ApiTest, RectifiesAClosedPeriodWithANewVersion) {
  import_all();
  put_inputs();
  at("POST", "/compute");
  EXPECT_EQ(at("POST", "/rectify?reason=late").status, 409);
  at("POST", "/validate");
  at("POST", "/returns/1/sent?folio=11");
  EXPECT_EQ(at("POST", "/rectify").status, 422);
  EXPECT_EQ(at("POST", "/rectify?reason=late").json["return"]["version"], 2);
  EXPECT_EQ(at("POST", "/compute").json["version"], 2);
  EXPECT_EQ(at("GET", "/returns/1").json["state"], "sent");
  at("POST", "/validate");
  EXPECT_EQ(at("POST", "/returns/2/sent?folio=12").status, 200);
  EXPECT_EQ(at("GET", "/returns/1").json["state"], "rectified");
  EXPECT_EQ(at("GET", "/export").json["version"], 2);
  EXPECT_EQ(at("GET", "/export").json["folio"], "12");
}

TEST_F(ApiTest, CarriesOverTheMonthBefore) {
  const std::string before = "/v1/companies/99999001-0/periods/2026-05";
  const std::string credit = R"({"additions": [{"side": "purchase", "type": 33,
      "issuer": "99950301-2", "folio": 9, "net": 500000, "vat": 95000, "reason": "test"}],
      "previous": {"opening_504": 0}})";
  ASSERT_EQ(call("PUT", before + "/inputs", credit, "application/json").status, 200);
  const Answer may = call("POST", before + "/compute");
  ASSERT_EQ(may.json["boxes"]["77"], 95'000) << may.body;
  call("POST", before + "/validate");
  ASSERT_EQ(call("POST", before + "/returns/1/sent").status, 200);
  at("PUT", "/inputs", "{}", "application/json");
  const Answer without = at("POST", "/compute");
  EXPECT_EQ(without.status, 422);
  EXPECT_NE(without.body.find("utm_missing"), std::string::npos) << without.body;
  at("PUT", "/inputs", R"({"utm": {"2026-06": 70000, "2026-07": 70500}})", "application/json");
  EXPECT_EQ(at("POST", "/compute").json["boxes"]["504"], 95'880) << "1.36 UTM";
}

TEST_F(ApiTest, SaysEveryFaultOfInputs) {
  const Answer answer =
      at("PUT", "/inputs", "previous: { \"77\": 1, opening_504: 2 }\nutn: 3\n", "application/yaml");
  EXPECT_EQ(answer.status, 422);
  EXPECT_EQ(code_of(answer), "bad_inputs");
  EXPECT_GE(answer.json["error"]["faults"].size(), 2u);
  EXPECT_EQ(at("GET", "").status, 404) << "nothing was begun";
}

TEST_F(ApiTest, RefusesFilesThatAreNotTheirs) {
  const std::string csv = read_file(std::string(kData) + "RCV_VENTA_99999001-0_202606.csv");
  const Answer other = at("POST", "/import?name=RCV_VENTA_99999001-0_202605.csv", csv, "text/csv");
  EXPECT_EQ(code_of(other), "wrong_file");
  EXPECT_EQ(other.json["error"]["faults"].size(), 1u);
  EXPECT_EQ(code_of(at("POST", "/import?name=a.csv", "<html>", "text/csv")), "unreadable_file");
  EXPECT_EQ(code_of(at("POST", "/import?name=a.csv", "", "text/csv")), "unreadable_file");
  EXPECT_EQ(code_of(at("POST", "/import?name=a.json", "{}", "application/json")),
            "unreadable_file");
  EXPECT_EQ(code_of(at("POST", "/import?name=a%0Ab", csv, "text/csv")), "bad_name");
  EXPECT_EQ(at("POST", "/import", csv, "image/png").status, 415);
  EXPECT_EQ(at("POST", "/import", csv, "multipart/form-data; boundary=x").status, 415);
  EXPECT_EQ(at("GET", "").status, 404) << "nothing was kept";
}

TEST_F(ApiTest, TakesTheSameFileOnce) {
  EXPECT_EQ(import_rcv("RCV_VENTA_99999001-0_202606.csv").json["repeated"], false);
  EXPECT_EQ(import_rcv("RCV_VENTA_99999001-0_202606.csv").json["repeated"], true);
  EXPECT_EQ(at("GET", "").json["imports"].size(), 1u);
}

TEST_F(ApiTest, ReportsRejectedRowsWithTheirPlace) {
  const Answer answer =
      at("POST", "/import?name=quirks.csv",
         read_file("tests/f29/data/quirks/compra_registro_quirks_bom.csv"), "text/csv");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_GT(answer.json["import"]["rejected"], 0);
  bool placed = false;
  for (const json& finding : answer.json["findings"]) {
    placed = placed || (finding["severity"] == "error" && finding.contains("line"));
  }
  EXPECT_TRUE(placed);
}

TEST_F(ApiTest, DoesNotValidateADraftOrAReturnWithErrors) {
  at("PUT", "/inputs", "{}", "application/json");
  EXPECT_EQ(code_of(at("POST", "/validate")), "not_computed");
  at("POST", "/import?name=quirks.csv",
     read_file("tests/f29/data/quirks/compra_registro_quirks_bom.csv"), "text/csv");
  EXPECT_EQ(at("POST", "/compute").status, 200);
  const Answer answer = at("POST", "/validate");
  EXPECT_EQ(answer.json["valid"], false);
  EXPECT_EQ(answer.json["return"]["state"], "computed");
}

TEST_F(ApiTest, SaysBusyWhereAPeriodIsAtWork) {
  put_inputs();
  auto work = store_->work(*parse_rut("99999001-0"), {2026, 6}, false);
  ASSERT_TRUE(work.has_value());
  EXPECT_EQ(code_of(at("POST", "/compute")), "busy");
  EXPECT_EQ(at("POST", "/compute").status, 409);
}

TEST_F(ApiTest, ImportsTheBooksOfOdoo) {
  FakeOdoo odoo("tests/f29/odoo/books_2026_10.json");
  ServiceOptions options;
  options.odoo.emplace();
  options.odoo->http.url = odoo.url();
  options.odoo->database = "books";
  options.odoo->user = "auditor";
  options.odoo->key = "right-key";
  options.odoo->retry_wait = base::Millis(0);
  start(options);
  ASSERT_TRUE(store_->put_company(*parse_rut("99950100-1"), "Empresa B").has_value());
  const std::string october = "/v1/companies/99950100-1/periods/2026-10";
  ASSERT_EQ(call("PUT", october + "/inputs", R"({"common_use_factor": "0.8"})", "application/json")
                .status,
            200);
  const Answer imported = call("POST", october + "/import/odoo");
  ASSERT_EQ(imported.status, 200) << imported.body;
  EXPECT_EQ(imported.json["import"]["documents"], 25);
  const Answer computed = call("POST", october + "/compute");
  EXPECT_EQ(computed.json["boxes"]["538"], 314'514);
  EXPECT_EQ(computed.json["boxes"]["537"], 651'320);
  call("POST", october + "/compute");
  const std::string metrics = call("GET", "/metrics").body;
  EXPECT_NE(metrics.find("sii_unmapped_taxes_total{company=\"99950100-1\"} 1\n"), metrics.npos);
  EXPECT_NE(metrics.find("f29_unmapped_taxes{company=\"99950100-1\"} 1\n"), metrics.npos);
  odoo.trouble(1, Trouble::drop, 1'000);
  const Answer failed = call("POST", october + "/import/odoo");
  EXPECT_EQ(failed.status, 502);
  EXPECT_EQ(code_of(failed), "odoo");
  EXPECT_EQ(call("GET", october).json["imports"].size(), 1u);
}

TEST_F(ApiTest, SaysThatThereIsNoOdoo) {
  EXPECT_EQ(code_of(at("POST", "/import/odoo")), "no_odoo");
}

TEST_F(ApiTest, ShowsEverySeriesFromTheFirstScrape) {
  const std::string metrics = call("GET", "/metrics", "", "", "").body;
  for (const char* series :
       {"sii_unmapped_taxes_total{company=\"99999001-0\"} 0\n",
        "f29_unmapped_taxes{company=\"99999001-0\"} 0\n", "f29_store_up 1\n",
        "f29_imports_total{result=\"done\"} 0\n", "f29_imports_total{result=\"refused\"} 0\n",
        "f29_computations_total{result=\"refused\"} 0\n",
        "f29_odoo_reads_total{result=\"failed\"} 0", "f29_requests_total{code=\"413\"} 0\n",
        "f29_requests_total{code=\"other\"} 0\n", "# TYPE sii_unmapped_taxes_total counter\n",
        "# TYPE f29_unmapped_taxes gauge\n"}) {
    EXPECT_NE(metrics.find(series), metrics.npos) << series;
  }
  call("GET", "/nothing");
  EXPECT_NE(call("GET", "/metrics").body.find("f29_requests_total{code=\"404\"} 1\n"),
            std::string::npos);
}

TEST_F(ApiTest, KeepsItsAnswersWhenManyAskAtOnce) {
  import_all();
  put_inputs();
  std::vector<std::thread> threads;
  std::atomic<int> computed{0};
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 5; ++round) {
        const Answer answer = at("POST", "/compute");
        if (answer.status == 200) {
          ++computed;
          EXPECT_EQ(answer.json["boxes"]["91"], 301'738);
        } else {
          EXPECT_EQ(code_of(answer), "busy");
        }
        EXPECT_EQ(at("GET", "/export?format=csv").status, 200);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(computed, 0);
}

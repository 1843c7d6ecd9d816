// The accountant's desk: signing in, reconciling, closing, payments, an outage, rectifying.
#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "f29svc/api/sessions.h"
#include "tests/f29/api/api_fixture.h"
#include "tests/f29/fake_odoo/fake_odoo.h"

using namespace f29;
using namespace f29test;
using nlohmann::json;

namespace {

class Desk : public ApiTest {
 protected:
  void import_books() {
    const Answer answer = at("POST", "/import?name=books.json",
                             read_file("tests/f29/data/books_202606.json"), "application/json");
    ASSERT_EQ(answer.status, 200) << answer.body;
  }
  void validated() {
    import_all();
    put_inputs();
    at("POST", "/compute");
    ASSERT_EQ(at("POST", "/validate").json["valid"], true);
  }
  // A request with a cookie instead of a key.
  Answer with_cookie(const std::string& method, const std::string& path, const std::string& cookie,
                     const std::string& more = {}) {
    return read_answer(exchange(server_->bound().port,
                                method + " " + path + " HTTP/1.1\r\nHost: f29\r\nCookie: a=b; " +
                                    cookie + "\r\n" + more + "\r\n"));
  }
  std::string sign_in(const std::string& key) {
    const Answer answer =
        call("POST", "/v1/session", json{{"key", key}}.dump(), "application/json", "");
    if (answer.status != 200) return {};
    csrf_ = answer.json["csrf"];
    const std::string cookie = answer.fields.at("set-cookie");
    EXPECT_NE(cookie.find("; HttpOnly; SameSite=Strict"), cookie.npos);
    return cookie.substr(0, cookie.find(';'));
  }
  json one_row(const std::string& filter) {
    const Answer answer = at("GET", "/reconcile?" + filter);
    EXPECT_EQ(answer.json["total"], 1) << answer.body;
    return answer.json["documents"].empty() ? json() : answer.json["documents"][0];
  }

  std::string csrf_;
};

}  // namespace

// ---- signing in ---------------------------------------------------------------------------------

TEST_F(Desk, SignsInWithAKeyAndOutAgain) {
  EXPECT_EQ(sign_in("wrong"), "");
  const std::string cookie = sign_in("second-key");
  const Answer who = with_cookie("GET", "/v1/session", cookie);
  EXPECT_EQ(who.json["user"], "second");
  EXPECT_EQ(who.json["by"], "session");
  EXPECT_EQ(who.json["csrf"], csrf_);
  const std::string token = "X-CSRF-Token: " + csrf_ + "\r\n";
  EXPECT_EQ(with_cookie("DELETE", "/v1/session", cookie, token).json["signed_out"], true);
  EXPECT_EQ(with_cookie("GET", "/v1/session", cookie).status, 401);
}

TEST_F(Desk, ChangesNothingForACookieWithoutItsToken) {
  const std::string cookie = sign_in("first-key");
  const std::string body = "Content-Type: application/json\r\nContent-Length: 2\r\n";
  const std::string path = std::string(kPeriodPath) + "/inputs";
  for (const std::string& token : {std::string(), std::string("X-CSRF-Token: wrong\r\n")}) {
    const Answer refused = with_cookie("PUT", path, cookie, token + body + "\r\n{}");
    EXPECT_EQ(refused.status, 403);
    EXPECT_EQ(code_of(refused), "csrf");
  }
  EXPECT_EQ(at("GET", "").status, 404) << "nothing was begun";
  const Answer done =
      with_cookie("PUT", path, cookie, "X-CSRF-Token: " + csrf_ + "\r\n" + body + "\r\n{}");
  EXPECT_EQ(done.status, 200) << done.body;
  EXPECT_EQ(call("GET", path).json["inputs"][0]["actor"], "first");
}

TEST_F(Desk, BelievesAFrontProxyOnlyFromItsAddress) {
  HttpServerOptions http;
  http.user_header = "X-Remote-User";
  const std::string ask = "GET /v1/session HTTP/1.1\r\nHost: f29\r\nX-Remote-User: ana\r\n";
  start({}, http);
  EXPECT_EQ(read_answer(exchange(server_->bound().port, ask + "\r\n")).status, 401);
  start({}, http, {{"127.0.0.1"}, false});
  const Answer who = read_answer(exchange(server_->bound().port, ask + "\r\n"));
  EXPECT_EQ(who.json["user"], "ana");
  EXPECT_EQ(who.json["by"], "proxy");
  EXPECT_EQ(read_answer(exchange(server_->bound().port, ask + "X-Remote-User: eva\r\n\r\n")).status,
            401)
      << "a field that came twice";
  const std::string change = "POST " + std::string(kPeriodPath) +
                             "/compute HTTP/1.1\r\nHost: f29\r\nX-Remote-User: ana\r\n";
  EXPECT_EQ(read_answer(exchange(server_->bound().port, change + "\r\n")).status, 403);
  const std::string token = "X-CSRF-Token: " + who.json["csrf"].get<std::string>() + "\r\n\r\n";
  EXPECT_EQ(read_answer(exchange(server_->bound().port, change + token)).status, 404);
}

TEST(SessionTable, ForgetsWhatHasEndedAndKeepsItsBound) {
  Sessions sessions;
  const base::WallTime begin{std::chrono::hours(1'000)};
  const std::string first = sessions.open("ana", begin);
  EXPECT_TRUE(sessions.find(first, begin + Sessions::kLife - std::chrono::seconds(1)));
  EXPECT_FALSE(sessions.find(first, begin + Sessions::kLife));
  for (size_t i = 0; i < Sessions::kMost + 5; ++i) {
    sessions.open("eva", begin + std::chrono::seconds(i + 1));
  }
  EXPECT_EQ(sessions.size(), Sessions::kMost);
  EXPECT_FALSE(sessions.find(first, begin)) << "the one that ends first made room";
}

// ---- the form -----------------------------------------------------------------------------------

TEST_F(Desk, ShowsTheFormByLineAndABoxDownToItsDocument) {
  import_all();
  put_inputs();
  at("POST", "/compute");
  const Answer form = at("GET", "/form");
  int last = 0;
  std::map<int, json> boxes;
  for (const json& line : form.json["lines"]) {
    EXPECT_GT(line["line"].get<int>(), last);
    last = line["line"];
    for (const json& box : line["boxes"]) boxes[box["code"]] = box;
  }
  EXPECT_EQ(last, 150) << "V150 has that many lines";
  EXPECT_EQ(boxes[502]["value"], 1'216'000);
  EXPECT_EQ(boxes[48]["given"], true);
  EXPECT_EQ(boxes[573]["value"], 0) << "empty boxes are there";
  EXPECT_EQ(form.json["to_pay"], 301'738);
  const Answer box = at("GET", "/form/716");
  ASSERT_EQ(box.json["total"], 1) << box.body;
  const json key = box.json["entries"][0]["document"];
  const Answer found = at("GET", "/documents?side=sale&type=33&folio=" + key["folio"].dump() +
                                     "&issuer=" + key["issuer"].get<std::string>());
  ASSERT_EQ(found.json["total"], 1) << found.body;
  EXPECT_EQ(found.json["documents"][0]["vat"], 57'000);
  EXPECT_EQ(found.json["sums"]["vat"], 57'000);
  const json uses = at("GET", "/form/538").json["uses"];
  EXPECT_TRUE(std::any_of(uses.begin(), uses.end(), [](const json& one) {
    return one["code"] == 502 && one["value"] == 1'216'000;
  }));
  EXPECT_EQ(at("GET", "/form/999999").status, 404);
  EXPECT_EQ(at("GET", "/form/502?limit=0").status, 422);
  EXPECT_EQ(at("GET", "/form?version=2").status, 404);
}

TEST_F(Desk, PagesTheSourcesOfABoxWithoutAGap) {
  import_all();
  put_inputs();
  at("POST", "/compute");
  const json all = at("GET", "/form/520?limit=1000").json["entries"];
  ASSERT_GT(all.size(), 4u);
  json pages = json::array();
  for (size_t offset = 0; offset < all.size() + 3; offset += 3) {
    const Answer page = at("GET", "/form/520?limit=3&offset=" + std::to_string(offset));
    EXPECT_EQ(page.json["total"], all.size());
    for (const json& entry : page.json["entries"]) pages.push_back(entry);
  }
  EXPECT_EQ(pages, all);
}

TEST_F(Desk, FiltersFindingsAndCountsThemAll) {
  import_all();
  put_inputs();
  EXPECT_GT(at("GET", "/findings").json["total"].get<int>(), 0) << "a draft shows its imports'";
  at("POST", "/compute");
  const Answer all = at("GET", "/findings?limit=1000");
  const json& counts = all.json["counts"];
  EXPECT_EQ(counts["error"].get<size_t>() + counts["warning"].get<size_t>() +
                counts["note"].get<size_t>(),
            all.json["findings"].size());
  const Answer warnings = at("GET", "/findings?severity=warning&limit=1000");
  EXPECT_EQ(warnings.json["total"], counts["warning"]);
  const std::string code = all.json["findings"][0]["code"];
  const Answer with_code = at("GET", "/findings?code=" + code);
  for (const json& one : with_code.json["findings"]) {
    EXPECT_EQ(one["code"], code);
  }
  const json period = call("GET", "/v1/companies/99999001-0/periods").json["periods"][0];
  EXPECT_EQ(period["findings"], counts);
  EXPECT_EQ(period["due"], "2026-07-20");
}

// ---- reconciliation -----------------------------------------------------------------------------

TEST_F(Desk, GivesEveryDocumentOfTheSampleItsStatus) {
  import_all();
  import_books();
  const Answer report = at("POST", "/reconcile?limit=1000");
  ASSERT_EQ(report.status, 200) << report.body;
  const json wanted = json::parse(read_file("tests/f29/data/reconciled_202606.json"));
  ASSERT_EQ(report.json["documents"].size(), wanted.size());
  for (size_t i = 0; i < wanted.size(); ++i) {
    for (const auto& [name, value] : wanted[i].items()) {
      EXPECT_EQ(report.json["documents"][i][name], value) << wanted[i].dump() << name;
    }
  }
}

TEST_F(Desk, ReconcilesTwiceWithoutChangingAnything) {
  import_all();
  import_books();
  const Answer first = at("POST", "/reconcile?limit=1000");
  const Answer second = at("POST", "/reconcile?limit=1000");
  EXPECT_EQ(first.json["run"]["repeated"], false);
  EXPECT_EQ(second.json["run"]["repeated"], true);
  EXPECT_EQ(second.json["run"]["run"], first.json["run"]["run"]);
  EXPECT_EQ(second.json["run"]["at"], first.json["run"]["at"]);
  EXPECT_EQ(second.json["documents"], first.json["documents"]);
  EXPECT_EQ(at("GET", "").json["state"], "draft");
  int64_t runs = 0;
  int64_t marks = 0;
  ASSERT_TRUE(store_->with([&](Database& database) -> base::Result<> {
    runs = *database.number("SELECT count(*) FROM reconciliations");
    marks = *database.number("SELECT count(*) FROM document_marks");
    return {};
  }));
  EXPECT_EQ(runs, 1);
  // Of the sample only these stand on both sides: 5 match, and one each of amount_diff, type_diff,
  // period_diff, duplicate, claimed and pending.
  EXPECT_EQ(marks, 11);
  EXPECT_EQ(first.json["run"]["marked"], marks);
  import_rcv("RCV_VENTA_99999001-0_202606.csv");
  EXPECT_EQ(at("GET", "/reconcile").json["run"]["current"], true) << "the same file again";
  at("PUT", "/inputs", R"({"settings": {"tolerance": 3}})", "application/json");
  EXPECT_EQ(at("GET", "/reconcile").json["run"]["current"], false);
  EXPECT_EQ(at("POST", "/reconcile").json["run"]["repeated"], false);
  EXPECT_EQ(one_row("side=purchase&folio=205&status=match")["note"],
            "the amounts differ within the tolerance");
}

TEST_F(Desk, FiltersTheReportAndItsTotalsAddUp) {
  import_all();
  import_books();
  EXPECT_EQ(code_of(at("GET", "/reconcile")), "not_reconciled");
  at("POST", "/reconcile");
  const Answer all = at("GET", "/reconcile?limit=1000");
  EXPECT_EQ(all.json["filtered"], all.json["totals"]);
  for (const auto& [status, sums] : all.json["totals"]["by_status"].items()) {
    const Answer some = at("GET", "/reconcile?limit=1000&status=" + status);
    int64_t total = 0;
    int64_t tax = 0;
    for (const json& row : some.json["documents"]) {
      EXPECT_EQ(row["status"], status);
      total += row["diff_total"].get<int64_t>();
      tax += row["diff_tax"].get<int64_t>();
    }
    EXPECT_EQ(some.json["filtered"]["by_status"][status], sums);
    EXPECT_EQ(sums["diff_total"], total) << status;
    EXPECT_EQ(sums["diff_tax"], tax) << status;
    EXPECT_EQ(some.json["totals"], all.json["totals"]);
  }
  EXPECT_EQ(one_row("text=beta&type=33&status=amount_diff")["folio"], 205);
  EXPECT_EQ(one_row("min_diff=1&status=amount_diff,match")["folio"], 205);
  EXPECT_EQ(one_row("side=sale&status=match&type=33")["folio"], 501);
  EXPECT_EQ(at("GET", "/reconcile?limit=2&offset=1").json["documents"][0],
            all.json["documents"][1]);
  EXPECT_EQ(code_of(at("GET", "/reconcile?status=odd")), "bad_query");
  const std::string csv = at("GET", "/reconcile.csv?status=match").body;
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 6) << csv;
}

TEST_F(Desk, SaysTheLedgersRemanente) {  // case 6
  import_all();
  at("PUT", "/inputs",
     R"({"previous": {"77": 250000}, "utm": {"previous_filing": 70000, "this_filing": 70500},
         "common_use_factor": "0.80", "ledger": {"remanente": 251000}})",
     "application/json");
  at("POST", "/compute");
  const Answer report = at("POST", "/reconcile");
  EXPECT_EQ(report.json["ledger"]["difference"], 685) << report.body;
  EXPECT_EQ(report.json["findings"].back()["code"], "remanente_adjustment");
  EXPECT_EQ(at("GET", "/form/504").json["value"], 251'685);
}

TEST_F(Desk, NotesEachDocumentInOdooOnce) {
  FakeOdoo odoo("tests/f29/odoo/books_2026_10.json");
  ServiceOptions options;
  options.odoo.emplace();
  options.odoo->http.url = odoo.url();
  options.odoo->database = "books";
  options.odoo->user = "auditor";
  options.odoo->key = "right-key";
  options.odoo->tries = 1;
  start(options);
  ASSERT_TRUE(store_->put_company(*parse_rut("99950100-1"), "Empresa B").has_value());
  const std::string october = "/v1/companies/99950100-1/periods/2026-10";
  ASSERT_EQ(call("POST", october + "/import/odoo").status, 200);
  // A register in which every posted purchase invoice of the books stands as it is.
  const Answer books = call("GET", october + "/documents?side=purchase&type=33&limit=1000");
  std::string csv =
      "Nro;Tipo Doc;Tipo Compra;RUT Proveedor;Razon Social;Folio;Fecha Docto;Fecha Recepcion;"
      "Fecha Acuse;Monto Exento;Monto Neto;Monto IVA Recuperable;Monto Iva No Recuperable;"
      "Codigo IVA No Rec.;Monto Total;Monto Neto Activo Fijo;IVA Activo Fijo;IVA uso Comun;"
      "Impto. Sin Derecho a Credito;IVA No Retenido;Tabacos Puros;Tabacos Cigarrillos;"
      "Tabacos Elaborados;NCE o NDE sobre Fact. de Compra;Codigo Otro Impuesto;"
      "Valor Otro Impuesto;Tasa Otro Impuesto\r\n";
  size_t posted = 0;
  for (const json& one : books.json["documents"]) {
    if (one["state"] != "posted") continue;
    ++posted;
    const int64_t tax =
        one["total"].get<int64_t>() - one["net"].get<int64_t>() - one["exempt"].get<int64_t>();
    csv += "1;33;Del Giro;" + one["issuer"].get<std::string>() + ";UNO;" + one["folio"].dump() +
           ";05/10/2026;05/10/2026 10:00:00;06/10/2026 10:00:00;" + one["exempt"].dump() + ";" +
           one["net"].dump() + ";" + std::to_string(tax) + ";;;" + one["total"].dump() +
           ";;;;;0;;;;0;;;\r\n";
  }
  ASSERT_GT(posted, 2u);
  ASSERT_EQ(call("POST", october + "/import", csv, "text/csv").status, 200);
  const std::string notes = october + "/reconcile/notes";
  EXPECT_EQ(code_of(call("POST", notes)), "not_reconciled");
  ASSERT_EQ(call("POST", october + "/reconcile").status, 200);
  const Answer dry = call("POST", notes);
  EXPECT_EQ(dry.json["dry_run"], true);
  ASSERT_GE(dry.json["notes"].size(), posted);
  const auto count = [&](const char* method) {
    size_t times = 0;
    for (const FakeOdoo::Seen& one : odoo.seen()) times += one.method == method;
    return times;
  };
  EXPECT_EQ(count("message_post"), 0u);
  EXPECT_EQ(code_of(call("POST", notes + "?dry_run=false")), "notes_not_allowed");

  options.odoo_notes = true;
  start(options);
  const Answer done = call("POST", notes + "?dry_run=false");
  const size_t all = dry.json["notes"].size();
  EXPECT_EQ(done.json["posted"], all) << done.body;
  EXPECT_EQ(count("message_post"), all);
  for (const FakeOdoo::Seen& one : odoo.seen()) {
    if (one.method != "message_post") continue;
    const json how = json::parse(one.options);
    EXPECT_EQ(how["subtype_xmlid"], "mail.mt_note");
    EXPECT_EQ(how["context"]["mail_create_nosubscribe"], true);
    EXPECT_FALSE(how.contains("partner_ids"));
  }
  EXPECT_EQ(call("POST", notes + "?dry_run=false").json["already"], all);
  EXPECT_EQ(count("message_post"), all) << "once";
  // The store has lost its memory, or an answer was lost: Odoo itself is asked.
  ASSERT_TRUE(
      store_->with([](Database& database) { return database.run("DELETE FROM odoo_notes"); }));
  EXPECT_EQ(call("POST", notes + "?dry_run=false").json["already"], all);
  EXPECT_EQ(count("message_post"), all);
}

TEST_F(Desk, NotesOnlyBooksThatCameOutOfOdoo) {
  ServiceOptions options;
  options.odoo.emplace();
  options.odoo->http.url = "http://127.0.0.1:9";
  start(options);
  import_all();
  import_books();
  at("POST", "/reconcile");
  EXPECT_EQ(code_of(at("POST", "/reconcile/notes")), "books_not_of_odoo");
}

// ---- closing ------------------------------------------------------------------------------------

TEST_F(Desk, ClosesWithDateFolioAndPayment) {
  validated();
  const Answer sent = at("POST", "/returns/1/sent?folio=7000123&date=2026-07-18");
  EXPECT_EQ(sent.json["return"]["sent_on"], "2026-07-18");
  EXPECT_EQ(sent.json["return"]["folio"], "7000123");
  EXPECT_EQ(code_of(at("POST", "/returns/1/paid?date=2026-07-17")), "bad_date");
  const Answer paid = at("POST", "/returns/1/paid?date=2026-07-20&payment=TGR-55");
  EXPECT_EQ(paid.json["return"]["paid_on"], "2026-07-20");
  EXPECT_EQ(paid.json["return"]["paid_amount"], 301'738) << "what is to be paid";
  EXPECT_EQ(paid.json["return"]["payment"], "TGR-55");
  EXPECT_EQ(at("GET", "").json["closed"], true);
  EXPECT_EQ(at("POST", "/compute").status, 409);
  EXPECT_EQ(code_of(at("POST", "/returns/1/paid?date=18-07-2026")), "bad_query");
}

TEST_F(Desk, ListsWhatARectificationChanged) {  // case 130
  validated();
  at("POST", "/returns/1/sent?folio=11");
  EXPECT_EQ(code_of(at("GET", "/returns/1/differences")), "bad_version");
  at("POST", "/rectify?reason=forgotten");
  const std::string more = R"({"previous": {"77": 250000},
      "utm": {"previous_filing": 70000, "this_filing": 70500}, "common_use_factor": "0.80",
      "boxes": {"48": 26000, "563": 13390504, "115": "0.25"},
      "fees": [{"gross": 1000000, "rate": "15.25"}]})";
  ASSERT_EQ(at("PUT", "/inputs", more, "application/json").status, 200);
  at("POST", "/compute");
  const Answer found = at("GET", "/returns/2/differences");
  std::map<int, json> boxes;
  for (const json& box : found.json["boxes"]) boxes[box["code"]] = box;
  EXPECT_EQ(boxes[48]["before"], 25'000);
  EXPECT_EQ(boxes[48]["after"], 26'000);
  EXPECT_EQ(boxes[48]["difference"], 1'000);
  EXPECT_EQ(boxes[62]["difference"], 16'738);
  EXPECT_EQ(boxes[115]["before"], "0.125");
  EXPECT_EQ(boxes[115]["difference"], nullptr);
  EXPECT_EQ(boxes[91]["difference"], 17'738);
  EXPECT_FALSE(boxes.contains(502));
}

// ---- payments -----------------------------------------------------------------------------------

TEST_F(Desk, PlansAPaymentAndPaysIt) {
  EXPECT_EQ(at("GET", "/flow").status, 404);
  import_all();
  put_inputs();
  EXPECT_EQ(code_of(at("POST", "/flow/plan")), "not_computed");
  at("POST", "/compute");
  EXPECT_EQ(at("GET", "/flow").json["state"], "none");
  EXPECT_EQ(code_of(at("POST", "/flow/pay")), "not_planned");
  const Answer planned = at("POST", "/flow/plan");
  EXPECT_EQ(planned.json["amount"], 301'738);
  EXPECT_EQ(planned.json["due"], "2026-07-20");
  EXPECT_EQ(at("POST", "/flow/plan").json["history"].size(), 1u) << "the same again";
  const std::string later = R"({"previous": {"77": 250000},
      "utm": {"previous_filing": 70000, "this_filing": 70500}, "common_use_factor": "0.80"})";
  at("PUT", "/inputs", later, "application/json");
  at("POST", "/compute");
  const Answer now = at("GET", "/flow");
  EXPECT_EQ(now.json["amount"], 107'500) << "the plan follows the return";
  EXPECT_EQ(code_of(at("POST", "/flow/pay?amount=107501")), "bad_amount");
  const Answer part = at("POST", "/flow/pay?amount=7500&date=2026-07-15&payment=A1");
  EXPECT_EQ(part.json["state"], "planned");
  EXPECT_EQ(part.json["paid_amount"], 7'500);
  const Answer paid = at("POST", "/flow/pay?date=2026-07-20");
  EXPECT_EQ(paid.json["state"], "paid");
  EXPECT_EQ(paid.json["paid_amount"], 107'500);
  EXPECT_EQ(code_of(at("POST", "/flow/pay")), "is_paid");
  EXPECT_EQ(call("GET", "/v1/companies/99999001-0/flow").json["sums"]["paid"], 107'500);
}

TEST_F(Desk, PostponesTheVatByTheRulesOnly) {
  // 89 = 190,000 of VAT; 48 = 20,000 is paid on the day. Far ahead, so that it is in time.
  const std::string future = "/v1/companies/99999001-0/periods/2029-06";
  const auto put = [&](const std::string& more) {
    return call("PUT", future + "/inputs",
                R"({"previous": {"opening_504": 0}, "boxes": {"48": 20000}, "additions": [{
                    "side": "sale", "type": 33, "issuer": "99980001-7", "folio": 1,
                    "net": 1000000, "vat": 190000, "reason": "test"}])" +
                    more + "}",
                "application/json");
  };
  ASSERT_EQ(put("").status, 200);
  call("POST", future + "/compute");
  const Answer plain = call("POST", future + "/flow/plan");
  EXPECT_EQ(plain.json["amount"], 210'000);
  EXPECT_EQ(plain.json["may_defer"], false);
  const Answer refused = call("POST", future + "/flow/defer");
  EXPECT_EQ(code_of(refused), "no_postponement");
  EXPECT_NE(refused.body.find("756"), std::string::npos);
  ASSERT_EQ(put(R"(, "postpone": {"filed_on": "2029-07-15"})").status, 200);
  call("POST", future + "/compute");
  EXPECT_EQ(call("GET", future + "/flow").json["may_defer"], true);
  EXPECT_EQ(call("POST", future + "/flow/defer?months=3").status, 422);
  const Answer deferred = call("POST", future + "/flow/defer?months=2");
  EXPECT_EQ(deferred.json["state"], "deferred");
  EXPECT_EQ(deferred.json["amount"], 20'000) << "no other tax is postponed";
  EXPECT_EQ(deferred.json["deferred_amount"], 190'000);
  EXPECT_EQ(deferred.json["due"], "2029-07-20");
  EXPECT_EQ(deferred.json["deferred_to"], "2029-09-20");
  EXPECT_EQ(code_of(call("POST", future + "/flow/defer")), "no_postponement") << "once";

  const std::string csv = call("GET", "/v1/companies/99999001-0/flow.csv").body;
  EXPECT_NE(csv.find("99999001-0;2029-06;1;deferred;2029-07-20;20000;2029-09-20;190000;;0;;210000"),
            csv.npos)
      << csv;
  const std::string ics = call("GET", "/v1/companies/99999001-0/flow.ics").body;
  EXPECT_EQ(ics, call("GET", "/v1/companies/99999001-0/flow.ics").body);
  EXPECT_TRUE(ics.starts_with("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n")) << ics;
  EXPECT_NE(ics.find("DTSTART;VALUE=DATE:20290720\r\n"), ics.npos);
  EXPECT_NE(ics.find("DTSTART;VALUE=DATE:20290920\r\n"), ics.npos);
  for (size_t at = 0, end = 0; (end = ics.find("\r\n", at)) != ics.npos; at = end + 2) {
    EXPECT_LE(end - at, 75u);
  }
  EXPECT_EQ(call("GET", "/v1/companies/99999001-0/flow?to=2029-05").json["flows"].size(), 0u);
}

TEST_F(Desk, PostponesNothingOfAReturnThatWasFiledLate) {
  put_inputs();
  const std::string early = R"({"previous": {"opening_504": 0}, "additions": [{
      "side": "sale", "type": 33, "issuer": "99980001-7", "folio": 1, "net": 1000000,
      "vat": 190000, "reason": "test"}], "postpone": {"filed_on": "2026-07-15"}})";
  at("PUT", "/inputs", early, "application/json");
  at("POST", "/compute");
  at("POST", "/validate");
  at("POST", "/returns/1/sent?date=2026-07-21");
  const Answer refused = at("POST", "/flow/defer");
  EXPECT_EQ(code_of(refused), "no_postponement");
  EXPECT_NE(refused.body.find("in time"), std::string::npos) << refused.body;
}

// ---- an outage ----------------------------------------------------------------------------------

TEST_F(Desk, QueuesWhatIsReadyWhileTheTaxAuthorityIsAway) {
  EXPECT_EQ(call("GET", "/v1/outage").json["on"], false);
  EXPECT_EQ(code_of(call("DELETE", "/v1/outage")), "outage_off");
  EXPECT_EQ(call("POST", "/v1/outage?reason=sii.cl%20does%20not%20answer").json["on"], true);
  EXPECT_EQ(code_of(call("POST", "/v1/outage?reason=again")), "outage_on");
  import_all();
  put_inputs();
  at("POST", "/compute");
  EXPECT_EQ(at("POST", "/returns/1/ready").status, 409) << "not validated";
  at("POST", "/validate");
  const Answer ready = at("POST", "/returns/1/ready");
  EXPECT_EQ(ready.json["return"]["ready"], true) << ready.body;
  EXPECT_EQ(ready.json["return"]["state"], "validated");
  EXPECT_EQ(at("GET", "/flow").json["state"], "planned");
  const json queue = call("GET", "/v1/outage").json["queue"];
  ASSERT_EQ(queue.size(), 1u);
  EXPECT_EQ(queue[0]["period"], "2026-06");
  EXPECT_EQ(queue[0]["to_pay"], 301'738);
  EXPECT_EQ(queue[0]["digest"].get<std::string>().size(), 64u);
  EXPECT_EQ(at("GET", "/export?format=csv").status, 200) << "the local export";
  at("DELETE", "/returns/1/ready");
  EXPECT_EQ(call("GET", "/v1/outage").json["queue"].size(), 0u);
  at("POST", "/returns/1/ready");
  put_inputs();
  EXPECT_EQ(call("GET", "/v1/outage").json["queue"].size(), 0u) << "it was changed";
  at("POST", "/compute");
  at("POST", "/validate");
  at("POST", "/returns/1/ready");
  EXPECT_EQ(call("DELETE", "/v1/outage").json["on"], false);
  EXPECT_EQ(call("GET", "/v1/outage").json["queue"].size(), 1u) << "it still waits";
  at("POST", "/returns/1/sent?folio=9");
  EXPECT_EQ(call("GET", "/v1/outage").json["queue"].size(), 0u);
}

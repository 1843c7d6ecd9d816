// Odoo's books become documents: nothing lost, nothing doubled, whatever the network does.
#include "f29svc/sources/odoo/odoo.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tests/f29/fake_odoo/fake_odoo.h"

using namespace f29;
using namespace std::chrono_literals;
using base::ErrorCode;
using f29test::FakeOdoo;
using f29test::Trouble;

namespace {

constexpr const char* kBooks = "tests/f29/odoo/books_2026_10.json";
constexpr const char* kCompany = "99950100-1";

struct Reading {
  base::Result<OdooCounts> counts;
  std::vector<Document> documents;
  Findings findings;
  int64_t requests = 0;

  const Document* find(const std::string& key) const {
    const auto at = std::find_if(documents.begin(), documents.end(),
                                 [&](const Document& d) { return key_of(d).text() == key; });
    return at == documents.end() ? nullptr : &*at;
  }
  std::string keys() const {
    std::string all;
    for (const Document& d : documents)
      all += key_of(d).text() + " " + std::to_string(d.total.value()) + "\n";
    return all;
  }
};

class OdooTest : public ::testing::Test {
 protected:
  OdooTest() {
    options_.http.url = odoo_.url();
    options_.http.read_timeout = 200ms;
    options_.database = "books";
    options_.user = "auditor";
    options_.key = "right-key";
    options_.retry_wait = 0ms;
  }
  Reading read(Period period = {2026, 10}) {
    Reading reading;
    auto rpc = OdooRpc::make(options_);
    EXPECT_TRUE(rpc.has_value());
    const OdooRequest request{*parse_rut(kCompany), period};
    reading.counts = read_odoo(
        **rpc, request, [&](const Document& d) { reading.documents.push_back(d); },
        reading.findings);
    reading.requests = (*rpc)->requests();
    return reading;
  }
  base::Error fails() {
    const Reading reading = read();
    EXPECT_FALSE(reading.counts.has_value());
    return reading.counts ? base::Error{} : reading.counts.error();
  }
  void expect_all(const Reading& reading) {
    ASSERT_TRUE(reading.counts.has_value()) << reading.counts.error().detail;
    EXPECT_EQ(reading.documents.size(), 25u);
    std::vector<int64_t> ids;
    for (const Document& d : reading.documents) ids.push_back(d.source_id);
    std::sort(ids.begin(), ids.end());
    for (int64_t i = 0; i < 25; ++i) EXPECT_EQ(ids[static_cast<size_t>(i)], i + 1);
  }

  FakeOdoo odoo_{kBooks};
  OdooOptions options_;
};

}  // namespace

TEST_F(OdooTest, DeliversEveryMoveOfTheMonthOnce) {
  const Reading reading = read();
  expect_all(reading);
  EXPECT_EQ(reading.counts->moves, 25);
  EXPECT_EQ(reading.counts->drafts, 1);
  EXPECT_EQ(reading.counts->cancelled, 1);
  EXPECT_EQ(reading.counts->rejected, 0);
  EXPECT_EQ(odoo_.logins(), 1);
}

TEST_F(OdooTest, TakesAmountsFromTheLinesInTheDocumentsOwnDirection) {
  const Reading reading = read();
  const Document* mixed = reading.find("sale 33 99950100-1 2");
  ASSERT_NE(mixed, nullptr);
  EXPECT_EQ(mixed->net, Pesos{500'000});
  EXPECT_EQ(mixed->exempt, Pesos{100'000});
  EXPECT_EQ(mixed->total, Pesos{695'000});
  const Document* note = reading.find("purchase 61 99950301-2 301");
  ASSERT_NE(note, nullptr);
  EXPECT_EQ(note->net, Pesos{40'000});
  ASSERT_EQ(note->parts.size(), 1u);
  EXPECT_EQ(note->parts[0].amount, Pesos{7'600});
  EXPECT_EQ(note->parts[0].base, Pesos{40'000});
}

TEST_F(OdooTest, TakesForeignInvoicesInTheCompanysCurrency) {
  const Reading reading = read();
  const Document* exported = reading.find("sale 110 99950100-1 1");
  ASSERT_NE(exported, nullptr);
  EXPECT_EQ(exported->exempt, Pesos{950'000});
  EXPECT_EQ(exported->net, Pesos{});
  EXPECT_EQ(exported->total, Pesos{950'000});
}

TEST_F(OdooTest, NamesTaxesByXmlidAndTheirTagsWithoutSign) {
  const Reading reading = read();
  const Document* wine = reading.find("sale 33 99950100-1 4");
  ASSERT_NE(wine, nullptr);
  ASSERT_EQ(wine->taxes.size(), 2u);
  EXPECT_EQ(wine->taxes[0].xmlid, "ITAX_19");
  EXPECT_EQ(wine->taxes[0].tags, std::vector<std::string>{"IVA Debito Fiscal"});
  EXPECT_EQ(wine->taxes[1].xmlid, "ila_v_205_s");
  EXPECT_EQ(wine->taxes[1].line_id, 24);
  EXPECT_EQ(wine->parts[1].amount, Pesos{41'000});
  EXPECT_EQ(wine->parts[1].source, 1);
}

TEST_F(OdooTest, KeepsTheSignOfWhatIsWithheld) {
  const Reading reading = read();
  const Document* bought = reading.find("purchase 46 99950100-1 1");
  ASSERT_NE(bought, nullptr);
  ASSERT_EQ(bought->parts.size(), 2u);
  EXPECT_EQ(bought->parts[0].amount, Pesos{19'000});
  EXPECT_EQ(bought->parts[1].amount, Pesos{-19'000});
  EXPECT_EQ(bought->taxes[1].xmlid, "I_RTI");
}

TEST_F(OdooTest, TakesThePeriodFromTheAccountingDate) {
  const Reading reading = read();
  const Document* late = reading.find("purchase 33 99950301-2 1002");
  ASSERT_NE(late, nullptr);
  EXPECT_EQ(late->issued.text(), "2026-09-28");
  EXPECT_EQ(late->accounted.text(), "2026-10-31");
  EXPECT_TRUE(read({2026, 9}).documents.empty());
}

TEST_F(OdooTest, SaysWhatANoteIsAboutAndWhyVatIsLost) {
  const Reading reading = read();
  const Document* note = reading.find("sale 61 99950100-1 1");
  ASSERT_NE(note, nullptr);
  ASSERT_EQ(note->references.size(), 1u);
  EXPECT_EQ(note->references[0].type, 33);
  EXPECT_EQ(note->references[0].folio, "1");
  EXPECT_FALSE(note->note_over_46);
  EXPECT_EQ(reading.find("purchase 33 99950302-0 2003")->non_recoverable_code, 3);
}

TEST_F(OdooTest, DeliversDraftsAndCancelledMovesWithTheirState) {
  const Reading reading = read();
  EXPECT_EQ(reading.documents[18].state, BookState::draft);
  const Document* cancelled = reading.find("sale 33 99950100-1 5");
  ASSERT_NE(cancelled, nullptr);
  EXPECT_EQ(cancelled->state, BookState::cancelled);
  EXPECT_EQ(cancelled->total, Pesos{91'630});
}

TEST_F(OdooTest, NamesTheFieldsAndFiltersOfEveryRead) {
  read();
  bool moves = false;
  bool lines = false;
  bool taxes = false;
  for (const FakeOdoo::Seen& seen : odoo_.seen()) {
    if (seen.service == "common") continue;
    EXPECT_EQ(seen.method, "search_read");
    EXPECT_NE(seen.options.find(R"("fields":[")"), std::string::npos) << seen.options;
    EXPECT_NE(seen.options.find(R"("order":"id")"), std::string::npos);
    EXPECT_NE(seen.options.find(R"("active_test":false)"), std::string::npos);
    EXPECT_NE(seen.options.find(R"("lang":"en_US")"), std::string::npos);
    const auto has = [&](const char* text) { return seen.domain.find(text) != std::string::npos; };
    moves = moves || (seen.model == "account.move" && has(R"(["company_id","=",1])") &&
                      has(R"(["date",">=","2026-10-01"])") && has(R"(["date","<=","2026-10-31"])"));
    lines = lines || (seen.model == "account.move.line" && has(R"(["parent_state","=","posted"])"));
    taxes = taxes || (seen.model == "account.tax" && has(R"(["company_id","=",1])"));
  }
  EXPECT_TRUE(moves && lines && taxes);
}

TEST_F(OdooTest, PagesByIdWithoutLossWhateverThePageSize) {
  const std::string whole = read().keys();
  for (const int page : {1, 2, 7, 25}) {
    options_.page = page;
    const Reading reading = read();
    expect_all(reading);
    EXPECT_EQ(reading.keys(), whole) << "page " << page;
  }
}

TEST_F(OdooTest, NeitherLosesNorDoublesWhenAMoveIsPostedMeanwhile) {
  options_.page = 4;
  const std::string move =
      R"({"id": 900, "name": "FAC 000006", "state": "posted", "move_type": "out_invoice",
          "date": "2026-10-30", "invoice_date": "2026-10-30", "commercial_partner_id": [10, "A"],
          "company_id": [1, "Empresa A"], "currency_id": [45, "CLP"],
          "l10n_latam_document_type_id": [1, "33"], "l10n_latam_document_number": "000006",
          "reversed_entry_id": false, "debit_origin_id": false, "fiscal_position_id": false,
          "amount_untaxed_signed": 0.0, "amount_total_signed": 0.0, "payment_state": "not_paid"
})";
  odoo_.before([&](int number) {
    if (number == 60) odoo_.add("account.move", move);
  });
  const Reading reading = read();
  ASSERT_TRUE(reading.counts.has_value()) << reading.counts.error().detail;
  ASSERT_GE(reading.requests, 60) << "the move came too late to be seen";
  std::vector<int64_t> ids;
  for (const Document& d : reading.documents) ids.push_back(d.source_id);
  EXPECT_EQ(std::count(ids.begin(), ids.end(), 900), 1);
  EXPECT_EQ(ids.size(), 26u);
}

TEST_F(OdooTest, ReadsAgainWhenARequestFailsAnywhere) {
  const Reading calm = read();
  const int64_t requests = calm.requests;
  ASSERT_GT(requests, 10);
  int64_t seen = requests;
  for (const Trouble trouble : {Trouble::drop, Trouble::half, Trouble::away}) {
    for (int64_t n = 1; n <= requests; ++n) {
      odoo_.trouble(static_cast<int>(seen + n), trouble);
      const Reading reading = read();
      expect_all(reading);
      EXPECT_EQ(reading.keys(), calm.keys());
      EXPECT_EQ(reading.requests, requests + 1);
      seen += reading.requests;
    }
  }
}

TEST_F(OdooTest, ReadsAgainWhenAnAnswerStalls) {
  odoo_.trouble(4, Trouble::stall);
  const Reading reading = read();
  expect_all(reading);
}

TEST_F(OdooTest, GivesUpAfterItsTries) {
  odoo_.trouble(5, Trouble::drop, 100);
  const Reading reading = read();
  ASSERT_FALSE(reading.counts.has_value());
  EXPECT_EQ(reading.counts.error().code, ErrorCode::backend_reset);
  EXPECT_EQ(reading.requests, 4 + 3);
}

TEST_F(OdooTest, DoesNotAskAgainWhatWasRefused) {
  odoo_.trouble(3, Trouble::denied);
  const Reading reading = read();
  ASSERT_FALSE(reading.counts.has_value());
  EXPECT_EQ(reading.counts.error().code, ErrorCode::refused);
  EXPECT_EQ(reading.requests, 3);
}

TEST_F(OdooTest, SaysThatTheKeyIsWrong) {
  options_.key = "wrong-key";
  const base::Error error = fails();
  EXPECT_EQ(error.code, ErrorCode::refused);
  EXPECT_EQ(error.detail, "Odoo refuses the user or the key");
}

TEST_F(OdooTest, PassesNothingOnOfWhatOdooSaysAboutItsErrors) {
  odoo_.trouble(6, Trouble::error);
  const base::Error error = fails();
  EXPECT_EQ(error.code, ErrorCode::bad_backend_message);
  EXPECT_EQ(error.detail, "Odoo: it answered an error");
}

TEST_F(OdooTest, RefusesAnAnswerAboveTheLimit) {
  options_.http.answer_bytes_max = 1 << 20;
  odoo_.trouble(6, Trouble::huge);
  const base::Error error = fails();
  EXPECT_EQ(error.code, ErrorCode::bad_backend_message);
  EXPECT_NE(error.detail.find("above the limit"), std::string::npos);
}

TEST_F(OdooTest, RefusesAPageThatIsNotJson) {
  odoo_.trouble(2, Trouble::html);
  EXPECT_EQ(fails().code, ErrorCode::bad_backend_message);
}

TEST_F(OdooTest, RefusesPagesWhoseIdsDoNotGrow) {
  odoo_.trouble(4, Trouble::shuffled);
  EXPECT_EQ(fails().code, ErrorCode::bad_backend_message);
}

TEST_F(OdooTest, RefusesABookThatChangesWhileItIsRead) {
  odoo_.before([&](int) {
    const auto seen = odoo_.seen();
    if (!seen.empty() && seen.back().model == "account.move") {
      for (const int line : {1, 2}) {
        odoo_.set("account.move.line", line, "parent_state", "\"draft\"");
      }
    }
  });
  EXPECT_EQ(fails().code, ErrorCode::conflict);
}

TEST_F(OdooTest, RejectsAmountsThatAreNotWholePesos) {
  odoo_.set("account.move.line", 2, "balance", "-190000.5");
  const Reading reading = read();
  ASSERT_TRUE(reading.counts.has_value());
  EXPECT_EQ(reading.counts->rejected, 1);
  EXPECT_EQ(reading.documents.size(), 24u);
  EXPECT_EQ(reading.findings.count_of("amount_not_whole"), 1);
  EXPECT_EQ(reading.findings.list()[0].place.subject, "move 1 (sale 33 99950100-1 1)");
}

TEST_F(OdooTest, RefusesAnotherCurrencyAndAnUnknownCompany) {
  odoo_.set("res.company", 1, "currency_id", R"([1, "USD"])");
  EXPECT_EQ(fails().code, ErrorCode::bad_input);
  odoo_.set("res.company", 1, "vat", R"("99950101-K")");
  EXPECT_EQ(fails().code, ErrorCode::not_found);
}

TEST_F(OdooTest, WarnsOfACompanyThatRoundsPerLine) {
  odoo_.set("res.company", 1, "tax_calculation_rounding_method", R"("round_per_line")");
  EXPECT_EQ(read().findings.count_of("rounding_per_line"), 1);
}

TEST_F(OdooTest, ReportsLinesThatRoundToAnotherTaxThanTheDocument) {
  odoo_.set("account.move.line", 1, "price_total", "1190003.0");
  const Reading reading = read();
  EXPECT_EQ(reading.findings.count_of("line_rounding"), 1);
  EXPECT_EQ(reading.find("sale 33 99950100-1 1")->parts[0].amount, Pesos{190'000});
}

TEST_F(OdooTest, ReportsLinesThatDoNotAddToTheTotal) {
  odoo_.set("account.move", 1, "amount_total_signed", "1190001.0");
  EXPECT_EQ(read().findings.count_of("lines_differ_from_total"), 1);
}

TEST_F(OdooTest, ReportsAMoveWithoutDocumentType) {
  odoo_.set("account.move", 1, "l10n_latam_document_type_id", "false");
  const Reading reading = read();
  EXPECT_EQ(reading.findings.count_of("no_document_type"), 1);
  EXPECT_EQ(reading.documents.size(), 24u);
}

TEST_F(OdooTest, FindsFeesThatWerePaidInALaterMonth) {
  odoo_.set("account.move", 16, "payment_state", R"("paid")");
  odoo_.add("account.partial.reconcile",
            R"({"id": 5, "company_id": [1, "Empresa A"], "credit_move_id": [49, "BHE 000077"],
                "max_date": "2026-11-10", "amount": 423750.0})");
  const Document* of_october = nullptr;
  const Reading october = read();
  of_october = october.find("purchase 71 39960001-4 77");
  ASSERT_NE(of_october, nullptr);
  EXPECT_EQ(of_october->paid.text(), "2026-11-10");
  const Reading november = read({2026, 11});
  ASSERT_EQ(november.documents.size(), 1u);
  const Document& fee = november.documents[0];
  EXPECT_EQ(fee.paid.text(), "2026-11-10");
  EXPECT_EQ(fee.accounted.text(), "2026-10-31");
  EXPECT_EQ(fee.parts.at(0).amount, Pesos{-76'250});
  EXPECT_TRUE(fee.fee_partner);
}

TEST_F(OdooTest, LeavesAFeeUnpaidThatIsPaidInPart) {
  odoo_.set("account.move", 16, "payment_state", R"("partial")");
  odoo_.add("account.partial.reconcile",
            R"({"id": 5, "company_id": [1, "Empresa A"], "credit_move_id": [49, "BHE 000077"],
                "max_date": "2026-10-31", "amount": 1000.0})");
  const Reading reading = read();
  EXPECT_EQ(reading.findings.count_of("fee_partly_paid"), 1);
  EXPECT_TRUE(reading.find("purchase 71 39960001-4 77")->paid.is_none());
}

TEST_F(OdooTest, KeepsTheBaseOfATaxTooSmallForALine) {
  odoo_.add("account.move.line",
            R"({"id": 950, "move_id": [3, "FNA 000001"], "parent_state": "posted",
                "display_type": "product", "balance": -2.0, "tax_ids": [1], "tax_line_id": false,
                "tax_base_amount": 0.0, "tax_tag_ids": [32], "price_subtotal": 2.0,
                "price_total": 2.0})");
  const Document* small = nullptr;
  const Reading reading = read();
  small = reading.find("sale 34 99950100-1 1");
  ASSERT_NE(small, nullptr);
  EXPECT_EQ(small->net, Pesos{2});
  ASSERT_EQ(small->parts.size(), 1u);
  EXPECT_EQ(small->parts[0].base, Pesos{2});
  EXPECT_EQ(small->parts[0].amount, Pesos{0});
}

// Books against register on random months, held to a plain rule for each key; what must be so of
// every report; a few documents that are hard to pair.
#include "f29svc/reconcile/reconcile.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <tuple>

#include "f29svc/reconcile/report.h"

using namespace f29;

namespace {

constexpr Period kJune{2026, 6};

Document of_month(Section section, int type, uint32_t partner, int64_t folio, int64_t net,
                  int64_t total, int64_t id = 0) {
  Document one;
  one.side = Side::purchase;
  one.section = section;
  one.type = static_cast<uint16_t>(type);
  one.company = Rut{99'999'001};
  one.counterparty = Rut{partner};
  one.folio = folio;
  one.net = Pesos{net};
  one.total = Pesos{total};
  one.accounted = one.issued = {2026, 6, 9};
  one.source_id = id;
  return one;
}

using Status = ReconcileStatus;

// What one key has on both sides, and what that means.
struct Expected {
  std::vector<Document> posted;
  int drafts = 0;
  int cancelled = 0;
  std::optional<Document> registered;

  std::optional<Status> status() const {
    const size_t count = posted.size();
    if (!registered) {
      if (count == 0) return Status::ignored;
      if (count > 1) return Status::duplicate_in_books;
      return kJune.contains(posted[0].accounted) ? Status::missing_in_rcv : Status::ignored;
    }
    if (registered->section == Section::pending) return Status::pending_in_rcv;
    if (registered->section == Section::claimed) return Status::claimed_in_rcv;
    if (count == 0) {
      if (registered->section == Section::not_included) return std::nullopt;
      return Status::missing_in_books;
    }
    if (count > 1) return Status::duplicate_in_books;
    const bool is_same = posted[0].net == registered->net && posted[0].total == registered->total;
    if (!is_same) return Status::amount_diff;
    return kJune.contains(posted[0].accounted) ? Status::match : Status::period_diff;
  }
};

const Reconciled* row_of(const ReconcileReport& report, int type, int64_t folio) {
  for (const Reconciled& one : report.documents()) {
    if (one.key.type == type && one.key.folio == folio) return &one;
  }
  return nullptr;
}

}  // namespace

TEST(Reconcile, GivesEveryKeyOfARandomMonthItsStatus) {
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    std::map<int64_t, Expected> expected;  // by folio: each has one type and one issuer
    std::vector<Document> documents;
    const int64_t keys = static_cast<int64_t>(random() % 60) + 1;
    int64_t id = 0;
    for (int64_t folio = 1; folio <= keys; ++folio) {
      Expected& one = expected[folio];
      const int64_t net = static_cast<int64_t>(random() % 900) + 100;
      const auto partner = static_cast<uint32_t>(99'990'000 + random() % 5);
      const int type = random() % 3 == 0 ? 61 : 33;
      const auto make = [&](Section section, int64_t more) {
        return of_month(section, type, partner, folio, net, net + 19 + more, 0);
      };
      if (random() % 4 != 0) {
        constexpr Section kSections[] = {Section::registered, Section::registered,
                                         Section::registered, Section::pending,
                                         Section::claimed,    Section::not_included};
        one.registered = make(kSections[random() % 6], 0);
        documents.push_back(*one.registered);
      }
      const int moves = static_cast<int>(std::array{0, 1, 1, 1, 1, 2, 3}[random() % 7]);
      for (int i = 0; i < moves || (i == 0 && !one.registered); ++i) {
        Document move = make(Section::books, random() % 5 == 0 ? 3 : 0);
        move.source_id = ++id;
        if (random() % 6 == 0) move.accounted = {2026, 7, 2};
        const uint64_t fate = random() % 8;
        if (fate == 0) move.state = BookState::draft;
        if (fate == 1) move.state = BookState::cancelled;
        one.drafts += fate == 0;
        one.cancelled += fate == 1;
        if (fate > 1) one.posted.push_back(move);
        documents.push_back(move);
      }
    }
    std::shuffle(documents.begin(), documents.end(), random);
    Reconciler reconciler(kJune, 0);
    for (const Document& document : documents) reconciler.add(document);
    const ReconcileReport report = reconciler.run();

    std::map<int64_t, int> rows;
    std::map<int64_t, int> moves;
    int64_t books = 0;
    int64_t reg = 0;
    for (const Reconciled& row : report.documents()) {
      ++rows[row.key.folio];
      const Expected& one = expected.at(row.key.folio);
      EXPECT_EQ(one.status(), row.status) << row.key.folio;
      for (const int64_t move : row.moves) ++moves[move];
    }
    for (const auto& [folio, one] : expected) {
      EXPECT_EQ(rows[folio], one.status() ? 1 : 0) << folio;
      if (!one.status()) continue;
      for (const Document& move : one.posted) {
        EXPECT_EQ(moves[move.source_id], 1);
        books += move.total.value();
      }
      if (one.registered) reg += one.registered->total.value();
    }
    EXPECT_EQ(report.all().books.total, books);
    EXPECT_EQ(report.all().reg.total, reg);
    if (::testing::Test::HasFailure()) return;
  }
}

TEST(Reconcile, IsTheSameReportInWhateverOrderItsDocumentsCome) {
  std::mt19937_64 random(5);
  std::vector<Document> documents;
  for (int i = 1; i <= 200; ++i) {
    const int type = i % 7 == 0 ? 34 : 33;
    documents.push_back(of_month(Section::books, 33, 99'990'001, i, 100, 119, i));
    if (i % 3 != 0)
      documents.push_back(of_month(Section::registered, type, 99'990'001, i, 100, 119));
  }
  std::string first;
  for (int round = 0; round < 4; ++round) {
    Reconciler reconciler(kJune, 0);
    for (const Document& document : documents) reconciler.add(document);
    const std::string digest = digest_of(reconciler.run(), {});
    if (round == 0) first = digest;
    EXPECT_EQ(digest, first);
    std::shuffle(documents.begin(), documents.end(), random);
  }
}

TEST(Reconcile, FindsANoteOverA46WhoseIssuerOnlyTheRegisterKnows) {
  Document note = of_month(Section::registered, 61, 99'990'001, 9, 100, 119);
  note.note_over_46 = true;  // so its issuer is the company
  Reconciler reconciler(kJune, 0);
  reconciler.add(note);
  reconciler.add(of_month(Section::books, 61, 99'990'001, 9, 100, 119, 4));
  const ReconcileReport report = reconciler.run();
  ASSERT_EQ(report.documents().size(), 1u);
  EXPECT_EQ(report.documents()[0].status, Status::match);
  EXPECT_EQ(report.documents()[0].key.issuer, 99'999'001u);
  EXPECT_EQ(report.documents()[0].moves[0], 4);
}

TEST(Reconcile, DoesNotTakeAnInvoiceForTheNoteWithItsFolio) {
  Reconciler reconciler(kJune, 0);
  reconciler.add(of_month(Section::books, 33, 99'990'001, 5, 100, 119, 1));
  reconciler.add(of_month(Section::registered, 61, 99'990'001, 5, 50, 60));
  const ReconcileReport report = reconciler.run();
  EXPECT_EQ(row_of(report, 33, 5)->status, Status::missing_in_rcv);
  EXPECT_EQ(row_of(report, 61, 5)->status, Status::missing_in_books);
}

TEST(Reconcile, PairsEachDocumentOfTheRegisterOnce) {
  Reconciler reconciler(kJune, 0);
  reconciler.add(of_month(Section::registered, 34, 99'990'001, 5, 0, 119));
  reconciler.add(of_month(Section::books, 33, 99'990'001, 5, 0, 119, 1));
  reconciler.add(of_month(Section::books, 56, 99'990'001, 5, 0, 119, 2));
  const ReconcileReport report = reconciler.run();
  EXPECT_EQ(report.of(Status::type_diff).documents, 1);
  EXPECT_EQ(report.of(Status::missing_in_rcv).documents, 1);
}

TEST(Reconcile, ComparesReceiptsByTheirTotalsAndTheSummaryBeforeTheDetail) {
  const auto receipt = [](Section section, int64_t net, int64_t count) {
    Document one = of_month(section, 39, 0, 0, net, net * 119 / 100);
    one.side = Side::sale;
    one.count = count;
    return one;
  };
  Reconciler reconciler(kJune, 0);
  reconciler.add(receipt(Section::registered, 100, 1));  // the daily detail repeats the summary
  reconciler.add(receipt(Section::summary, 300, 7));
  reconciler.add(receipt(Section::books, 100, 1));
  reconciler.add(receipt(Section::books, 200, 1));
  const ReconcileReport report = reconciler.run();
  ASSERT_EQ(report.documents().size(), 1u);
  const Reconciled& row = report.documents()[0];
  EXPECT_EQ(row.status, Status::totals_only);
  EXPECT_EQ(row.count, 7);
  EXPECT_EQ(row.reg.net, 300);
  EXPECT_EQ(row.diff_total(), 0);
}

TEST(Reconcile, SaysWhenAPendingOneIsAccepted) {
  Document pending = of_month(Section::pending, 33, 99'990'001, 9, 100, 119);
  pending.received = {2026, 6, 28};
  Reconciler reconciler(kJune, 0);
  reconciler.add(pending);
  EXPECT_EQ(reconciler.run().documents()[0].accepted_on, (Date{2026, 7, 6})) << "eight days later";
}

TEST(Reconcile, OrdersByTypeIssuerAndFolioWhateverTheirSize) {
  for (const int64_t largest : {int64_t{1} << 36, int64_t{999'999'999'999'999}}) {
    std::mt19937_64 random(9);
    Reconciler reconciler(kJune, 0);
    for (int i = 0; i < 500; ++i) {
      const int type = std::array{33, 34, 61}[random() % 3];
      reconciler.add(of_month(Section::registered, type,
                              static_cast<uint32_t>(1 + random() % 99'999'999),
                              static_cast<int64_t>(random() % largest) + 1, 1, 1));
    }
    const ReconcileReport report = reconciler.run();
    ASSERT_EQ(report.documents().size(), 500u);
    for (size_t i = 1; i < report.documents().size(); ++i) {
      const DocumentKey& a = report.documents()[i - 1].key;
      const DocumentKey& b = report.documents()[i].key;
      EXPECT_LT(std::tie(a.type, a.issuer, a.folio), std::tie(b.type, b.issuer, b.folio));
    }
  }
}

TEST(Reconcile, OfNothingIsAnEmptyReport) {
  Reconciler reconciler(kJune, 0);
  const ReconcileReport report = reconciler.run();
  EXPECT_TRUE(report.documents().empty());
  EXPECT_EQ(report.all().documents, 0);
}

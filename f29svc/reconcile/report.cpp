#include "f29svc/reconcile/report.h"

#include "f29svc/exports/writers.h"
#include "proxy/base/mac.h"

namespace f29 {

namespace {

void write_amounts(JsonWriter& json, std::string_view name, const Amounts& amounts, bool is_there) {
  json.key(name);
  if (!is_there) {
    json.null();
    return;
  }
  json.open('{');
  json.member("net", amounts.net);
  json.member("exempt", amounts.exempt);
  json.member("tax", amounts.tax());
  json.member("total", amounts.total);
  json.close('}');
}

void write_sums(JsonWriter& json, const ReconcileTotals& totals) {
  json.member("documents", totals.documents);
  write_amounts(json, "books", totals.books, true);
  write_amounts(json, "register", totals.reg, true);
  json.member("diff_total", totals.diff_total());
  json.member("diff_tax", totals.diff_tax());
}

bool is_totals(const Reconciled& one) { return one.status == ReconcileStatus::totals_only; }

struct Advice {
  ReconcileStatus status;
  std::string_view what;
  std::string_view advice;
};
constexpr Advice kAdvice[] = {
    {ReconcileStatus::amount_diff, "differ in an amount",
     "the register holds: correct the books, or ask the issuer for a note"},
    {ReconcileStatus::type_diff, "stand in the books under another type",
     "correct the document type in the books"},
    {ReconcileStatus::period_diff, "are booked in another month",
     "the register decides the period: move the accounting date, or accept the difference"},
    {ReconcileStatus::duplicate_in_books, "are posted more than once", "cancel the copies"},
    {ReconcileStatus::missing_in_books, "are in the register and not posted in the books",
     "book them, or claim them if they are not yours"},
    {ReconcileStatus::missing_in_rcv, "are in the books and not in the register",
     "ask the issuer whether it was sent; without the register there is no credit"},
    {ReconcileStatus::pending_in_rcv, "wait to be accepted",
     "accept or claim them; there is no credit before"},
    {ReconcileStatus::claimed_in_rcv, "were claimed", "take them out of the books' credit"},
};

}  // namespace

void StatusTotals::add(const Reconciled& one) {
  all.add(one);
  by_status[static_cast<size_t>(one.status)].add(one);
}

StatusTotals totals_of(const ReconcileReport& report) {
  StatusTotals totals;
  for (const Reconciled& one : report.documents()) totals.add(one);
  return totals;
}

void write_reconciled(JsonWriter& json, const Reconciled& one, Period period) {
  json.open('{');
  json.member("side", side_text(one.key.side));
  json.member("type", static_cast<int>(one.key.type));
  json.member("issuer", Rut{one.key.issuer}.text());
  json.key("folio");
  if (is_totals(one)) {
    json.null();
  } else {
    json.number(one.key.folio);
  }
  json.member("status", status_text(one.status));
  json.key("moves");
  json.open('[');
  for (const int64_t move : one.moves) json.number(move);
  json.close(']');
  json.member("diff_total", one.diff_total());
  json.member("diff_tax", one.diff_tax());
  json.member("type_text", type_text(one.key.type));
  if (!one.counterparty.is_empty()) json.member("counterparty", one.counterparty.text());
  if (!one.name.empty()) json.member("name", one.name);
  if (one.is_manual) json.member("manual", true);
  if (one.field != AmountField::none) json.member("field", field_text(one.field));
  if (one.in_books && one.books_type != 0 && one.books_type != one.key.type) {
    json.member("books_type", static_cast<int>(one.books_type));
  }
  if (one.in_books && !one.books_date.is_none() && !period.contains(one.books_date)) {
    json.member("books_period", Period::of(one.books_date).text());
  }
  if (!one.accepted_on.is_none()) json.member("accepted_on", one.accepted_on.text());
  if (one.tax_at_risk() != 0) json.member("tax_at_risk", one.tax_at_risk());
  if (one.count != 1 || is_totals(one)) json.member("count", one.count);
  if (one.note != ReconcileNote::none) json.member("note", note_text(one.note));
  write_amounts(json, "books", one.books, one.in_books);
  write_amounts(json, "register", one.reg, one.in_register);
  json.close('}');
}

void write_totals(JsonWriter& json, const StatusTotals& totals) {
  json.open('{');
  write_sums(json, totals.all);
  json.key("by_status");
  json.open('{');
  for (int i = 0; i < kReconcileStatuses; ++i) {
    if (totals.by_status[i].documents == 0) continue;
    json.key(status_text(static_cast<ReconcileStatus>(i)));
    json.open('{');
    write_sums(json, totals.by_status[i]);
    json.close('}');
  }
  json.close('}');
  json.close('}');
}

void write_ledger(JsonWriter& json, const std::optional<LedgerCheck>& ledger) {
  json.key("ledger");
  if (!ledger) {
    json.null();
    return;
  }
  const int64_t difference = ledger->difference().value();
  json.open('{');
  json.member("balance", ledger->balance.value());
  json.member("box_504", ledger->box_504.value());
  json.member("difference", difference);
  json.key("proposal");
  json.open('[');
  const auto entry = [&](std::string_view account, int64_t debit) {
    json.open('{');
    json.member("account", account);
    json.member("debit", debit > 0 ? debit : 0);
    json.member("credit", debit < 0 ? -debit : 0);
    json.close('}');
  };
  if (difference != 0) {
    entry("110720 remanente de crédito fiscal", difference);
    entry("reajuste del remanente (resultado)", -difference);
  }
  json.close(']');
  json.close('}');
}

void write_reconciled_head(std::ostream& csv) {
  csv << "side;type;issuer;folio;status;counterparty;name;books_net;books_exempt;books_tax;"
         "books_total;register_net;register_exempt;register_tax;register_total;diff_total;"
         "diff_tax;field;accepted_on;moves;note\r\n";
}

void write_reconciled_row(std::ostream& csv, const Reconciled& one) {
  csv << side_text(one.key.side) << ';' << one.key.type << ';' << Rut{one.key.issuer}.text() << ';';
  if (!is_totals(one)) csv << one.key.folio;
  csv << ';' << status_text(one.status) << ';' << one.counterparty.text() << ';'
      << csv_cell(one.name) << ';';
  const auto amounts = [&](const Amounts& some, bool is_there) {
    if (is_there) {
      csv << some.net << ';' << some.exempt << ';' << some.tax() << ';' << some.total << ';';
    } else {
      csv << ";;;;";
    }
  };
  amounts(one.books, one.in_books);
  amounts(one.reg, one.in_register);
  csv << one.diff_total() << ';' << one.diff_tax() << ';' << field_text(one.field) << ';'
      << one.accepted_on.text() << ';';
  for (size_t i = 0; i < one.moves.size(); ++i) csv << (i == 0 ? "" : " ") << one.moves[i];
  csv << ';' << note_text(one.note) << "\r\n";
}

void add_status_findings(const StatusTotals& totals, const std::optional<LedgerCheck>& ledger,
                         Findings& findings) {
  for (const Advice& one : kAdvice) {
    const ReconcileTotals& some = totals.by_status[static_cast<size_t>(one.status)];
    if (some.documents == 0) continue;
    Place place;
    place.subject = "reconciliation";
    findings.add(status_text(one.status), Severity::warning, place,
                 std::to_string(some.documents) + " documents " + std::string(one.what) +
                     ", difference " + std::to_string(some.diff_total()) + ", of it tax " +
                     std::to_string(some.diff_tax()),
                 std::string(one.advice));
  }
  if (!ledger || ledger->difference() == Pesos{}) return;
  Place place;
  place.subject = "box 504";
  findings.add("remanente_adjustment", Severity::note, place,
               "remanente_adjustment " + std::to_string(ledger->difference().value()) +
                   ": the ledger has " + std::to_string(ledger->balance.value()) + ", box 504 " +
                   std::to_string(ledger->box_504.value()),
               "book the readjustment; no box changes");
}

void report_findings(const ReconcileReport& report, const std::optional<LedgerCheck>& ledger,
                     Findings& findings) {
  for (const Side side : {Side::purchase, Side::sale}) {
    if (report.has_register(side) == report.has_books(side)) continue;
    const bool lacks_register = report.has_books(side);
    Place place;
    place.subject = std::string(side_text(side));
    findings.add(
        lacks_register ? "no_register" : "no_books", Severity::warning, place,
        lacks_register ? "there is no register of this side" : "there are no books of this side",
        lacks_register ? "give the register's files" : "give the books");
  }
  add_status_findings(totals_of(report), ledger, findings);
}

std::string digest_of(const ReconcileReport& report, const std::optional<LedgerCheck>& ledger) {
  std::string text;
  const auto add = [&](int64_t number) { (text += std::to_string(number)) += ','; };
  if (ledger) add(ledger->balance.value()), add(ledger->box_504.value());
  for (const Reconciled& one : report.documents()) {
    text += '\n';
    add(static_cast<int64_t>(one.key.side));
    add(one.key.type);
    add(one.key.issuer);
    add(one.key.folio);
    add(static_cast<int64_t>(one.status));
    add(static_cast<int64_t>(one.note));
    for (const Amounts& some : {one.books, one.reg})
      add(some.net), add(some.exempt), add(some.total);
    add(one.count);
    for (const int64_t move : one.moves) add(move);
    text += one.accepted_on.text() + one.books_date.text();
    text += one.name;
  }
  return base::sha256_hex(text);
}

}  // namespace f29

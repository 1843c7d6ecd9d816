#include "f29svc/reconcile/reconcile.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <tuple>

#include "f29svc/domain/return.h"
#include "f29svc/reconcile/groups.h"
#include "f29svc/reconcile/row_rank.h"

namespace f29 {

namespace {

Amounts amounts_of(const Document& document) {
  const int64_t net = document.net.value();
  const int64_t exempt = document.exempt.value();
  return {net, exempt,
          document.has_total ? document.total.value() : net + exempt + document.vat().value()};
}

AmountField largest_difference(const Amounts& a, const Amounts& b) {
  const int64_t net = std::abs(a.net - b.net);
  const int64_t exempt = std::abs(a.exempt - b.exempt);
  const int64_t tax = std::abs(a.tax() - b.tax());
  const int64_t total = std::abs(a.total - b.total);
  if (net == 0 && exempt == 0 && tax == 0 && total == 0) return AmountField::none;
  if (tax >= net && tax >= exempt) return AmountField::tax;
  return net >= exempt ? AmountField::net : AmountField::exempt;
}

bool is_within(const Amounts& a, const Amounts& b, int64_t tolerance) {
  return std::abs(a.net - b.net) <= tolerance && std::abs(a.exempt - b.exempt) <= tolerance &&
         std::abs(a.tax() - b.tax()) <= tolerance && std::abs(a.total - b.total) <= tolerance;
}

// Of two sections of one key the stronger holds.
int strength(Section section) {
  switch (section) {
    case Section::registered:
      return 3;
    case Section::not_included:
      return 2;
    case Section::claimed:
      return 1;
    default:
      return 0;
  }
}

// The register and the books write the same document under other keys: another type, or a note
// over a 46 whose issuer only the register knows.
struct Likeness {
  uint32_t counterparty = 0;
  Side side = Side::sale;
  int64_t folio = 0;
  friend auto operator<=>(const Likeness&, const Likeness&) = default;
};

}  // namespace

struct ReconcileReport::Memory {
  BigArray<Reconciled> rows;
  std::string names;
  std::vector<int64_t> moves;
};
ReconcileReport::ReconcileReport() = default;
ReconcileReport::~ReconcileReport() = default;
ReconcileReport::ReconcileReport(ReconcileReport&&) noexcept = default;
ReconcileReport& ReconcileReport::operator=(ReconcileReport&&) noexcept = default;

ReconcileTotals ReconcileReport::all() const {
  ReconcileTotals sum;
  for (const Reconciled& one : documents_) sum.add(one);
  return sum;
}

struct Reconciler::Work {
  struct TypeTotals {
    Reconciled books;
    Reconciled summary;
    Reconciled detail;  // the register's own rows, which a summary repeats
    std::vector<int64_t> moves;
    uint32_t issuer = 0;  // of sales: the company
  };

  Period period;
  int64_t tolerance = 0;
  ChunkList<Entry> entries;
  std::vector<uint32_t> next;  // by entry: another one of the same key and kind
  std::unique_ptr<Groups> groups;
  std::map<std::pair<Side, uint16_t>, TypeTotals> receipts;
  ReconcileReport report;
  BigArray<Reconciled> rows;  // as they were judged
  size_t row_count = 0;
  struct KeptName {
    uint32_t at = 0;
    uint32_t size = 0;
  };
  std::vector<KeptName> kept_names = std::vector<KeptName>(1 << 14);  // by counterparty

  void add(const Document& document);
  void add_receipt(const Document& document);
  void put_name(const Document& document, Entry& entry);
  void group_all();
  void pair_up();
  std::vector<RowRank> ranked() const;
  void put_in_order();
  void judge(const Group& group);
  bool judge_registered(const Entry& reg, Reconciled& one, int posted);
  void judge_booked(const Group& group, Reconciled& one, int posted);
  void add_totals(std::pair<Side, uint16_t> key, const TypeTotals& totals);
  Reconciled begin(const Entry& entry) const;
  // Fills the books' side; how many are posted (additions apart).
  int take_books(const Group& group, Reconciled& one);
  void take_register(const Entry& reg, Reconciled& one) const;
  void compare(Reconciled& one, int posted);
  // Needs: its moves, from `first` on, are the last ones.
  void push(Reconciled& one, size_t first);
};

void Reconciler::Work::add_receipt(const Document& document) {
  TypeTotals& totals = receipts[{document.side, document.type}];
  const bool is_book = document.section == Section::books || document.section == Section::manual;
  if (document.state != BookState::posted) return;
  if (is_book) {
    const Date date = document.accounted.is_none() ? document.issued : document.accounted;
    if (!date.is_none() && !period.contains(date)) return;
  }
  Reconciled& to = is_book                                ? totals.books
                   : document.section == Section::summary ? totals.summary
                                                          : totals.detail;
  to.count += to.in_books ? document.count : document.count - 1;
  to.in_books = true;  // there is one
  if (document.side == Side::sale) totals.issuer = document.issuer().number();
  const Amounts amounts = amounts_of(document);
  to.books.net += amounts.net;
  to.books.exempt += amounts.exempt;
  to.books.total += amounts.total;
  constexpr size_t kMovesMost = 1'000;
  if (is_book && document.source_id != 0 && totals.moves.size() < kMovesMost) {
    totals.moves.push_back(document.source_id);
  }
}

void Reconciler::Work::add(const Document& document) {
  const bool is_book = document.section == Section::books || document.section == Section::manual;
  const auto side = static_cast<size_t>(document.side);
  (is_book ? report.has_books_ : report.has_register_)[side] = true;
  if (is_receipt(document.type)) {
    add_receipt(document);
    return;
  }
  if (document.section == Section::summary) return;  // its documents come one by one
  Entry entry;
  entry.key = key_of(document);
  entry.amounts = amounts_of(document);
  entry.id = document.source_id;
  put_name(document, entry);
  entry.counterparty = document.counterparty.number();
  entry.section = document.section;
  entry.state = document.state;
  if (is_book) {
    entry.accounted = document.accounted.is_none() ? document.issued : document.accounted;
  } else if (document.section == Section::pending) {
    entry.accounted = acceptance_date(document);
  }
  entries.push(entry);
}

// A supplier's documents mostly have the same name: it is kept once.
void Reconciler::Work::put_name(const Document& document, Entry& entry) {
  std::string& names = report.memory_->names;
  KeptName& kept = kept_names[document.counterparty.number() % kept_names.size()];
  if (std::string_view(names).substr(kept.at, kept.size) != document.name) {
    kept = {static_cast<uint32_t>(names.size()), static_cast<uint32_t>(document.name.size())};
    names += document.name;
  }
  entry.name_at = kept.at;
  entry.name_size = kept.size;
}

// Every lookup is a miss of the cache: its slot is asked for ahead of its use.
void Reconciler::Work::group_all() {
  constexpr size_t kAhead = 16;
  const size_t count = entries.size();
  groups = std::make_unique<Groups>(count);
  next.assign(count, kNone);
  for (size_t i = 0; i < std::min(count, kAhead); ++i) groups->prefetch(hash_of(entries[i].key));
  for (size_t i = 0; i < count; ++i) {
    if (i + kAhead < count) groups->prefetch(hash_of(entries[i + kAhead].key));
    const Entry& entry = entries[i];
    Group& group = groups->of(entry.key, hash_of(entry.key), entries);
    const bool is_book = entry.section == Section::books || entry.section == Section::manual;
    if (is_book) {
      next[i] = std::exchange(group.book, static_cast<uint32_t>(i));
      group.has_posted = group.has_posted || entry.state == BookState::posted;
    } else if (group.reg == kNone ||
               strength(entry.section) > strength(entries[group.reg].section)) {
      group.reg = static_cast<uint32_t>(i);
    }
  }
}

Reconciled Reconciler::Work::begin(const Entry& entry) const {
  Reconciled one;
  one.key = entry.key;
  one.counterparty = Rut{entry.counterparty};
  one.name = std::string_view(report.memory_->names).substr(entry.name_at, entry.name_size);
  return one;
}

int Reconciler::Work::take_books(const Group& group, Reconciled& one) {
  int posted = 0;
  bool has_draft = false;
  bool has_cancelled = false;
  const Entry* manual = nullptr;
  const size_t first = report.memory_->moves.size();
  for (uint32_t i = group.book; i != kNone; i = next[i]) {
    const Entry& entry = entries[i];
    if (entry.section == Section::manual) {
      manual = &entry;
      continue;
    }
    has_draft = has_draft || entry.state == BookState::draft;
    has_cancelled = has_cancelled || entry.state == BookState::cancelled;
    if (entry.state != BookState::posted) continue;
    ++posted;
    one.books.net += entry.amounts.net;
    one.books.exempt += entry.amounts.exempt;
    one.books.total += entry.amounts.total;
    one.books_type = entry.key.type;
    if (one.books_date.is_none() || period.contains(one.books_date)) {
      one.books_date = entry.accounted;
    }
    if (entry.id != 0) report.memory_->moves.push_back(entry.id);
  }
  if (manual != nullptr && posted == 0) {
    one.books = manual->amounts;
    one.books_type = manual->key.type;
    one.books_date = manual->accounted;
  }
  one.is_manual = manual != nullptr;
  one.in_books = posted > 0 || manual != nullptr;
  if (!one.in_books) {
    one.note = has_cancelled ? ReconcileNote::cancelled_in_books
               : has_draft   ? ReconcileNote::only_a_draft
                             : ReconcileNote::none;
  }
  auto& moves = report.memory_->moves;
  std::sort(moves.begin() + static_cast<ptrdiff_t>(first), moves.end());
  return posted;
}

void Reconciler::Work::take_register(const Entry& reg, Reconciled& one) const {
  one.in_register = true;
  one.reg = reg.amounts;
  if (reg.section == Section::pending) one.accepted_on = reg.accounted;
  if (one.name.empty()) {
    one.name = std::string_view(report.memory_->names).substr(reg.name_at, reg.name_size);
  }
}

// Needs: both sides are there.
void Reconciler::Work::compare(Reconciled& one, int posted) {
  using enum ReconcileStatus;
  one.field = largest_difference(one.books, one.reg);
  const bool is_elsewhere =
      posted > 0 && !one.books_date.is_none() && !period.contains(one.books_date);
  if (one.is_manual) one.note = ReconcileNote::manual_too;
  if (posted > 1) {
    one.status = duplicate_in_books;
  } else if (!is_within(one.books, one.reg, tolerance)) {
    one.status = amount_diff;
    if (is_elsewhere) one.note = ReconcileNote::other_period_too;
  } else if (is_elsewhere) {
    one.status = period_diff;
  } else {
    one.status = match;
    if (one.field != AmountField::none) one.note = ReconcileNote::within_tolerance;
  }
}

// What stands on one side only may still be one document: then the register's group gets the
// books' chain.
void Reconciler::Work::pair_up() {
  std::vector<Group>& list = groups->list();
  std::vector<uint32_t> lonely_books;
  std::multimap<Likeness, uint32_t> by_likeness;
  for (uint32_t i = 0; i < list.size(); ++i) {
    if (list[i].reg == kNone) {
      if (list[i].has_posted) lonely_books.push_back(i);
      continue;
    }
    if (list[i].has_posted) continue;
    const Entry& reg = entries[list[i].reg];
    if (strength(reg.section) < strength(Section::not_included)) continue;
    by_likeness.emplace(Likeness{reg.counterparty, reg.key.side, reg.key.folio}, i);
  }
  for (const uint32_t index : lonely_books) {
    uint32_t at = list[index].book;
    while (entries[at].state != BookState::posted) at = next[at];
    const Entry& book = entries[at];
    if (!is_register_type(book.key.type)) continue;
    auto found = by_likeness.end();
    auto [from, to] =
        by_likeness.equal_range(Likeness{book.counterparty, book.key.side, book.key.folio});
    for (; from != to; ++from) {
      const Entry& reg = entries[list[from->second].reg];
      const bool is_same_type = reg.key.type == book.key.type;
      if (!is_same_type && reg.amounts.total != book.amounts.total) continue;
      if (found == by_likeness.end() || is_same_type) found = from;
    }
    if (found == by_likeness.end()) continue;
    list[found->second].book = std::exchange(list[index].book, kNone);
    by_likeness.erase(found);
  }
}

void Reconciler::Work::judge(const Group& group) {
  if (group.reg == kNone && group.book == kNone) return;  // it was paired
  Reconciled one = begin(entries[group.reg != kNone ? group.reg : group.book]);
  const size_t first = report.memory_->moves.size();
  const int posted = take_books(group, one);
  if (group.reg != kNone) {
    if (!judge_registered(entries[group.reg], one, posted)) return;
  } else {
    judge_booked(group, one, posted);
  }
  push(one, first);
}

// False: not judged.
bool Reconciler::Work::judge_registered(const Entry& reg, Reconciled& one, int posted) {
  using enum ReconcileStatus;
  take_register(reg, one);
  if (reg.section == Section::pending || reg.section == Section::claimed) {
    one.status = reg.section == Section::pending ? pending_in_rcv : claimed_in_rcv;
    one.field = one.in_books ? largest_difference(one.books, one.reg) : AmountField::none;
  } else if (one.in_books) {
    compare(one, posted);
    if (one.books_type != one.key.type) one.status = type_diff;
  } else {
    if (reg.section == Section::not_included) return false;
    one.status = missing_in_books;
  }
  return true;
}

void Reconciler::Work::judge_booked(const Group& group, Reconciled& one, int posted) {
  using enum ReconcileStatus;
  if (!one.in_books) {
    one.status = ignored;
    auto& moves = report.memory_->moves;
    const auto first = static_cast<ptrdiff_t>(moves.size());
    for (uint32_t i = group.book; i != kNone; i = next[i]) {
      if (entries[i].id != 0) moves.push_back(entries[i].id);
    }
    std::sort(moves.begin() + first, moves.end());
  } else if (!is_register_type(one.key.type)) {
    one.status = not_an_rcv_document;
  } else if (posted > 1) {
    one.status = duplicate_in_books;
  } else if (posted == 1 && !one.books_date.is_none() && !period.contains(one.books_date)) {
    one.status = ignored;
    one.note = ReconcileNote::other_month;
  } else {
    one.status = missing_in_rcv;
    if (one.is_manual) one.note = ReconcileNote::manual;
  }
}

void Reconciler::Work::push(Reconciled& one, size_t first) {
  one.moves = std::span<const int64_t>(report.memory_->moves).subspan(first);
  report.by_status_[static_cast<size_t>(one.status)].add(one);
  rows[row_count++] = one;
}

void Reconciler::Work::add_totals(std::pair<Side, uint16_t> key, const TypeTotals& totals) {
  const Reconciled& reg = totals.summary.in_books ? totals.summary : totals.detail;
  if (!reg.in_books && !totals.books.in_books) return;
  Reconciled one;
  one.key.side = key.first;
  one.key.type = key.second;
  one.key.issuer = totals.issuer;
  one.status = ReconcileStatus::totals_only;
  one.in_books = totals.books.in_books;
  one.in_register = reg.in_books;
  one.books = totals.books.books;
  one.reg = reg.books;
  one.count = one.in_register ? reg.count : totals.books.count;
  one.field = largest_difference(one.books, one.reg);
  const size_t first = report.memory_->moves.size();
  report.memory_->moves.insert(report.memory_->moves.end(), totals.moves.begin(),
                               totals.moves.end());
  push(one, first);
}

// By side, totals last, type, issuer and folio: small keys, since the rows themselves are large.
std::vector<RowRank> Reconciler::Work::ranked() const {
  constexpr int kFolioBits = 37;  // and 27 for a RUT
  bool fits = true;
  std::vector<RowRank> ranks(row_count);
  for (uint32_t i = 0; i < row_count; ++i) {
    const DocumentKey& key = rows[i].key;
    const bool is_total = rows[i].status == ReconcileStatus::totals_only;
    fits = fits && key.folio >> kFolioBits == 0 && key.issuer >> (64 - kFolioBits) == 0;
    ranks[i] = {uint64_t{key.issuer} << kFolioBits | static_cast<uint64_t>(key.folio), i,
                static_cast<uint16_t>(uint32_t{key.side == Side::sale} << 11 |
                                      uint32_t{is_total} << 10 | key.type)};
  }
  if (fits) {
    sort_ranks(ranks);
    return ranks;
  }
  std::sort(ranks.begin(), ranks.end(), [this](const RowRank& a, const RowRank& b) {
    const DocumentKey& x = rows[a.index].key;
    const DocumentKey& y = rows[b.index].key;
    return std::tie(a.major, x.issuer, x.folio, a.index) <
           std::tie(b.major, y.issuer, y.folio, b.index);
  });
  return ranks;
}

// Judged as they came, which is near each other in memory, and put into order once at the end.
void Reconciler::Work::put_in_order() {
  const std::vector<RowRank> ranks = ranked();
  BigArray<Reconciled> sorted(row_count);
  constexpr size_t kAhead = 16;
  for (size_t i = 0; i < row_count; ++i) {
    if (i + kAhead < row_count) {
      const char* ahead = reinterpret_cast<const char*>(&rows[ranks[i + kAhead].index]);
      __builtin_prefetch(ahead);
      __builtin_prefetch(ahead + 64);
    }
    sorted[i] = rows[ranks[i].index];
  }
  report.memory_->rows = std::move(sorted);
}

Reconciler::Reconciler(Period period, int64_t tolerance) : work_(std::make_unique<Work>()) {
  work_->period = period;
  work_->tolerance = tolerance;
  work_->report.memory_ = std::make_unique<ReconcileReport::Memory>();
}
Reconciler::~Reconciler() = default;

void Reconciler::add(const Document& document) { work_->add(document); }

ReconcileReport Reconciler::run() {
  Work& work = *work_;
  ReconcileReport::Memory& memory = *work.report.memory_;
  work.group_all();
  work.pair_up();
  work.rows = BigArray<Reconciled>(work.groups->list().size() + work.receipts.size());
  size_t moves_most = work.entries.size();
  for (const auto& [key, totals] : work.receipts) moves_most += totals.moves.size();
  memory.moves.reserve(moves_most);  // so that the rows' views of it stay
  for (const Group& group : work.groups->list()) work.judge(group);
  for (const auto& [key, totals] : work.receipts) work.add_totals(key, totals);
  work.put_in_order();
  work.report.documents_ = {work.row_count == 0 ? nullptr : &memory.rows[0], work.row_count};
  return std::move(work.report);
}

}  // namespace f29

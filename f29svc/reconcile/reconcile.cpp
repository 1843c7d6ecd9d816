#include "f29svc/reconcile/reconcile.h"

#include <algorithm>
#include <cstdlib>
#include <map>

#include "f29svc/domain/return.h"
#include "f29svc/reconcile/groups.h"

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
  std::vector<uint32_t> lonely_books;  // groups without a register
  std::vector<uint32_t> lonely_register;
  BigArray<Reconciled> rows;  // as they were judged
  size_t row_count = 0;
  std::vector<uint32_t> first_move;  // by row

  void add(const Document& document);
  void add_receipt(const Document& document);
  void group_all();
  void judge(const Group& group, uint32_t index);
  Reconciled begin(const Entry& entry) const;
  // Fills the books' side; how many are posted (additions apart).
  int take_books(const Group& group, Reconciled& one);
  void take_register(const Entry& reg, Reconciled& one) const;
  void compare(Reconciled& one, int posted);
  void pair_up();
  void judge_lonely();
  void add_totals();
  // Needs: its moves, from `first` on, are the last ones.
  void push(const Reconciled& one, size_t first);
  void finish();
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
  std::string& names = report.memory_->names;
  entry.name_at = names.size();
  entry.name_size = static_cast<uint32_t>(document.name.size());
  names += document.name;
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
    uint32_t& head = is_book ? group.book : group.reg;
    next[i] = head;
    head = static_cast<uint32_t>(i);
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

void Reconciler::Work::push(const Reconciled& one, size_t first) {
  first_move.push_back(static_cast<uint32_t>(first));
  rows[row_count++] = one;
}

void Reconciler::Work::judge(const Group& group, uint32_t index) {
  using enum ReconcileStatus;
  if (group.reg == kNone) {
    lonely_books.push_back(index);
    return;
  }
  uint32_t strongest = group.reg;
  for (uint32_t i = next[group.reg]; i != kNone; i = next[i]) {
    if (strength(entries[i].section) > strength(entries[strongest].section)) strongest = i;
  }
  const Entry& reg = entries[strongest];
  bool has_posted = false;
  for (uint32_t i = group.book; i != kNone; i = next[i]) {
    has_posted = has_posted || entries[i].state == BookState::posted;
  }
  if (!has_posted && strength(reg.section) >= strength(Section::not_included)) {
    lonely_register.push_back(index);
    return;
  }
  Reconciled one = begin(reg);
  const size_t first = report.memory_->moves.size();
  const int posted = take_books(group, one);
  take_register(reg, one);
  if (reg.section == Section::pending || reg.section == Section::claimed) {
    one.status = reg.section == Section::pending ? pending_in_rcv : claimed_in_rcv;
    one.field = one.in_books ? largest_difference(one.books, one.reg) : AmountField::none;
  } else {
    compare(one, posted);
  }
  push(one, first);
}

// What is left on each side may still be one document.
void Reconciler::Work::pair_up() {
  using enum ReconcileStatus;
  if (lonely_books.empty() || lonely_register.empty()) return;
  std::multimap<Likeness, uint32_t> by_likeness;
  for (const uint32_t index : lonely_register) {
    const Entry& reg = entries[groups->list()[index].reg];
    by_likeness.emplace(Likeness{reg.counterparty, reg.key.side, reg.key.folio}, index);
  }
  std::vector<uint32_t> still_lonely;
  std::vector<uint32_t> paired;
  for (const uint32_t index : lonely_books) {
    const Group& group = groups->list()[index];
    const Entry* book = nullptr;
    for (uint32_t i = group.book; i != kNone; i = next[i]) {
      if (entries[i].state == BookState::posted) book = &entries[i];
    }
    auto found = by_likeness.end();
    if (book != nullptr && is_register_type(book->key.type)) {
      auto [from, to] =
          by_likeness.equal_range(Likeness{book->counterparty, book->key.side, book->key.folio});
      for (; from != to; ++from) {
        const Entry& reg = entries[groups->list()[from->second].reg];
        const bool is_same =
            reg.key.type == book->key.type || reg.amounts.total == book->amounts.total;
        if (is_same && (found == by_likeness.end() || reg.key.type == book->key.type)) found = from;
      }
    }
    if (found == by_likeness.end()) {
      still_lonely.push_back(index);
      continue;
    }
    const Entry& reg = entries[groups->list()[found->second].reg];
    Reconciled one = begin(reg);
    const size_t first = report.memory_->moves.size();
    const int posted = take_books(group, one);
    take_register(reg, one);
    compare(one, posted);
    if (reg.key.type != book->key.type) one.status = type_diff;
    push(one, first);
    paired.push_back(found->second);
    by_likeness.erase(found);
  }
  std::sort(paired.begin(), paired.end());
  std::erase_if(lonely_register, [&](uint32_t index) {
    return std::binary_search(paired.begin(), paired.end(), index);
  });
  lonely_books = std::move(still_lonely);
}

void Reconciler::Work::judge_lonely() {
  using enum ReconcileStatus;
  for (const uint32_t index : lonely_register) {
    const Group& group = groups->list()[index];
    uint32_t strongest = group.reg;
    for (uint32_t i = group.reg; i != kNone; i = next[i]) {
      if (strength(entries[i].section) > strength(entries[strongest].section)) strongest = i;
    }
    if (entries[strongest].section == Section::not_included) continue;  // not judged
    Reconciled one = begin(entries[strongest]);
    const size_t first = report.memory_->moves.size();
    take_books(group, one);
    take_register(entries[strongest], one);
    one.status = missing_in_books;
    push(one, first);
  }
  for (const uint32_t index : lonely_books) {
    const Group& group = groups->list()[index];
    Reconciled one = begin(entries[group.book]);
    const size_t first = report.memory_->moves.size();
    const int posted = take_books(group, one);
    if (!one.in_books) {
      one.status = ignored;
      for (uint32_t i = group.book; i != kNone; i = next[i]) {
        if (entries[i].id != 0) report.memory_->moves.push_back(entries[i].id);
      }
      std::sort(report.memory_->moves.begin() + static_cast<ptrdiff_t>(first),
                report.memory_->moves.end());
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
    push(one, first);
  }
}

void Reconciler::Work::add_totals() {
  for (auto& [key, totals] : receipts) {
    const Reconciled& reg = totals.summary.in_books ? totals.summary : totals.detail;
    if (!reg.in_books && !totals.books.in_books) continue;
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
}

void Reconciler::Work::finish() {
  // Sorted by small keys: the rows themselves are large.
  struct Rank {
    uint64_t major = 0;
    int64_t folio = 0;
    uint32_t index = 0;
  };
  std::vector<Rank> ranks(row_count);
  for (uint32_t i = 0; i < row_count; ++i) {
    const Reconciled& one = rows[i];
    const bool is_total = one.status == ReconcileStatus::totals_only;
    ranks[i] = {uint64_t{one.key.side == Side::sale} << 45 | uint64_t{is_total} << 44 |
                    uint64_t{one.key.type} << 32 | one.key.issuer,
                one.key.folio, i};
  }
  std::sort(ranks.begin(), ranks.end(), [](const Rank& a, const Rank& b) {
    return a.major != b.major ? a.major < b.major : a.folio < b.folio;
  });
  const std::vector<int64_t>& moves = report.memory_->moves;
  first_move.push_back(static_cast<uint32_t>(moves.size()));
  BigArray<Reconciled> sorted(row_count);
  constexpr size_t kAhead = 8;
  for (size_t i = 0; i < row_count; ++i) {
    if (i + kAhead < row_count) __builtin_prefetch(&rows[ranks[i + kAhead].index]);
    const uint32_t from = ranks[i].index;
    Reconciled& one = sorted[i];
    one = rows[from];
    one.moves = std::span(moves).subspan(first_move[from], first_move[from + 1] - first_move[from]);
    report.by_status_[static_cast<size_t>(one.status)].add(one);
  }
  report.memory_->rows = std::move(sorted);
  report.documents_ = {row_count == 0 ? nullptr : &report.memory_->rows[0], row_count};
}

Reconciler::Reconciler(Period period, int64_t tolerance) : work_(std::make_unique<Work>()) {
  work_->period = period;
  work_->tolerance = tolerance;
  work_->report.memory_ = std::make_unique<ReconcileReport::Memory>();
}
Reconciler::~Reconciler() = default;

void Reconciler::add(const Document& document) { work_->add(document); }

ReconcileReport Reconciler::run() {
  work_->group_all();
  const std::vector<Group>& groups = work_->groups->list();
  const size_t rows_most = groups.size() + work_->receipts.size();
  work_->rows = BigArray<Reconciled>(rows_most);
  work_->first_move.reserve(rows_most + 1);
  for (uint32_t i = 0; i < groups.size(); ++i) work_->judge(groups[i], i);
  work_->pair_up();
  work_->judge_lonely();
  work_->add_totals();
  work_->finish();
  return std::move(work_->report);
}

}  // namespace f29

// f29_reconcile_bench make FILE COUNT: writes that many documents of the books and of the register,
// one a line: b or r, type, issuer, folio, net, exempt, total, day.
// f29_reconcile_bench join FILE: reconciles them; prints the CPU of it and how many have each
// status.
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "f29svc/reconcile/reconcile.h"

namespace {

using namespace f29;

// Nine in ten stand on both sides and agree; the rest differ in tax, are missing, or booked twice.
int make(const char* path, long count) {
  FILE* out = std::fopen(path, "wb");
  if (out == nullptr) return 1;
  uint64_t state = 31;
  auto draw = [&](uint64_t below) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return static_cast<long>((state >> 33) % below);
  };
  for (long i = 0; i < count; ++i) {
    const long type = draw(20) == 0 ? 61 : 33;
    const long issuer = 99'980'000 + draw(10'000);
    const long net = 1'000 + draw(5'000'000);
    const long total = net + (net * 19 + 50) / 100;
    const long day = 1 + draw(28);
    const long fate = draw(100);
    const auto put = [&](char side, long folio, long amount) {
      std::fprintf(out, "%c %ld %ld %ld %ld 0 %ld %ld\n", side, type, issuer, folio, net, amount,
                   day);
    };
    if (fate == 0) {  // one on each side, and no pair
      put('b', 2'000'000 + i, total);
      put('r', 4'000'000 + i, total + 1);
      continue;
    }
    put('r', i + 1, total);
    put('b', i + 1, fate < 5 ? total + 3 : total);
  }
  return std::fclose(out) == 0 ? 0 : 1;
}

double cpu_now() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

int join(const char* path) {
  FILE* in = std::fopen(path, "rb");
  if (in == nullptr) return 1;
  struct Row {
    char side = 0;
    long type = 0, issuer = 0, folio = 0, net = 0, exempt = 0, total = 0, day = 0;
  };
  std::vector<Row> rows;
  for (Row row;
       std::fscanf(in, " %c %ld %ld %ld %ld %ld %ld %ld", &row.side, &row.type, &row.issuer,
                   &row.folio, &row.net, &row.exempt, &row.total, &row.day) == 8;) {
    rows.push_back(row);
  }
  std::fclose(in);
  std::vector<std::string> names;
  for (int i = 0; i < 10'000; ++i)
    names.push_back("PROVEEDOR NUMERO " + std::to_string(i) + " SPA");
  // One document after the other, as a reader delivers them. Making them is no part of the join:
  // what it costs alone is taken off, as the peer's tuples are made before its clock starts.
  Document one;
  one.side = Side::purchase;
  one.company = Rut{99'999'001};
  const auto each = [&](const auto& use) {
    const double from = cpu_now();
    int64_t id = 0;
    for (const Row& row : rows) {
      ++id;
      one.section = row.side == 'b' ? Section::books : Section::registered;
      one.type = static_cast<uint16_t>(row.type);
      one.counterparty = Rut{static_cast<uint32_t>(row.issuer)};
      one.folio = row.folio;
      one.net = Pesos{row.net};
      one.exempt = Pesos{row.exempt};
      one.total = Pesos{row.total};
      one.issued = one.accounted = {2026, 6, static_cast<int8_t>(row.day)};
      one.source_id = row.side == 'b' ? id : 0;
      one.name = names[static_cast<size_t>(row.issuer) % names.size()];
      use(one);
    }
    return cpu_now() - from;
  };
  int64_t sum = 0;
  const double making = each([&](const Document& made) {
    sum += made.folio;
    asm volatile("" : : "r"(&made) : "memory");  // it is made, whoever looks
  });
  Reconciler reconciler({2026, 6}, 0);
  double used = each([&](const Document& made) { reconciler.add(made); }) - making;
  const double begin = cpu_now();
  const ReconcileReport report = reconciler.run();
  used += cpu_now() - begin;
  std::printf("{\"cpu\": %.6f, \"documents\": %zu, \"diff_total\": %ld", used,
              report.documents().size(), static_cast<long>(report.all().diff_total()));
  for (const auto status : {ReconcileStatus::match, ReconcileStatus::amount_diff,
                            ReconcileStatus::missing_in_books, ReconcileStatus::missing_in_rcv}) {
    std::printf(", \"%s\": %ld", std::string(status_text(status)).c_str(),
                static_cast<long>(report.of(status).documents));
  }
  std::puts("}");
  return sum == 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 4 && std::strcmp(argv[1], "make") == 0) return make(argv[2], std::atol(argv[3]));
  if (argc == 3 && std::strcmp(argv[1], "join") == 0) return join(argv[2]);
  std::fputs("usage: f29_reconcile_bench make FILE COUNT | join FILE\n", stderr);
  return 2;
}

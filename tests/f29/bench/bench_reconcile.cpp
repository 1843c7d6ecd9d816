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
  std::vector<Document> documents;
  char side = 0;
  long type = 0, issuer = 0, folio = 0, net = 0, exempt = 0, total = 0, day = 0;
  while (std::fscanf(in, " %c %ld %ld %ld %ld %ld %ld %ld", &side, &type, &issuer, &folio, &net,
                     &exempt, &total, &day) == 8) {
    Document& one = documents.emplace_back();
    one.side = Side::purchase;
    one.section = side == 'b' ? Section::books : Section::registered;
    one.type = static_cast<uint16_t>(type);
    one.company = Rut{99'999'001};
    one.counterparty = Rut{static_cast<uint32_t>(issuer)};
    one.folio = folio;
    one.net = Pesos{net};
    one.exempt = Pesos{exempt};
    one.total = Pesos{total};
    one.issued = one.accounted = {2026, 6, static_cast<int8_t>(day)};
    one.source_id = side == 'b' ? static_cast<int64_t>(documents.size()) : 0;
    one.name = "PROVEEDOR NUMERO " + std::to_string(issuer);
  }
  std::fclose(in);
  const double begin = cpu_now();
  Reconciler reconciler({2026, 6}, 0);
  for (const Document& one : documents) reconciler.add(one);
  const ReconcileReport report = reconciler.run();
  const double used = cpu_now() - begin;
  std::printf("{\"cpu\": %.6f, \"documents\": %zu, \"diff_total\": %ld", used,
              report.documents().size(), static_cast<long>(report.all().diff_total()));
  for (const auto status : {ReconcileStatus::match, ReconcileStatus::amount_diff,
                            ReconcileStatus::missing_in_books, ReconcileStatus::missing_in_rcv}) {
    std::printf(", \"%s\": %ld", std::string(status_text(status)).c_str(),
                static_cast<long>(report.of(status).documents));
  }
  std::puts("}");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 4 && std::strcmp(argv[1], "make") == 0) return make(argv[2], std::atol(argv[3]));
  if (argc == 3 && std::strcmp(argv[1], "join") == 0) return join(argv[2]);
  std::fputs("usage: f29_reconcile_bench make FILE COUNT | join FILE\n", stderr);
  return 2;
}

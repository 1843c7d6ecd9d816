// import_victim DATABASE FILE: imports a purchase register into 2026-06 of 99999001-0 and prints
// how many write and sync calls came before commit, until its end, and in all. Its cache is small,
// so that rows reach the disk long before the commit.
#include <dlfcn.h>

#include <cstdio>
#include <fstream>
#include <sstream>

#include "f29svc/sources/rcv.h"
#include "f29svc/store/store.h"

using namespace f29;

namespace {

long calls() {
  const auto count = reinterpret_cast<long (*)()>(::dlsym(RTLD_DEFAULT, "f29_shim_calls"));
  return count == nullptr ? -1 : count();
}

int failed(const base::Error& error) {
  std::fprintf(stderr, "%s\n", error.detail.c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  std::ostringstream text;
  text << std::ifstream(argv[2]).rdbuf();
  const std::string bytes = std::move(text).str();
  StoreOptions options;
  options.database.sqlite = argv[1];
  options.database.cache_kib = 256;
  auto store = Store::open(options);
  if (!store) return failed(store.error());
  if (const auto start = ::dlsym(RTLD_DEFAULT, "f29_shim_start")) {
    reinterpret_cast<void (*)()>(start)();
  }
  long before_commit = 0;
  long after_commit = 0;
  {
    auto work = (*store)->work(Rut{99'999'001}, {2026, 6}, true);
    if (!work) return failed(work.error());
    if (auto begun = (*work)->begin_import("new.csv", "new", "victim"); !begun) {
      return failed(begun.error());
    }
    RcvOptions rcv;
    rcv.company = Rut{99'999'001};
    rcv.period = {2026, 6};
    MemorySource source(bytes);
    DocumentIndex seen;
    Findings findings;
    auto counts = read_rcv(
        source, rcv, seen, [&](const Document& one) { (*work)->add(one); }, findings);
    if (!counts) return failed(counts.error());
    auto record = (*work)->finish_import("compra_registro", {}, findings.list());
    if (!record) return failed(record.error());
    before_commit = calls();
    if (auto done = (*work)->commit(); !done) return failed(done.error());
    after_commit = calls();
  }
  store->reset();
  std::printf("%ld %ld %ld\n", before_commit, after_commit, calls());
  return 0;
}

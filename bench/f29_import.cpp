// f29_import DATABASE FILE: imports a purchase register into a new SQLite file, as the API does,
// and prints one line. bench/f29_import.py compares it with Python's csv.reader.
#include <chrono>
#include <cstdio>

#include "f29svc/api/service.h"

using namespace f29;

namespace {

double seconds_since(std::chrono::steady_clock::time_point begun) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fputs("usage: f29_import DATABASE FILE\n", stderr);
    return 2;
  }
  auto file = FileSource::open(argv[2]);
  if (!file) return 2;
  StoreOptions options;
  options.database.sqlite = argv[1];
  auto store = Store::open(options);
  const Rut company{99'999'001};
  if (!store || !(*store)->put_company(company, "Empresa A")) return 1;
  TaxService service(**store, {}, [](std::string_view, const base::Error& error) {
    std::fprintf(stderr, "%s\n", error.detail.c_str());
  });
  const auto begun = std::chrono::steady_clock::now();
  auto imported = service.import_rcv(company, {2026, 6}, "compras.csv", **file, "", "bench");
  if (!imported) {
    std::fprintf(stderr, "%s\n", imported.error().message.c_str());
    return 1;
  }
  std::printf("rows %ld documents %ld seconds %.3f\n", static_cast<long>(imported->record.rows),
              static_cast<long>(imported->record.documents), seconds_since(begun));
  return 0;
}

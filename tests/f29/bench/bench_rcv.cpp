// f29_bench make FILE ROWS: writes a purchase register of that many rows.
// f29_bench boxes FILE: parses, checks, removes duplicates and fills boxes; prints one line.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "f29svc/compute/compute.h"
#include "f29svc/sources/rcv.h"

namespace {

using namespace f29;

constexpr const char* kHeader =
    "Nro;Tipo Doc;Tipo Compra;RUT Proveedor;Razon Social;Folio;Fecha Docto;Fecha Recepcion;"
    "Fecha Acuse;Monto Exento;Monto Neto;Monto IVA Recuperable;Monto Iva No Recuperable;"
    "Codigo IVA No Rec.;Monto Total;Monto Neto Activo Fijo;IVA Activo Fijo;IVA uso Comun;"
    "Impto. Sin Derecho a Credito;IVA No Retenido;Tabacos Puros;Tabacos Cigarrillos;"
    "Tabacos Elaborados;NCE o NDE sobre Fact. de Compra;Codigo Otro Impuesto;"
    "Valor Otro Impuesto;Tasa Otro Impuesto\r\n";

// A month like a retailer's: mostly invoices, some notes, a supermarket now and then, ILA on one in
// twenty with a continuation row.
int make(const char* path, long rows) {
  FILE* out = std::fopen(path, "wb");
  if (out == nullptr) return 1;
  std::fputs(kHeader, out);
  uint64_t state = 29;
  auto draw = [&](uint64_t below) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (state >> 33) % below;
  };
  long number = 0;
  for (long row = 1; row <= rows; ++row) {
    ++number;
    auto rut = Rut{static_cast<uint32_t>(99'980'000 + draw(10'000))}.text();
    long net = static_cast<long>(1'000 + draw(5'000'000));
    long vat = (net * 19 + 50) / 100;
    int day = static_cast<int>(1 + draw(28));
    int type = draw(20) == 0 ? 61 : draw(40) == 0 ? 56 : 33;
    const char* use = draw(30) == 0 ? "Supermercados" : draw(50) == 0 ? "Activo Fijo" : "Del Giro";
    bool has_ila = type == 33 && draw(20) == 0 && row < rows;
    long ila = has_ila ? net / 10 : 0;
    long sugar = has_ila ? net / 50 : 0;
    std::fprintf(out,
                 "%ld;%d;%s;%s;PROVEEDOR NUMERO %s SPA;%ld;%02d/06/2026;%02d/06/2026 10:11:12;;0;"
                 "%ld;%ld;;;%ld;;;;;0;;;;0;",
                 number, type, use, rut.c_str(), rut.c_str(), 1000 + row, day, day, net, vat,
                 net + vat + ila + sugar);
    if (has_ila) {
      std::fprintf(out, "27;%ld;10\r\n;%d;%s;%s;PROVEEDOR NUMERO %s SPA;%ld;%02d/06/2026", ila,
                   type, use, rut.c_str(), rut.c_str(), 1000 + row, day);
      std::fprintf(out, ";;;;;;;;;;;;;;;;;;271;%ld;18\r\n", sugar);
      ++row;
    } else {
      std::fputs(";;\r\n", out);
    }
  }
  return std::fclose(out) == 0 ? 0 : 1;
}

int boxes(const char* path) {
  auto source = FileSource::open(path);
  if (!source) return 1;
  Mapping mapping;
  Inputs inputs;
  inputs.previous_77 = Pesos{};
  ComputeOptions options;
  options.company = Rut{99999001};
  options.period = {2026, 6};
  Computation computation(options, mapping, inputs);
  RcvOptions rcv;
  rcv.company = options.company;
  rcv.period = options.period;
  rcv.name = path;
  rcv.file = computation.add_file(path);
  DocumentIndex seen;
  auto counts = read_rcv(
      **source, rcv, seen, [&](const Document& one) { computation.add(one); },
      computation.findings());
  if (!counts) return 1;
  auto made = computation.finish();
  if (!made) return 1;
  std::printf("rows %ld documents %ld rejected %ld 520=%ld 519=%ld findings %zu\n",
              static_cast<long>(counts->rows), static_cast<long>(counts->documents),
              static_cast<long>(counts->rejected), static_cast<long>(amount_in(made->boxes, 520)),
              static_cast<long>(amount_in(made->boxes, 519)), made->findings.size());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 4 && std::strcmp(argv[1], "make") == 0) return make(argv[2], std::atol(argv[3]));
  if (argc == 3 && std::strcmp(argv[1], "boxes") == 0) return boxes(argv[2]);
  std::fputs("usage: f29_bench make FILE ROWS | boxes FILE\n", stderr);
  return 2;
}

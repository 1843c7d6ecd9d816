// Any bytes as a register file: the same documents at every read size, bounded amounts, UTF-8
// names, and a computation that takes them all.
#include "f29svc/sources/rcv.h"

#include <string>
#include <vector>

#include "f29svc/compute/compute.h"
#include "f29svc/domain/words.h"
#include "tests/f29/fuzz/targets.h"

namespace {

using namespace f29;

struct Outcome {
  bool is_read = false;
  std::string detail;
  int64_t rows = 0;
  std::vector<std::string> keys;
};

void check(const Document& one) {
  for (Pesos amount : {one.net, one.exempt, one.total}) {
    if (amount < Pesos{} || amount > Pesos{kAmountMost}) fuzz_fault("an amount out of range");
  }
  if (!is_utf8(one.name)) fuzz_fault("a name that is not UTF-8");
  if (!is_known_type(one.type)) fuzz_fault("an unknown document type");
  if (one.section != Section::summary && !is_valid(one.issued)) fuzz_fault("no day of issue");
  for (const Part& part : one.parts) {
    if (part.amount < Pesos{}) fuzz_fault("a negative part");
  }
}

Outcome read(std::string_view bytes, size_t portion, bool is_lenient, Computation& computation) {
  Outcome outcome;
  MemorySource source(bytes, portion);
  RcvOptions options;
  options.company = Rut{99999001};
  options.period = {2026, 6};
  options.lenient = is_lenient;
  options.name = "file";
  options.file = computation.add_file("file");
  DocumentIndex seen;
  auto counts = read_rcv(
      source, options, seen,
      [&](const Document& one) {
        check(one);
        outcome.keys.push_back(key_of(one).text() + std::to_string(one.total.value()));
        computation.add(one);
      },
      computation.findings());
  outcome.is_read = counts.has_value();
  if (!counts) outcome.detail = counts.error().detail;
  if (counts) outcome.rows = counts->rows;
  if (counts && rcv_kind_text(counts->kind) == "unknown") fuzz_fault("a file of no kind");
  if (counts && counts->documents != static_cast<int64_t>(outcome.keys.size())) {
    fuzz_fault("the count of documents is wrong");
  }
  return outcome;
}

}  // namespace

int rcv_one(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  size_t portion = data[0] % 64 + 1;
  bool is_lenient = data[0] >= 128;
  std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  Mapping mapping;
  Inputs inputs;
  inputs.settings.exclude_annulled = data[0] % 3 == 0;
  ComputeOptions options;
  options.company = Rut{99999001};
  options.period = {2026, 6};
  Computation whole(options, mapping, inputs);
  Computation pieces(options, mapping, inputs);
  Outcome first = read(bytes, SIZE_MAX, is_lenient, whole);
  Outcome second = read(bytes, portion, is_lenient, pieces);
  bool is_same = first.is_read == second.is_read && first.detail == second.detail &&
                 first.rows == second.rows && first.keys == second.keys;
  if (!is_same) fuzz_fault("another read size, another outcome");
  (void)read_rcv_name(bytes);
  if (data[0] % 8 > 1) return 0;  // evaluating the form takes longer than reading
  auto made = whole.finish();
  auto again = pieces.finish();
  if (made.has_value() != again.has_value()) fuzz_fault("computed once only");
  if (made && made->boxes != again->boxes) fuzz_fault("other boxes");
  return 0;
}

// One monthly return: its boxes, where each comes from, and what was found on the way.
#pragma once

#include <bit>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "f29svc/domain/big_array.h"
#include "f29svc/domain/box_value.h"
#include "f29svc/domain/document.h"
#include "f29svc/domain/finding.h"
#include "f29svc/domain/inputs.h"

namespace f29 {

// draft → computed → validated → sent → paid. `sent` and `paid` close the period; a rectification
// is a new version, after which the old one is `rectified`.
enum class ReturnState : uint8_t { draft, computed, validated, sent, paid, rectified };
std::string_view state_text(ReturnState state);
std::optional<ReturnState> parse_state(std::string_view text);
bool is_closed(ReturnState state);
// May a return go from one to the other?
bool can_move(ReturnState from, ReturnState to);

// A list that grows by chunks, each twice the one before: a million entries without a copy.
template <class T>
class ChunkList {
 public:
  size_t size() const { return size_; }
  void push(const T& value) {
    size_t chunk = chunk_of(size_);
    if (chunk == chunks_.size()) chunks_.emplace_back(kFirst << chunk);
    chunks_[chunk][size_ - start_of(chunk)] = value;
    ++size_;
  }
  const T& operator[](size_t i) const {
    size_t chunk = chunk_of(i);
    return chunks_[chunk][i - start_of(chunk)];
  }

 private:
  static constexpr size_t kFirst = 1024;
  static size_t chunk_of(size_t i) {
    return static_cast<size_t>(std::bit_width(i / kFirst + 1)) - 1;
  }
  static size_t start_of(size_t chunk) { return kFirst * ((size_t{1} << chunk) - 1); }

  std::vector<BigArray<T>> chunks_;
  size_t size_ = 0;
};

// Which documents and rules made a box. Compact: a month may have a million documents.
class Provenance {
 public:
  struct Doc {
    DocumentKey key;
    uint32_t line = 0;
    uint16_t file = 0;  // index into `files`
    Section section = Section::registered;
  };
  struct Entry {
    int64_t amount = 0;  // signed, as it entered the box
    uint32_t doc = kNoDoc;
    int32_t count = 0;
    uint16_t amount_box = 0;  // 0: none
    uint16_t count_box = 0;   // 0: none
    uint16_t rule = 0;        // index into `rules`
  };
  struct Other {  // boxes that no document made
    int box = 0;
    std::string rule;    // "input", "formula", "previous_return", "fees"
    std::string detail;  // "[538]-[537]", "250000 / 70000 = 3.57 UTM * 70500"
    std::string amount;
  };
  static constexpr uint32_t kNoDoc = UINT32_MAX;

  std::vector<std::string> files;
  std::vector<std::string> rules;
  ChunkList<Doc> docs;
  ChunkList<Entry> entries;
  std::vector<Other> others;
};

// A tax of the books that no table knows. The store counts each (company, line_id) once for ever.
struct UnmappedTax {
  int64_t tax_id = 0;
  int64_t line_id = 0;
  std::string xmlid;
  std::string name;
  DocumentKey document;
  int64_t source_id = 0;
  Pesos amount;
};

struct Return {
  Rut company;
  std::string name;  // of the company; may be empty
  Period period;
  int version = 1;    // grows with every rectification
  std::string folio;  // given by the SII after filing
  ReturnState state = ReturnState::draft;
  Boxes boxes;                                // not 0 only; no identity, echo or unknown codes
  std::map<std::string, std::string> extras;  // unknown codes of an imported return, verbatim
  Pesos iva_debito;                           // = 538
  Pesos iva_credito;                          // = 537 without 504
  Declaration declaration = Declaration::sin_movimiento;
  Date due;
  Settings settings;
  std::vector<Finding> findings;
  Provenance provenance;
  std::vector<UnmappedTax> unmapped;

  bool has_errors() const;
};

}  // namespace f29

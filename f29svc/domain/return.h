// One monthly return: its boxes, where each comes from, and what was found on the way.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

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

// A list that grows by chunks: a million entries without a copy.
template <class T>
class ChunkList {
 public:
  static constexpr size_t kChunk = 8192;
  size_t size() const { return size_; }
  T& push(const T& value) {
    if (size_ % kChunk == 0) chunks_.push_back(std::make_unique<T[]>(kChunk));
    T& place = chunks_.back()[size_ % kChunk];
    place = value;
    ++size_;
    return place;
  }
  const T& operator[](size_t i) const { return chunks_[i / kChunk][i % kChunk]; }
  T& operator[](size_t i) { return chunks_[i / kChunk][i % kChunk]; }

 private:
  std::vector<std::unique_ptr<T[]>> chunks_;
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
  std::string name;        // of the company; may be empty
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

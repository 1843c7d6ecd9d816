// The rows of one register file, one after the other. Private to the reader.
#pragma once

#include <string>
#include <vector>

#include "f29svc/sources/rcv_columns.h"
#include "f29svc/sources/rcv_odd.h"
#include "f29svc/sources/rcv_row.h"

namespace f29 {

class RcvRows {
 public:
  RcvRows(const RcvOptions& options, const RcvHeader& header, DocumentIndex& seen,
          const DocumentSink& sink, Findings& findings);

  void take(const CsvRecord& record);
  // The end of the file: what was held back goes out.
  RcvCounts finish();

 private:
  static constexpr size_t kCopiesMost = 100'000;

  struct ClassCache {
    std::string text;
    Use use = Use::giro;
    bool common_use = false;
    bool is_known = false;
  };

  std::string_view field(Column column) const {
    int16_t place = header_.place[static_cast<size_t>(column)];
    return place < 0 ? std::string_view{} : record_->fields[static_cast<size_t>(place)];
  }
  int column_of(Column column) const { return header_.place[static_cast<size_t>(column)] + 1; }
  int64_t amount(Column column);
  void reject(RowFact fact, int column = 0, const std::string& more = {});
  void note_odd();

  bool has_shape();     // columns fit the header
  void check_number();  // Nro
  bool is_continuation() const;
  void take_continuation();
  void take_summary();
  void take_document();
  bool read_identity(RcvRow& row);
  bool read_party(Document& document);
  bool read_class(RcvRow& row);
  bool read_amounts(RcvRow& row);
  void read_sale_amounts(RcvRow& row);
  void read_note_flag(RcvRow& row);
  bool read_other_tax(RcvRow& row);

  void flush();  // the pending document, now that its continuation rows are over
  void deliver_ready();
  static uint32_t print_of(const Document& document);
  void check_total(const RcvRow& row);
  void deliver(const Document& document, bool is_late);
  void meet_again(const Document& document, const DocumentIndex::Seen& before);

  const RcvOptions& options_;
  const RcvHeader& header_;
  DocumentIndex& seen_;
  const DocumentSink& sink_;
  RowFindings found_;
  RcvCounts counts_;
  Side side_;
  Section section_;

  const CsvRecord* record_ = nullptr;
  uint32_t odd_ = 0;  // of the row being read
  bool is_reading_rate_ = false;
  int64_t number_before_ = 0;
  bool last_was_rejected_ = false;
  ClassCache class_;
  RcvRow rows_[3];
  RcvRow* ready_ = &rows_[0];    // complete, not yet delivered
  RcvRow* pending_ = &rows_[1];  // continuation rows may follow
  RcvRow* reading_ = &rows_[2];
  std::vector<Document> copies_;  // rows that look like copies of something still to come
};

}  // namespace f29

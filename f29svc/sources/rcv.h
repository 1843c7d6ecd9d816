// Reads the tax authority's register files (RCV) of every kind, streaming. Rows become Documents;
// whatever is odd becomes a finding with file, line and column. Rejected rows do not stop a file.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "f29svc/domain/big_array.h"
#include "f29svc/domain/document.h"
#include "f29svc/domain/finding.h"
#include "proxy/base/result.h"

namespace f29 {

enum class RcvKind : uint8_t {
  unknown,
  purchase_registered,
  purchase_pending,
  purchase_not_included,
  purchase_claimed,
  sale,
  summary_sale,
  summary_purchase,
};
std::string_view rcv_kind_text(RcvKind kind);

// Bytes in any portions. 0 is the end.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  virtual base::Result<size_t> read(char* into, size_t most) = 0;
  virtual size_t size_hint() const { return 0; }  // bytes in all, if known
};
class FileSource final : public ByteSource {
 public:
  static base::Result<std::unique_ptr<FileSource>> open(const std::string& path);
  ~FileSource() override;
  base::Result<size_t> read(char* into, size_t most) override;
  size_t size_hint() const override;

 private:
  explicit FileSource(int fd) : fd_(fd) {}
  int fd_;
};
class MemorySource final : public ByteSource {
 public:
  explicit MemorySource(std::string_view bytes, size_t portion = SIZE_MAX)
      : bytes_(bytes), portion_(portion) {}
  base::Result<size_t> read(char* into, size_t most) override;

 private:
  std::string_view bytes_;
  size_t portion_;
};

struct RcvOptions {
  Rut company;
  Period period;
  bool lenient = false;  // keep rows with a wrong check digit
  std::string name;      // how findings call the file
  uint16_t file = 0;     // index for Document::file
  // When the caller knows the section better than the header does (RECLAMADO and PENDIENTE differ
  // by header; NO_INCLUIR and REGISTRO of some exports do not): from the file's name.
  RcvKind expected = RcvKind::unknown;
};

struct RcvCounts {
  RcvKind kind = RcvKind::unknown;
  int64_t rows = 0;       // data rows, continuation rows included
  int64_t documents = 0;  // delivered to the sink
  int64_t rejected = 0;   // rows that were refused
  int64_t copies = 0;     // dropped
};

// An empty file, something that is not an RCV file, or a file that cannot be read is an Error
// (`bad_input` with detail "empty" or "not_rcv", or `io_failed`). Documents come in the file's
// order, except rows that look like copies, which come at the end. The sink's document lives only
// during the call.
class DocumentIndex;
base::Result<RcvCounts> read_rcv(ByteSource& bytes, const RcvOptions& options, DocumentIndex& seen,
                                 const DocumentSink& sink, Findings& findings);

// What a file's name says: RCV_COMPRA_REGISTRO_99999001-0_202606.csv.
struct RcvName {
  RcvKind kind = RcvKind::unknown;
  Rut company;
  Period period;
};
std::optional<RcvName> read_rcv_name(std::string_view file_name);

// Keys met so far, over all files of one computation. A million keys take 48 MiB.
class DocumentIndex {
 public:
  struct Seen {
    uint32_t line = 0;
    uint32_t print = 0;  // fingerprint of date and amounts
    uint16_t file = 0;
    Section section = Section::registered;
  };
  DocumentIndex();
  ~DocumentIndex();
  // Empty: the key is new and now kept. Else what was there, unchanged.
  std::optional<Seen> insert(const DocumentKey& key, const Seen& seen);
  std::optional<Seen> find(const DocumentKey& key) const;
  void replace(const DocumentKey& key, const Seen& seen);  // Needs: the key is there.
  void prefetch(const DocumentKey& key) const;
  size_t size() const;
  void reserve(size_t keys);

 private:
  struct Slot;
  const Slot* look(const DocumentKey& key) const;
  void grow_to(size_t count);
  std::unique_ptr<BigArray<Slot>> slots_;
  size_t mask_ = 0;
  size_t size_ = 0;
};

}  // namespace f29

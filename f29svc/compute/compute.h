// Documents and inputs → a return. Feed documents one by one, then finish. Knows no files.
#pragma once

#include <memory>

#include "f29svc/compute/mapping.h"
#include "f29svc/domain/inputs.h"
#include "f29svc/domain/return.h"
#include "proxy/base/result.h"

namespace f29 {

struct ComputeOptions {
  Rut company;
  Period period;
  bool keep_provenance = true;
  std::vector<Date> holidays;  // beyond the table
};

// An addition of the inputs as the document it stands for, of section `manual`.
Document document_of(const Addition& addition, Rut company);

class Computation {
 public:
  // `mapping` and `inputs` outlive the computation.
  Computation(const ComputeOptions& options, const Mapping& mapping, const Inputs& inputs);
  ~Computation();

  // A document of a file that must be named in provenance and findings; returns its index.
  uint16_t add_file(std::string name);
  void add(const Document& document);
  Findings& findings();

  // Adds inputs, evaluates the form, checks. An error here is a fault of the inputs (`bad_input`,
  // detail "utm_missing: …"): nothing was computed. The state is `computed`.
  base::Result<Return> finish();

 private:
  struct Work;
  std::unique_ptr<Work> work_;
};

}  // namespace f29

// Companies, periods, imports, inputs and returns in SQLite or PostgreSQL. Any thread; each call
// takes a connection of the pool.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "f29svc/store/database.h"
#include "f29svc/store/period_work.h"
#include "f29svc/store/records.h"

namespace f29 {

struct StoreOptions {
  DatabaseOptions database;
  int connections = 4;
};

class Store {
 public:
  // Opens and migrates.
  static base::Result<std::unique_ptr<Store>> open(const StoreOptions& options);
  ~Store();

  base::Result<> ping();

  // Makes it, or gives it another name.
  base::Result<> put_company(Rut rut, const std::string& name);
  base::Result<std::vector<CompanyRecord>> companies();
  base::Result<CompanyRecord> company(Rut rut);  // or not_found

  base::Result<std::vector<PeriodRecord>> periods(Rut company);
  base::Result<PeriodRecord> period(Rut company, Period period);                // or not_found
  base::Result<std::vector<ImportRecord>> imports(Rut company, Period period);  // replaced too
  base::Result<std::vector<InputsRecord>> inputs(Rut company, Period period);   // newest first
  // Version 0: the newest. not_found: no such period or version.
  base::Result<Return> load(Rut company, Period period, int version = 0,
                            bool with_provenance = true);

  // A connection for as long as `use` runs: for what only reads, and single statements.
  base::Result<> with(const std::function<base::Result<>(Database&)>& use);

  // The only way to change a period. conflict "busy" at once where somebody else is at it.
  // `make`: a period that is not there yet is begun.
  base::Result<std::unique_ptr<PeriodWork>> work(Rut company, Period period, bool make);

  // Lines of the books with a tax that no table knew: ever met, and in the newest returns.
  base::Result<int64_t> unmapped_ever(Rut company);
  base::Result<int64_t> unmapped_now(Rut company);

 private:
  class Lease;
  explicit Store(StoreOptions options) : options_(std::move(options)) {}
  base::Result<std::unique_ptr<Database>> take();
  void give_back(std::unique_ptr<Database> database);

  StoreOptions options_;
  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::unique_ptr<Database>> idle_;
  int open_ = 0;
  std::set<std::pair<int64_t, int64_t>> at_work_;  // company and period
};

}  // namespace f29

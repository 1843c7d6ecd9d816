#include "f29svc/store/store.h"

#include "f29svc/store/record_rows.h"
#include "f29svc/store/schema.h"
#include "proxy/base/log.h"

namespace f29 {

using base::ErrorCode;

// A connection for the length of one call.
class Store::Lease {
 public:
  explicit Lease(Store& store) : store_(store), database_(store.take()) {}
  ~Lease() {
    if (database_) store_.give_back(std::move(*database_));
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  explicit operator bool() const { return database_.has_value(); }
  const base::Error& error() const { return database_.error(); }
  Database* operator->() { return database_->get(); }
  Database& operator*() { return **database_; }

 private:
  Store& store_;
  base::Result<std::unique_ptr<Database>> database_;
};

base::Result<std::unique_ptr<Store>> Store::open(const StoreOptions& options) {
  std::unique_ptr<Store> store(new Store(options));
  auto database = store->take();
  if (!database) return base::fail(database.error());
  if (auto done = migrate(**database); !done) return base::fail(done.error());
  store->give_back(std::move(*database));
  return store;
}

Store::~Store() = default;

base::Result<std::unique_ptr<Database>> Store::take() {
  {
    std::unique_lock lock(mutex_);
    const bool free = returned_.wait_for(lock, options_.database.busy_timeout, [this] {
      return !idle_.empty() || open_ < options_.connections;
    });
    if (!free) return base::fail(ErrorCode::conflict, base::Side::proxy, "busy");
    if (!idle_.empty()) {
      auto database = std::move(idle_.back());
      idle_.pop_back();
      return database;
    }
    ++open_;
  }
  auto database = Database::open(options_.database);
  if (!database) {
    std::lock_guard lock(mutex_);
    --open_;
    returned_.notify_one();
  }
  return database;
}

void Store::give_back(std::unique_ptr<Database> database) {
  if (database->is_broken()) database.reset();
  std::lock_guard lock(mutex_);
  if (database != nullptr) {
    idle_.push_back(std::move(database));
  } else {
    --open_;
  }
  returned_.notify_one();
}

base::Result<> Store::ping() {
  Lease database(*this);
  if (!database) return base::fail(database.error());
  auto one = database->number("SELECT 1");
  if (!one) return base::fail(one.error());
  return {};
}

// ---- companies ----------------------------------------------------------------------------------

base::Result<> Store::put_company(Rut rut, const std::string& name) {
  Lease database(*this);
  if (!database) return base::fail(database.error());
  return database->run(
      "INSERT INTO companies (rut, name, made_at) VALUES (:a, :b, :c) "
      "ON CONFLICT (rut) DO UPDATE SET name = excluded.name",
      {rut.number(), name, base::timestamp()});
}

base::Result<std::vector<CompanyRecord>> Store::companies() {
  Lease database(*this);
  if (!database) return base::fail(database.error());
  std::vector<CompanyRecord> list;
  auto done = database->query(
      "SELECT id, rut, name FROM companies ORDER BY rut", {}, "iit", [&](const SqlRow& row) {
        list.push_back({row.number(0), Rut{static_cast<uint32_t>(row.number(1))}, row.text(2)});
      });
  if (!done) return base::fail(done.error());
  return list;
}

base::Result<CompanyRecord> Store::company(Rut rut) {
  auto all = companies();
  if (!all) return base::fail(all.error());
  for (const CompanyRecord& one : *all) {
    if (one.rut == rut) return one;
  }
  return base::fail(ErrorCode::not_found, base::Side::client, "no such company");
}

// ---- periods ------------------------------------------------------------------------------------

base::Result<std::unique_ptr<PeriodWork>> Store::work(Rut company, Period period, bool make) {
  auto record = this->company(company);
  if (!record) return base::fail(record.error());
  const std::pair key(record->id, number_of(period));
  {
    std::lock_guard lock(mutex_);
    if (!at_work_.insert(key).second) {
      return base::fail(ErrorCode::conflict, base::Side::client, "busy");
    }
  }
  auto leave = [this, key] {
    std::lock_guard lock(mutex_);
    at_work_.erase(key);
  };
  auto database = take();
  if (!database) {
    leave();
    return base::fail(database.error());
  }
  auto work = std::make_unique<PeriodWork>(std::move(*database), *record, period,
                                           [this, leave](std::unique_ptr<Database> given) {
                                             give_back(std::move(given));
                                             leave();
                                           });
  if (auto opened = work->open(make); !opened) return base::fail(opened.error());
  return work;
}

base::Result<std::vector<PeriodRecord>> Store::periods(Rut company) {
  auto record = this->company(company);
  if (!record) return base::fail(record.error());
  std::vector<PeriodRecord> list;
  Lease database(*this);
  if (!database) return base::fail(database.error());
  auto done = database->query("SELECT period FROM periods WHERE company_id = :a ORDER BY period",
                              {record->id}, "i", [&](const SqlRow& row) {
                                list.push_back({period_of(row.number(0)), {}});
                              });
  for (PeriodRecord& one : list) {
    if (!done) break;
    auto returns = read_return_records(*database, record->id, one.period);
    if (!returns) return base::fail(returns.error());
    one.returns = std::move(*returns);
  }
  if (!done) return base::fail(done.error());
  return list;
}

base::Result<PeriodRecord> Store::period(Rut company, Period period) {
  auto record = this->company(company);
  if (!record) return base::fail(record.error());
  Lease database(*this);
  if (!database) return base::fail(database.error());
  auto returns = read_return_records(*database, record->id, period);
  if (!returns) return base::fail(returns.error());
  if (returns->empty()) {
    return base::fail(ErrorCode::not_found, base::Side::client, "no such period");
  }
  return PeriodRecord{period, std::move(*returns)};
}

base::Result<std::vector<ImportRecord>> Store::imports(Rut company, Period period) {
  auto record = this->company(company);
  if (!record) return base::fail(record.error());
  Lease database(*this);
  if (!database) return base::fail(database.error());
  return read_import_records(*database, record->id, period, true);
}

base::Result<std::vector<InputsRecord>> Store::inputs(Rut company, Period period) {
  auto record = this->company(company);
  if (!record) return base::fail(record.error());
  Lease database(*this);
  if (!database) return base::fail(database.error());
  return read_inputs_records(*database, record->id, period, 1'000);
}

base::Result<> Store::with(const std::function<base::Result<>(Database&)>& use) {
  Lease database(*this);
  if (!database) return base::fail(database.error());
  return use(*database);
}

base::Result<Return> Store::load(Rut company, Period period, int version, bool with_provenance) {
  auto record = this->company(company);
  if (!record) return base::fail(record.error());
  Lease database(*this);
  if (!database) return base::fail(database.error());
  auto returns = read_return_records(*database, record->id, period);
  if (!returns) return base::fail(returns.error());
  for (const ReturnRecord& one : *returns) {
    if (version == 0 ? one.id != returns->back().id : one.version != version) continue;
    return load_return(*database, *record, period, one, with_provenance);
  }
  return base::fail(ErrorCode::not_found, base::Side::client,
                    returns->empty() ? "no such period" : "no such version");
}

base::Result<int64_t> Store::unmapped_ever(Rut company) {
  auto record = this->company(company);
  if (!record) return base::fail(record.error());
  Lease database(*this);
  if (!database) return base::fail(database.error());
  return database->number("SELECT count(*) FROM unmapped_seen WHERE company_id = :a", {record->id});
}

base::Result<int64_t> Store::unmapped_now(Rut company) {
  auto record = this->company(company);
  if (!record) return base::fail(record.error());
  Lease database(*this);
  if (!database) return base::fail(database.error());
  return database->number(
      "SELECT count(*) FROM return_unmapped u JOIN returns r ON r.id = u.return_id "
      "WHERE r.company_id = :a AND r.version = (SELECT max(version) FROM returns n "
      "WHERE n.company_id = r.company_id AND n.period = r.period)",
      {record->id});
}

}  // namespace f29

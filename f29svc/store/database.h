// One connection to SQLite or PostgreSQL; the only place that knows SOCI. Statements are the same
// for both; parameters are named :a, :b, … in order. Used by one thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "proxy/base/clock.h"
#include "proxy/base/result.h"

namespace f29 {

struct DatabaseOptions {
  std::string sqlite;      // a file; its folder is made
  std::string postgresql;  // a connection string of libpq; wins over the file
  base::Millis busy_timeout{5'000};
  int64_t cache_kib = 64 << 10;  // of a SQLite connection
  int page_bytes = 16 << 10;     // of a new SQLite file; large transactions like large ones
  bool is_postgresql() const { return !postgresql.empty(); }
};

using SqlValue = std::variant<long long, std::string>;  // SOCI's type for 64 bits

// The columns of a row that was asked for, in order.
class SqlRow {
 public:
  int64_t number(size_t column) const { return numbers_[column]; }
  const std::string& text(size_t column) const { return texts_[column]; }

 private:
  friend class Database;
  std::vector<long long> numbers_;
  std::vector<std::string> texts_;
};

// Errors of every call: conflict ("busy": another transaction holds what is needed; "exists": a
// key is there already), io_failed otherwise. Details have the database's words: for the log only.
class Database {
 public:
  static base::Result<std::unique_ptr<Database>> open(const DatabaseOptions& options);
  ~Database();

  bool is_postgresql() const;
  bool is_broken() const;  // something failed that is no conflict: better open another

  // `columns` says the types of the row: "i" a number, "t" a text, which NULL leaves 0 or empty.
  using OnRow = std::function<void(const SqlRow& row)>;
  base::Result<> run(std::string_view sql, const std::vector<SqlValue>& parameters = {});
  base::Result<> query(std::string_view sql, const std::vector<SqlValue>& parameters,
                       std::string_view columns, const OnRow& on_row);
  // The first row's first column, a number; not_found without a row.
  base::Result<int64_t> number(std::string_view sql, const std::vector<SqlValue>& parameters = {});

  // Takes the right to write at once, so that nothing read later is stale.
  base::Result<> begin();
  base::Result<> commit();
  void rollback();  // nothing to do without a transaction
  class Undo {      // on every way out but commit
   public:
    explicit Undo(Database& database) : database_(database) {}
    ~Undo() { database_.rollback(); }
    Undo(const Undo&) = delete;
    Undo& operator=(const Undo&) = delete;

   private:
    Database& database_;
  };

  // Many rows of one table, in batches that are written when they are full.
  class Bulk {
   public:
    // `columns`: names and types, "import_id:i name:t".
    Bulk(Database& database, std::string_view table, std::string_view columns);
    ~Bulk();  // what was not finished is not written
    Bulk& add(int64_t number);
    Bulk& add(std::string_view text);
    base::Result<> end_row();
    base::Result<> finish();

   private:
    struct Parts;
    std::unique_ptr<Parts> parts_;
  };

 private:
  struct Parts;
  explicit Database(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace f29

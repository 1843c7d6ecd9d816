// The one wrapper of SOCI. Exceptions end here.
#include "f29svc/store/database.h"

#include <fcntl.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

extern "C" const soci::backend_factory* factory_postgresql();

namespace f29 {

using base::ErrorCode;

namespace {

base::Error meaning_of(const std::exception& error) {
  if (const auto* sqlite = dynamic_cast<const soci::sqlite3_soci_error*>(&error)) {
    const int primary = sqlite->result() & 0xff;
    if (primary == SQLITE_BUSY || primary == SQLITE_LOCKED) {
      return {ErrorCode::conflict, base::Side::proxy, "busy"};
    }
    if (primary == SQLITE_CONSTRAINT) return {ErrorCode::conflict, base::Side::proxy, "exists"};
  }
  const auto* known = dynamic_cast<const soci::soci_error*>(&error);
  if (known == nullptr) return {ErrorCode::io_failed, base::Side::proxy, "database"};
  if (known->get_error_category() == soci::soci_error::constraint_violation) {
    return {ErrorCode::conflict, base::Side::proxy, "exists"};
  }
  // Without the values of the statement, which what() would add.
  return {ErrorCode::io_failed, base::Side::proxy, "database: " + known->get_error_message()};
}

template <class Work>
base::Result<> guarded(const Work& work) {
  try {
    work();
    return {};
  } catch (const std::exception& error) {
    return base::fail(meaning_of(error));
  }
}

// As above, and remembers what makes a connection doubtful.
template <class Work>
base::Result<> guarded(bool& broken, const Work& work) {
  auto done = guarded(work);
  if (!done && done.error().code == ErrorCode::io_failed) broken = true;
  return done;
}

void bind(soci::statement& statement, const std::vector<SqlValue>& parameters) {
  for (const SqlValue& parameter : parameters) {
    if (const auto* text = std::get_if<std::string>(&parameter)) {
      statement.exchange(soci::use(*text));
    } else {
      statement.exchange(soci::use(std::get<long long>(parameter)));
    }
  }
}

base::Result<> make_file(const std::string& path) {
  const auto folder = std::filesystem::path(path).parent_path();
  std::error_code failed;
  if (!folder.empty() && std::filesystem::create_directories(folder, failed)) {
    std::filesystem::permissions(folder, std::filesystem::perms(0750), failed);
  }
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  if (file < 0) return base::fail(base::io_error("open " + path, errno));
  ::close(file);
  return {};
}

}  // namespace

struct Database::Parts {
  DatabaseOptions options;
  soci::session session;
  bool in_transaction = false;
  bool broken = false;
};

Database::Database(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Database::~Database() { rollback(); }
bool Database::is_postgresql() const { return parts_->options.is_postgresql(); }
bool Database::is_broken() const { return parts_->broken; }

base::Result<std::unique_ptr<Database>> Database::open(const DatabaseOptions& options) {
  auto parts = std::make_unique<Parts>();
  parts->options = options;
  soci::session& session = parts->session;
  if (!options.is_postgresql()) {
    if (options.sqlite.empty() || options.sqlite.find_first_of("=\"") != std::string::npos) {
      return base::fail(ErrorCode::bad_config, base::Side::proxy,
                        "the database's file has no name, or one with = or \"");
    }
    if (auto made = make_file(options.sqlite); !made) return base::fail(made.error());
  }
  auto opened = guarded([&] {
    if (options.is_postgresql()) {
      session.open(*factory_postgresql(), options.postgresql);
      session.once << "SET client_min_messages = warning";
      session.once << "SET synchronous_commit = on";
      return;
    }
    session.open(*soci::factory_sqlite3(), options.sqlite);
    session.once << "PRAGMA busy_timeout = " << options.busy_timeout.count();
    session.once << "PRAGMA page_size = " << options.page_bytes;
    session.once << "PRAGMA journal_mode = WAL";
    session.once << "PRAGMA synchronous = FULL";
    session.once << "PRAGMA foreign_keys = ON";
    session.once << "PRAGMA cache_size = -" << options.cache_kib;
  });
  if (!opened) return base::fail(opened.error());
  return std::unique_ptr<Database>(new Database(std::move(parts)));
}

base::Result<> Database::run(std::string_view sql, const std::vector<SqlValue>& parameters) {
  return query(sql, parameters, {}, {});
}

base::Result<> Database::query(std::string_view sql, const std::vector<SqlValue>& parameters,
                               std::string_view columns, const OnRow& on_row) {
  return guarded(parts_->broken, [&] {
    SqlRow row;
    row.numbers_.resize(columns.size());
    row.texts_.resize(columns.size());
    std::vector<soci::indicator> states(columns.size());
    soci::statement statement(parts_->session);
    for (size_t i = 0; i < columns.size(); ++i) {
      if (columns[i] == 'i') {
        statement.exchange(soci::into(row.numbers_[i], states[i]));
      } else {
        statement.exchange(soci::into(row.texts_[i], states[i]));
      }
    }
    bind(statement, parameters);
    statement.alloc();
    statement.prepare(std::string(sql));
    statement.define_and_bind();
    for (bool more = statement.execute(true); more && on_row; more = statement.fetch()) {
      for (size_t i = 0; i < columns.size(); ++i) {
        if (states[i] == soci::i_ok) continue;
        row.numbers_[i] = 0;
        row.texts_[i].clear();
      }
      on_row(row);
    }
  });
}

base::Result<int64_t> Database::number(std::string_view sql,
                                       const std::vector<SqlValue>& parameters) {
  int64_t value = 0;
  bool found = false;
  auto done = query(sql, parameters, "i", [&](const SqlRow& row) {
    if (!found) value = row.number(0);
    found = true;
  });
  if (!done) return base::fail(done.error());
  if (!found) return base::fail(ErrorCode::not_found, base::Side::client, "no such row");
  return value;
}

base::Result<> Database::begin() {
  auto done = run(is_postgresql() ? "BEGIN" : "BEGIN IMMEDIATE");
  if (done) parts_->in_transaction = true;
  return done;
}

base::Result<> Database::commit() {
  auto done = run("COMMIT");
  if (done) parts_->in_transaction = false;
  return done;
}

void Database::rollback() {
  if (!parts_->in_transaction) return;
  parts_->in_transaction = false;
  // A connection that is gone has rolled back by itself.
  static_cast<void>(run("ROLLBACK"));
}

// ---- many rows ----------------------------------------------------------------------------------

// SQLite takes vectors; PostgreSQL would make a round trip a row of them, so it gets one array a
// column: INSERT … SELECT * FROM unnest(:c0, :c1, …).
struct Database::Bulk::Parts {
  explicit Parts(Database& owner) : database(owner), statement(owner.parts_->session) {}

  struct Column {
    bool is_text = false;
    std::vector<long long> numbers;
    std::vector<std::string> texts;
    std::string array = "{";
  };

  void prepare();
  void flush();

  Database& database;
  soci::statement statement;
  bool prepared = false;
  std::string sql;
  std::vector<Column> columns;
  size_t at = 0;  // the column that comes next
  size_t rows = 0;
  static constexpr size_t kBatch = 1024;
};

Database::Bulk::Bulk(Database& database, std::string_view table, std::string_view columns)
    : parts_(std::make_unique<Parts>(database)) {
  std::string names;
  std::string values;
  while (!columns.empty()) {
    const size_t end = std::min(columns.find(' '), columns.size());
    const std::string_view one = columns.substr(0, end);
    columns.remove_prefix(std::min(end + 1, columns.size()));
    const size_t colon = one.find(':');
    Parts::Column& column = parts_->columns.emplace_back();
    column.is_text = one.substr(colon + 1) == "t";
    const std::string comma = names.empty() ? "" : ", ";
    names += comma + std::string(one.substr(0, colon));
    values += comma + ":c" + std::to_string(parts_->columns.size());
    if (database.is_postgresql()) values += column.is_text ? "::text[]" : "::bigint[]";
    if (!database.is_postgresql()) {
      (column.is_text ? column.texts.resize(Parts::kBatch) : column.numbers.resize(Parts::kBatch));
    }
  }
  const std::string head = "INSERT INTO " + std::string(table) + " (" + names + ") ";
  parts_->sql = head + (database.is_postgresql() ? "SELECT * FROM unnest(" + values + ")"
                                                 : "VALUES (" + values + ")");
}

Database::Bulk::~Bulk() = default;

Database::Bulk& Database::Bulk::add(int64_t number) {
  Parts::Column& column = parts_->columns[parts_->at++];
  if (parts_->database.is_postgresql()) {
    column.array += std::to_string(number);
    column.array += ',';
  } else {
    column.numbers[parts_->rows] = number;
  }
  return *this;
}

Database::Bulk& Database::Bulk::add(std::string_view text) {
  Parts::Column& column = parts_->columns[parts_->at++];
  if (!parts_->database.is_postgresql()) {
    column.texts[parts_->rows].assign(text);
    return *this;
  }
  column.array += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') column.array += '\\';
    column.array += c;
  }
  column.array += "\",";
  return *this;
}

base::Result<> Database::Bulk::end_row() {
  parts_->at = 0;
  if (++parts_->rows < Parts::kBatch) return {};
  return guarded(parts_->database.parts_->broken, [&] { parts_->flush(); });
}

base::Result<> Database::Bulk::finish() {
  if (parts_->rows == 0) return {};
  return guarded(parts_->database.parts_->broken, [&] { parts_->flush(); });
}

void Database::Bulk::Parts::prepare() {
  for (Column& column : columns) {
    if (database.is_postgresql()) {
      statement.exchange(soci::use(column.array));
    } else if (column.is_text) {
      statement.exchange(soci::use(column.texts));
    } else {
      statement.exchange(soci::use(column.numbers));
    }
  }
  statement.alloc();
  statement.prepare(sql);
  statement.define_and_bind();
  prepared = true;
}

void Database::Bulk::Parts::flush() {
  if (!prepared) prepare();
  for (Column& column : columns) {
    if (database.is_postgresql()) {
      column.array.back() = '}';
    } else if (rows < kBatch) {
      (column.is_text ? column.texts.resize(rows) : column.numbers.resize(rows));
    }
  }
  statement.execute(true);
  for (Column& column : columns) column.array = "{";
  if (rows < kBatch && !database.is_postgresql()) {
    for (Column& column : columns) {
      (column.is_text ? column.texts.resize(kBatch) : column.numbers.resize(kBatch));
    }
  }
  rows = 0;
}

}  // namespace f29

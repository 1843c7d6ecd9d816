// A PostgreSQL of the tests' own: a new cluster in a temporary folder, on a Unix socket only, under
// an unprivileged user. Ends with the tests, even if they are killed.
#pragma once

#include <sys/types.h>

#include <string>

namespace f29test {

class PostgresServer {
 public:
  // The one of this process, started when it is first asked for.
  static PostgresServer& get();

  // A new, empty database: its connection string.
  std::string make_database();
  std::string admin() const;  // connection string of the database that always is there

 private:
  PostgresServer();
  ~PostgresServer();
  std::string as_server(const std::string& command) const;

  std::string folder_;
  pid_t pid_ = -1;
  int made_ = 0;
};

}  // namespace f29test

#include "tests/f29/store/postgres_server.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>

#include "f29svc/store/database.h"

namespace f29test {

namespace {

// The newest of /usr/lib/postgresql/*/bin.
std::string programs() {
  std::string newest;
  const std::filesystem::path root = "/usr/lib/postgresql";
  if (std::filesystem::exists(root)) {
    for (const auto& entry : std::filesystem::directory_iterator(root)) {
      if (std::filesystem::exists(entry.path() / "bin/initdb")) {
        newest = std::max(newest, (entry.path() / "bin").string());
      }
    }
  }
  if (newest.empty()) throw std::runtime_error("no initdb: install the package postgresql");
  return newest;
}

}  // namespace

PostgresServer& PostgresServer::get() {
  static PostgresServer server;
  return server;
}

// The server refuses to run as root.
std::string PostgresServer::as_server(const std::string& command) const {
  const std::string user =
      ::geteuid() == 0 ? "--reuid=postgres --regid=postgres --clear-groups " : "";
  return "cd " + folder_ + " && LC_ALL=C exec setpriv " + user + "--pdeathsig QUIT " + command;
}

PostgresServer::PostgresServer() {
  char name[] = "/tmp/f29-pg-XXXXXX";
  folder_ = ::mkdtemp(name);
  if (::geteuid() == 0) {
    const passwd* user = ::getpwnam("postgres");
    if (user == nullptr || ::chown(folder_.c_str(), user->pw_uid, user->pw_gid) != 0) {
      throw std::runtime_error("no user postgres");
    }
  }
  const std::string data = folder_ + "/data";
  const std::string init =
      as_server(programs() + "/initdb -D " + data + " -U f29 -A trust -E UTF8 --no-locale -N") +
      " > " + folder_ + "/initdb.log 2>&1";
  if (std::system(init.c_str()) != 0) throw std::runtime_error("initdb failed");
  const std::string start = as_server(programs() + "/postgres -D " + data + " -k " + folder_ +
                                      " -c listen_addresses= -c fsync=off -c max_connections=40");
  int log[2] = {-1, -1};
  if (::pipe2(log, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
  pid_ = ::fork();
  if (pid_ == 0) {
    ::dup2(log[1], 2);
    ::execl("/bin/sh", "sh", "-c", start.c_str(), nullptr);
    ::_exit(127);
  }
  ::close(log[1]);
  std::string said;
  char piece[512];
  while (said.find("ready to accept connections") == said.npos) {
    const ssize_t n = ::read(log[0], piece, sizeof piece);
    if (n <= 0) throw std::runtime_error("postgres did not start: " + said);
    said.append(piece, static_cast<size_t>(n));
  }
  // Later lines go nowhere: keep the pipe open and never full.
  ::fcntl(log[0], F_SETFL, O_NONBLOCK);
}

PostgresServer::~PostgresServer() {
  ::kill(pid_, SIGQUIT);
  ::waitpid(pid_, nullptr, 0);
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::string PostgresServer::admin() const {
  return "host=" + folder_ + " user=f29 dbname=postgres";
}

std::string PostgresServer::make_database() {
  const std::string name = "books" + std::to_string(++made_);
  auto database = f29::Database::open({.sqlite = {}, .postgresql = admin()});
  if (!database) throw std::runtime_error(database.error().detail);
  auto made = (*database)->run("CREATE DATABASE " + name);
  if (!made) throw std::runtime_error(made.error().detail);
  return "host=" + folder_ + " user=f29 dbname=" + name;
}

}  // namespace f29test

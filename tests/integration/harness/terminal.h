// A program on a terminal of its own: what it draws is read, what a person types is written.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <optional>
#include <string>
#include <vector>

#include "tests/integration/harness/deadline.h"

namespace harness {

class Terminal {
 public:
  Terminal(std::vector<std::string> arguments, unsigned short columns, unsigned short rows,
           const char* environment = "TERM=xterm") {
    master_ = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (master_ < 0 || ::grantpt(master_) != 0 || ::unlockpt(master_) != 0) {
      throw Failure("no terminal");
    }
    char name[128];
    if (::ptsname_r(master_, name, sizeof name) != 0) throw Failure("a terminal without a name");
    // Held open here as well, so that its last bytes can be read after the program's end.
    slave_ = ::open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    resize(columns, rows);
    std::vector<char*> words;
    for (std::string& word : arguments) words.push_back(word.data());
    words.push_back(nullptr);
    std::string term = "TERM=xterm", extra = environment;
    char* variables[] = {term.data(), extra.data(), nullptr};
    pid_ = ::fork();
    if (pid_ == 0) {
      ::setsid();
      ::ioctl(slave_, TIOCSCTTY, 0);  // so that a new size and Ctrl-C arrive as signals
      for (int i = 0; i < 3; ++i) ::dup2(slave_, i);
      ::execve(words[0], words.data(), variables);
      ::_exit(127);
    }
  }
  ~Terminal() {
    if (!code_) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
    ::close(slave_);
    ::close(master_);
  }
  Terminal(const Terminal&) = delete;

  void resize(unsigned short columns, unsigned short rows) {
    const winsize size{rows, columns, 0, 0};
    ::ioctl(master_, TIOCSWINSZ, &size);
  }
  void type(const std::string& text) {
    if (::write(master_, text.data(), text.size()) < 0) throw Failure("nobody reads the keys");
  }
  // Everything since the last call, up to and with `end`.
  std::string read_until(const std::string& end, Millis within = Millis{20'000}) {
    const Deadline deadline(within * kSlowness);
    size_t at = 0;
    while ((at = pending_.find(end)) == std::string::npos) {
      pollfd readable{master_, POLLIN, 0};
      char bytes[4096];
      const int ready = ::poll(&readable, 1, deadline.left_ms());
      const ssize_t n = ready > 0 ? ::read(master_, bytes, sizeof bytes) : 0;
      if (n <= 0) throw Failure("the terminal never showed " + end + "; it shows: " + pending_);
      pending_.append(bytes, static_cast<size_t>(n));
    }
    std::string text = pending_.substr(0, at + end.size());
    pending_.erase(0, at + end.size());
    return text;
  }
  int wait() {
    await("the program on the terminal to end", [&] {
      int status = 0;
      if (::waitpid(pid_, &status, WNOHANG) != pid_) return false;
      code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      return true;
    });
    return *code_;
  }

 private:
  int master_ = -1, slave_ = -1;
  pid_t pid_ = -1;
  std::optional<int> code_;
  std::string pending_;
};

}  // namespace harness

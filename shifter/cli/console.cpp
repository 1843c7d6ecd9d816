#include "shifter/cli/console.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "shifter/cli/interrupt.h"

namespace cli {
namespace {

bool is_set(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && *value != '\0';
}

void put(std::FILE* to, std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), to);
  std::fflush(to);
}

}  // namespace

Console Console::of_process() {
  Console console;
  console.has_person = ::isatty(STDIN_FILENO) == 1 && ::isatty(STDERR_FILENO) == 1;
  console.is_terminal = ::isatty(STDOUT_FILENO) == 1;
  const char* terminal = std::getenv("TERM");
  const bool dumb = terminal == nullptr || std::string_view(terminal) == "dumb";
  if (dumb) console.is_terminal = false;  // it cannot be redrawn
  console.colors = console.is_terminal && !is_set("NO_COLOR");
  return console;
}

void Console::print(std::string_view text) const { put(out, text); }

void Console::complain(std::string_view text) const {
  if (!text.empty()) put(err, "shifter: " + std::string(text) + "\n");
}

ScreenSize Console::size() const {
  winsize seen{};
  if (::ioctl(::fileno(out), TIOCGWINSZ, &seen) != 0 || seen.ws_col == 0 || seen.ws_row == 0) {
    return {};
  }
  return {seen.ws_col, seen.ws_row};
}

std::optional<std::string> Console::ask(std::string_view question) const {
  put(err, question);
  std::string typed;
  for (;;) {
    const Woken woken = wait_readable({in});
    if (woken == Woken::interrupted) return std::nullopt;
    if (woken != Woken::readable) continue;
    char c = 0;
    const ssize_t n = ::read(in, &c, 1);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return std::nullopt;
    if (c == '\n') return typed;
    if (typed.size() < 256) typed += c;
  }
}

}  // namespace cli

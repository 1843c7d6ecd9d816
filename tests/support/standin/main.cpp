// A stand-in for Odoo 17 as a proxy sees it: prefork workers that answer HTTP/1.0 and close, a
// websocket port beside them, and the same ways to be slow, to fail and to stop.
#include <poll.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/standin/control_port.h"
#include "tests/support/standin/event_port.h"
#include "tests/support/standin/options.h"
#include "tests/support/standin/prefork_port.h"
#include "tests/support/standin/site.h"

namespace standin {
namespace {

void raise_file_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

// Whole or not at all: readers wait for the name to appear.
void write_ports_file(const std::string& path, const std::string& line) {
  if (path.empty()) return;
  const std::string temporary = path + ".new";
  FILE* file = fopen(temporary.c_str(), "we");
  const bool is_written = file != nullptr && fputs(line.c_str(), file) >= 0;
  if (file == nullptr || fclose(file) != 0 || !is_written ||
      rename(temporary.c_str(), path.c_str()) != 0) {
    perror(path.c_str());
    exit(1);
  }
}

// Does something after a delay, unless the stop comes first; without a delay, at once.
class Later {
 public:
  Later(int delay_ms, const std::function<void()>& action) {
    if (delay_ms == 0) {
      action();
      return;
    }
    thread_ = std::thread([this, delay_ms, action] {
      if (!is_stopped_within(delay_ms)) action();
    });
  }
  ~Later() {
    stop_.raise();
    if (thread_.joinable()) thread_.join();
  }

 private:
  bool is_stopped_within(int delay_ms) {
    pollfd fd{stop_.fd(), POLLIN, 0};
    return poll(&fd, 1, delay_ms) != 0;
  }

  StopSignal stop_;
  std::thread thread_;
};

int run(const Options& options, Settings& settings) {
  sigset_t ends{};
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);  // in every thread: they are waited for below
  signal(SIGPIPE, SIG_IGN);
  raise_file_limit();

  Site site(options, settings);
  Fd http_bound = bind_tcp(options.host, options.http_port);
  const int http_port = port_of(http_bound.get());
  EventPort websocket(site, bind_tcp(options.host, options.websocket_port), Side::websocket, 1);
  std::unique_ptr<ControlPort> control;
  std::string line =
      "http=" + std::to_string(http_port) + " websocket=" + std::to_string(websocket.port());
  if (options.control_port >= 0) {
    control = std::make_unique<ControlPort>(site, bind_tcp(options.host, options.control_port));
    line += " control=" + std::to_string(control->port());
  }
  std::unique_ptr<PreforkPort> prefork;
  std::unique_ptr<EventPort> fast;
  if (options.keepalive) {
    fast = std::make_unique<EventPort>(site, std::move(http_bound), Side::http, options.workers);
    fast->start();
  } else {
    prefork = std::make_unique<PreforkPort>(site, std::move(http_bound));
  }
  auto workers = std::make_unique<Later>(options.http_delay_ms, [&] {
    if (prefork) prefork->start();
  });
  auto opens = std::make_unique<Later>(options.websocket_delay_ms, [&] { websocket.start(); });
  line += "\n";
  write_ports_file(options.ports_file, line);
  fputs(line.c_str(), stdout);
  fflush(stdout);

  int received = 0;
  sigwait(&ends, &received);
  std::thread([ends] {  // a second signal ends everything at once, answers or not
    int again = 0;
    sigwait(&ends, &again);
    _exit(1);
  })
      .detach();
  workers.reset();
  opens.reset();
  websocket.stop(/*is_abrupt=*/true);
  if (prefork) prefork->stop();
  if (fast) fast->stop(/*is_abrupt=*/false);
  return 0;
}

}  // namespace
}  // namespace standin

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (std::find(words.begin(), words.end(), "--help") != words.end()) {
    fputs(standin::usage().c_str(), stdout);
    return 0;
  }
  standin::Options options;
  standin::Settings settings;
  std::string message;
  if (!standin::parse_options(words, options, settings, message)) {
    fprintf(stderr, "standin_odoo: %s\n%s", message.c_str(), standin::usage().c_str());
    return 2;
  }
  return standin::run(options, settings);
}

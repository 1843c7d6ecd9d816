// An admin socket that answers as the test says, on a thread of its own; and a console that keeps
// what is printed.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "shifter/cli/program.h"

namespace cli {

// What a daemon does with a line: these bytes; nothing (it is silent); or the end.
struct Act {
  std::string bytes;
  bool closes = false;
  bool interrupts = false;  // SIGINT for the thread that made the daemon
};

class FakeDaemon {
 public:
  using Script = std::function<Act(const std::string& line)>;

  explicit FakeDaemon(Script script) : script_(std::move(script)), owner_(::pthread_self()) {
    char name[] = "/tmp/shifter_test.XXXXXX";
    folder_ = ::mkdtemp(name);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path, path().c_str());
    listener_ = ::socket(AF_UNIX, SOCK_STREAM, 0);
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(listener_, 8), 0);
    EXPECT_EQ(::pipe(stop_), 0);
    sigset_t all, before;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = std::thread([this] { serve(); });
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }
  ~FakeDaemon() {
    ::close(stop_[1]);
    thread_.join();
    ::close(stop_[0]);
    ::close(listener_);
    ::unlink(path().c_str());
    ::rmdir(folder_.c_str());
  }
  std::string path() const { return folder_ + "/admin.sock"; }
  std::vector<std::string> lines() {
    const std::lock_guard lock(mutex_);
    return lines_;
  }

 private:
  void serve() {
    std::vector<pollfd> polled = {{stop_[0], POLLIN, 0}, {listener_, POLLIN, 0}};
    std::vector<std::string> inputs(2);
    for (;;) {
      ::poll(polled.data(), polled.size(), -1);
      if (polled[0].revents != 0) break;
      if (polled[1].revents != 0) {
        polled.push_back({::accept(listener_, nullptr, nullptr), POLLIN, 0});
        inputs.emplace_back();
      }
      for (size_t i = polled.size() - 1; i >= 2; --i) {
        if (polled[i].revents == 0 || read(polled[i].fd, inputs[i])) continue;
        ::close(polled[i].fd);
        polled.erase(polled.begin() + static_cast<long>(i));
        inputs.erase(inputs.begin() + static_cast<long>(i));
      }
    }
    for (size_t i = 2; i < polled.size(); ++i) ::close(polled[i].fd);
  }
  bool read(int peer, std::string& input) {  // false: the connection is over
    char bytes[4096];
    const ssize_t n = ::recv(peer, bytes, sizeof bytes, 0);
    if (n <= 0) return false;
    input.append(bytes, static_cast<size_t>(n));
    for (size_t end; (end = input.find('\n')) != std::string::npos; input.erase(0, end + 1)) {
      const std::string line = input.substr(0, end);
      {
        const std::lock_guard lock(mutex_);
        lines_.push_back(line);
      }
      const Act act = script_(line);
      if (!act.bytes.empty()) ::send(peer, act.bytes.data(), act.bytes.size(), MSG_NOSIGNAL);
      if (act.interrupts) ::pthread_kill(owner_, SIGINT);
      if (act.closes) return false;
    }
    return true;
  }

  Script script_;
  pthread_t owner_;
  std::string folder_;
  int listener_ = -1;
  int stop_[2] = {-1, -1};
  std::mutex mutex_;
  std::vector<std::string> lines_;
  std::thread thread_;
};

struct Ran {
  int code = -1;
  std::string out, err;
};

// `typed`: what a person types; without it there is no person.
inline Ran run_with(const std::vector<std::string>& words, const char* typed = nullptr) {
  const auto text_of = [](std::FILE* file) {
    std::string text(static_cast<size_t>(std::ftell(file)), '\0');
    std::rewind(file);
    text.resize(std::fread(text.data(), 1, text.size(), file));
    std::fclose(file);
    return text;
  };
  Console console;
  console.out = std::tmpfile();
  console.err = std::tmpfile();
  int keyboard[2];
  EXPECT_EQ(::pipe(keyboard), 0);
  console.in = keyboard[0];
  console.has_person = typed != nullptr;
  if (typed != nullptr) {
    EXPECT_GE(::write(keyboard[1], typed, std::strlen(typed)), 0);
  }
  ::close(keyboard[1]);
  Ran ran;
  ran.code = run(words, console);
  ::close(keyboard[0]);
  ran.out = text_of(console.out);
  ran.err = text_of(console.err);
  return ran;
}

// A status of blue and green as the daemon sends it.
struct FakeColor {
  std::string state = "ready";
  int weight = 0;
  std::string health = "up";
  std::string drain;  // an object, or nothing
  std::string flight = R"({"queued":0,"http":0,"longpoll":0,"websocket":0,"mirror":0})";
  std::string totals = R"({"requests":0,"errors":0,"latency":[0,0,0,0]})";
};
struct FakeStatus {
  int schema = 1;
  int epoch = 7;
  FakeColor blue{"ready", 90, "up", {}}, green{"ready", 10, "up", {}};
  std::string degraded = "[]";
  std::string hold = R"({"on":false,"max":200,"timeout":"15s"})";
  std::string fallback = "allow";
  std::string rollout = "null";
  std::string none = R"({"receiving":0,"held":0,"delivering":0})";

  std::string json() const {
    const auto color = [](const FakeColor& one) {
      return R"({"state":")" + one.state + R"(","weight":)" + std::to_string(one.weight) +
             R"(,"health":")" + one.health + R"(","health_for_s":9,"valid_from":0,"in_flight":)" +
             one.flight + R"(,"totals":)" + one.totals +
             (one.drain.empty() ? "" : R"(,"drain":)" + one.drain) + R"(,"addresses":[]})";
    };
    return R"({"ok":true,"epoch":)" + std::to_string(epoch) + R"(,"schema":)" +
           std::to_string(schema) +
           R"(,"version":"0.1.0","uptime_s":7512,"listen":["127.0.0.1:8080"],"admin":"/a",)" +
           R"("metrics":"127.0.0.1:9464","table_version":57,"applied_version":57,"colors":{)" +
           R"("blue":)" + color(blue) + R"(,"green":)" + color(green) + R"(},"no_color":)" + none +
           R"(,"no_color_totals":{"requests":0,"errors":0,"latency":[0,0,0,0]},)" +
           R"("latency_edges_us":[100000,600000,1200000],"hold":)" + hold + R"(,"fallback":")" +
           fallback + R"(","client_connections":3,"rollout":)" + rollout +
           R"(,"lock":null,"dependency_down":false,)" +
           R"("saved":true,"lame_duck":false,"degraded":)" + degraded + R"(,"config_hash":"x"})";
  }
};

}  // namespace cli

#include "shifter/agent/child.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

#include <algorithm>

#include "proxy/base/check.h"
#include "proxy/base/yaml.h"

extern char** environ;

namespace agent {
namespace {

constexpr size_t kOutputMax = 64 << 10;
constexpr uint64_t kBeatMs = 100;
constexpr int kLingerBeats = 5;  // for output that a grandchild still holds open

// A child under way, on a loop of its own. Lives on the stack of run_child().
class Run {
 public:
  Run(const ChildAsk& ask, const std::function<bool()>& beat) : ask_(ask), beat_(beat) {
    failed_ = uv_loop_init(&loop_);  // it wants descriptors of its own
    if (failed_ != 0) return;
    for (uv_pipe_t* pipe : {&out_, &error_}) {
      CHECK(uv_pipe_init(&loop_, pipe, 0) == 0);
      pipe->data = this;
    }
    CHECK(uv_timer_init(&loop_, &timer_) == 0);
    timer_.data = this;
    process_.data = this;
  }
  ~Run() {
    if (failed_ != 0) return;
    for (uv_pipe_t* pipe : {&out_, &error_}) close_once(reinterpret_cast<uv_handle_t*>(pipe));
    close_once(reinterpret_cast<uv_handle_t*>(&timer_));
    uv_run(&loop_, UV_RUN_DEFAULT);
    CHECK(uv_loop_close(&loop_) == 0);
  }

  ChildEnd run() {
    end_.deadline = ask_.deadline;
    if (failed_ != 0) return not_started(failed_);
    if (!start()) return std::move(end_);
    CHECK(uv_timer_start(&timer_, on_timer, kBeatMs, kBeatMs) == 0);
    begun_ = uv_now(&loop_);
    uv_run(&loop_, UV_RUN_DEFAULT);
    end_.tail = tail_.lines();
    return std::move(end_);
  }

 private:
  static Run& self(void* handle_data) { return *static_cast<Run*>(handle_data); }
  static void close_once(uv_handle_t* handle) {
    if (!uv_is_closing(handle)) uv_close(handle, nullptr);
  }

  ChildEnd not_started(int why) {
    end_.why = ChildEnd::Why::not_started;
    end_.error =
        (ask_.words.empty() ? std::string("no command") : ask_.words[0]) + ": " + uv_strerror(why);
    return std::move(end_);
  }

  bool start() {
    std::vector<char*> words;
    for (const std::string& word : ask_.words) words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    std::vector<std::string> pairs;
    for (char** one = environ; *one != nullptr; ++one) pairs.emplace_back(*one);
    for (const auto& [key, value] : ask_.environment) pairs.push_back(key + "=" + value);
    std::vector<char*> environment;
    for (std::string& pair : pairs) environment.push_back(pair.data());
    environment.push_back(nullptr);
    uv_stdio_container_t stdio[3];
    stdio[0].flags = UV_IGNORE;
    for (int i = 1; i <= 2; ++i) {
      stdio[i].flags = static_cast<uv_stdio_flags>(UV_CREATE_PIPE | UV_WRITABLE_PIPE);
      stdio[i].data.stream = reinterpret_cast<uv_stream_t*>(i == 1 ? &out_ : &error_);
    }
    uv_process_options_t options{};
    options.file = words[0];
    options.args = words.data();
    options.env = environment.data();
    options.cwd = ask_.folder.empty() ? nullptr : ask_.folder.c_str();
    options.flags = UV_PROCESS_DETACHED;  // a session and group of its own
    options.stdio_count = 3;
    options.stdio = stdio;
    options.exit_cb = on_exit;
    const int failed = words[0] == nullptr ? UV_EINVAL : uv_spawn(&loop_, &process_, &options);
    if (failed != 0) {
      end_ = not_started(failed);
      if (words[0] != nullptr) close_once(reinterpret_cast<uv_handle_t*>(&process_));
      return false;
    }
    group_ = process_.pid;
    for (uv_pipe_t* pipe : {&out_, &error_}) {
      uv_read_start(reinterpret_cast<uv_stream_t*>(pipe), give_buffer, on_read);
      ++pipes_open_;
    }
    return true;
  }

  static void give_buffer(uv_handle_t* handle, size_t, uv_buf_t* buffer) {
    Run& run = self(handle->data);
    *buffer = uv_buf_init(run.buffer_, sizeof run.buffer_);
  }
  static void on_read(uv_stream_t* stream, ssize_t count, const uv_buf_t* buffer) {
    Run& run = self(stream->data);
    if (count < 0) {
      close_once(reinterpret_cast<uv_handle_t*>(stream));
      --run.pipes_open_;
      return run.finish_if_over();
    }
    const std::string_view piece(buffer->base, static_cast<size_t>(count));
    run.tail_.add(piece);
    if (stream == reinterpret_cast<uv_stream_t*>(&run.out_)) {
      run.end_.output += piece.substr(0, kOutputMax - std::min(kOutputMax, run.end_.output.size()));
    }
  }
  static void on_exit(uv_process_t* process, int64_t code, int signal) {
    Run& run = self(process->data);
    run.exited_ = true;
    if (run.end_.why == ChildEnd::Why::exited) {
      run.end_.code = signal != 0 ? signal : static_cast<int>(code);
      if (signal != 0) run.end_.why = ChildEnd::Why::signalled;
    }
    close_once(reinterpret_cast<uv_handle_t*>(process));
    run.finish_if_over();
  }
  static void on_timer(uv_timer_t* timer) { self(timer->data).look(); }

  bool is_ending() const {
    return end_.why == ChildEnd::Why::deadline || end_.why == ChildEnd::Why::stopped;
  }
  bool group_is_empty() const { return ::kill(-group_, 0) != 0; }

  void look() {
    const uint64_t now = uv_now(&loop_);
    const bool may_go_on = beat_();
    if (!is_ending() && !exited_) {
      const bool late = now - begun_ >= static_cast<uint64_t>(ask_.deadline.count());
      if (late || !may_go_on) {
        end_.why = late ? ChildEnd::Why::deadline : ChildEnd::Why::stopped;
        ended_ = now;
        ::kill(-group_, SIGTERM);
      }
    }
    if (is_ending() && !killed_ && now - ended_ >= static_cast<uint64_t>(kKillAfter.count())) {
      killed_ = true;
      ::kill(-group_, SIGKILL);
    }
    if (exited_) ++beats_since_exit_;
    finish_if_over();
  }

  // Over: it was reaped, and its output is at its end or is held open by one that outlives it. A
  // group that is being ended is waited for as a whole.
  void finish_if_over() {
    if (!exited_) return;
    if (is_ending() && !killed_ && !group_is_empty()) return;
    if (pipes_open_ > 0 && beats_since_exit_ < kLingerBeats) return;
    for (uv_pipe_t* pipe : {&out_, &error_}) close_once(reinterpret_cast<uv_handle_t*>(pipe));
    close_once(reinterpret_cast<uv_handle_t*>(&timer_));
  }

  const ChildAsk& ask_;
  const std::function<bool()>& beat_;
  int failed_ = 0;
  uv_loop_t loop_{};
  uv_process_t process_{};
  uv_pipe_t out_{}, error_{};
  uv_timer_t timer_{};
  char buffer_[16 << 10];
  ChildEnd end_;
  Tail tail_;
  pid_t group_ = 0;
  uint64_t begun_ = 0;
  uint64_t ended_ = 0;
  int pipes_open_ = 0;
  int beats_since_exit_ = 0;
  bool exited_ = false;
  bool killed_ = false;
};

}  // namespace

std::string ChildEnd::text() const {
  switch (why) {
    case Why::exited:
      return "exit code " + std::to_string(code);
    case Why::signalled:
      return "ended by signal " + std::to_string(code);
    case Why::deadline:
      return "not over after its deadline of " + base::duration_text(deadline);
    case Why::stopped:
      return "ended because the agent stops";
    case Why::not_started:
      return "not started: " + error;
  }
  return {};
}

void Tail::add(std::string_view piece) {
  for (char c : piece) {
    if (c == '\n') {
      lines_.push_back(std::move(last_));
      last_.clear();
      if (lines_.size() > kLines) lines_.pop_front();
    } else if (last_.size() < kLineBytes) {
      // Whatever a terminal would take as a command is not passed on.
      last_ += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
    }
  }
}

std::vector<std::string> Tail::lines() const {
  std::vector<std::string> lines(lines_.begin(), lines_.end());
  if (!last_.empty()) lines.push_back(last_);
  if (lines.size() > kLines) lines.erase(lines.begin());
  return lines;
}

ChildEnd run_child(const ChildAsk& ask, const std::function<bool()>& beat) {
  return Run(ask, beat).run();
}

}  // namespace agent

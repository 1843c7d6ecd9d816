#include "proxy/base/log.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <ctime>
#include <mutex>
#include <thread>

#include "proxy/base/utf8.h"

namespace base {
namespace {

void append_number(int64_t value, std::string& out) {
  char text[24];
  const auto end = std::to_chars(text, text + sizeof text, value);
  out.append(text, static_cast<size_t>(end.ptr - text));
}

void append_escaped(char c, std::string& out) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      out += "\\u00";
      out += "0123456789abcdef"[static_cast<uint8_t>(c) >> 4];
      out += "0123456789abcdef"[c & 0xf];
  }
}

int open_log(const std::string& path) {
  if (path == "-") return STDOUT_FILENO;
  if (path == "stderr") return STDERR_FILENO;
  return open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
}

}  // namespace

void escape_json(std::string_view value, std::string& out) {
  size_t plain = 0;  // since here nothing needed a change
  for (size_t at = 0; at < value.size();) {
    const auto byte = static_cast<uint8_t>(value[at]);
    if (byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\') {
      ++at;
      continue;
    }
    const size_t length = byte < 0x80 ? 0 : utf8_length(value, at);
    if (length > 0) {
      at += length;
      continue;
    }
    out.append(value.substr(plain, at - plain));
    if (byte < 0x80) {
      append_escaped(value[at], out);
    } else {
      out += "\\ufffd";
    }
    plain = ++at;
  }
  out.append(value.substr(plain));
}

void LogLine::begin(std::string_view key) {
  if (line_.size() > 1) line_ += ',';
  line_ += '"';
  line_ += key;
  line_ += "\":";
}

LogLine& LogLine::add(std::string_view key, std::string_view value) {
  begin(key);
  line_ += '"';
  escape_json(value, line_);
  line_ += '"';
  return *this;
}

LogLine& LogLine::add(std::string_view key, int64_t value) {
  begin(key);
  append_number(value, line_);
  return *this;
}

LogLine& LogLine::add(std::string_view key, bool value) {
  begin(key);
  line_ += value ? "true" : "false";
  return *this;
}

LogLine& LogLine::add_seconds(std::string_view key, int64_t us) {
  begin(key);
  if (us < 0) us = 0;
  append_number(us / 1'000'000, line_);
  char fraction[7] = {'.', '0', '0', '0', '0', '0', '0'};
  for (int64_t i = 6, rest = us % 1'000'000; i > 0; --i, rest /= 10) {
    fraction[i] = static_cast<char>('0' + rest % 10);
  }
  line_.append(fraction, sizeof fraction);
  return *this;
}

LogLine& LogLine::add_raw(std::string_view key, std::string_view json) {
  begin(key);
  line_ += json;
  return *this;
}

std::string_view LogLine::text() {
  if (!closed_) line_ += "}\n";
  closed_ = true;
  return line_;
}

void LogLine::clear() {
  line_.assign(1, '{');
  closed_ = false;
}

std::string_view label_of(Level level) {
  switch (level) {
    case Level::debug:
      return "debug";
    case Level::info:
      return "info";
    case Level::warning:
      return "warning";
    case Level::error:
      return "error";
  }
  return "error";
}

std::string timestamp() {
  const auto now = std::chrono::system_clock::now();
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  const auto ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() % 1000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[40];
  const size_t length = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text + length, sizeof text - length, ".%03dZ", static_cast<int>(ms));
  return text;
}

struct Log::Parts {
  std::string path;
  size_t queue_bytes_max = 0;
  std::mutex mutex;
  std::condition_variable wake;     // the writer
  std::condition_variable written;  // flush()
  std::string queue;
  int64_t queued = 0;  // flushes count lines
  int64_t done = 0;
  bool stopping = false;
  int64_t reopens_asked = 0;
  int64_t reopens_done = 0;
  std::atomic<int64_t> dropped{0};
  // The writer's own.
  int descriptor = -1;
  bool is_torn = false;  // a line was cut off by an error: the next begins on a line of its own
  std::thread writer;

  void run();
  void write_out(std::string_view bytes);
  void close_file() const;
};

void Log::Parts::close_file() const {
  if (descriptor > STDERR_FILENO) close(descriptor);
}

// Needs: whole lines.
void Log::Parts::write_out(std::string_view bytes) {
  if (is_torn && !bytes.empty()) {
    if (::write(descriptor, "\n", 1) != 1) {
      dropped.fetch_add(std::count(bytes.begin(), bytes.end(), '\n'));
      return;
    }
    is_torn = false;
  }
  char last = '\n';
  while (!bytes.empty()) {
    const ssize_t n = ::write(descriptor, bytes.data(), bytes.size());
    if (n >= 0) {
      if (n > 0) last = bytes[static_cast<size_t>(n) - 1];
      bytes.remove_prefix(static_cast<size_t>(n));
    } else if (errno == EAGAIN) {  // somebody made our standard output non-blocking
      pollfd state{descriptor, POLLOUT, 0};
      poll(&state, 1, 1000);
    } else if (errno != EINTR) {
      // A full disk must not stop anything else.
      dropped.fetch_add(std::count(bytes.begin(), bytes.end(), '\n'));
      is_torn = last != '\n';
      return;
    }
  }
}

void Log::Parts::run() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);  // a closed pipe is an error here, no signal
  std::string taken;
  std::unique_lock lock(mutex);
  for (;;) {
    wake.wait(lock, [this] { return stopping || reopens_asked > reopens_done || !queue.empty(); });
    if (queue.empty() && reopens_asked == reopens_done) return;
    taken.clear();
    taken.swap(queue);
    const int64_t up_to = queued;
    const int64_t reopens = reopens_asked;
    const bool reopen = reopens > reopens_done;
    lock.unlock();
    write_out(taken);
    if (reopen) {
      const int fresh = open_log(path);
      if (fresh >= 0) {
        close_file();
        descriptor = fresh;
        is_torn = false;
      }
    }
    lock.lock();
    reopens_done = reopens;
    done = up_to;
    written.notify_all();
  }
}

Result<std::unique_ptr<Log>> Log::open(const std::string& path, size_t queue_bytes_max) {
  auto parts = std::make_unique<Parts>();
  parts->path = path;
  parts->queue_bytes_max = queue_bytes_max;
  parts->descriptor = open_log(path);
  if (parts->descriptor < 0) return fail(io_error("open " + path, errno));
  parts->writer = std::thread([raw = parts.get()] { raw->run(); });
  return std::unique_ptr<Log>(new Log(std::move(parts)));
}

Log::Log(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Log::~Log() {
  {
    std::lock_guard lock(parts_->mutex);
    parts_->stopping = true;
  }
  parts_->wake.notify_all();
  parts_->writer.join();
  parts_->close_file();
}

void Log::write(std::string_view line) {
  bool was_empty;
  {
    std::lock_guard lock(parts_->mutex);
    if (parts_->queue.size() + line.size() > parts_->queue_bytes_max) {
      parts_->dropped.fetch_add(1);
      return;
    }
    was_empty = parts_->queue.empty();
    parts_->queue.append(line);
    ++parts_->queued;
  }
  if (was_empty) parts_->wake.notify_one();
}

void Log::event(Level level, std::string_view event, LogLine fields) {
  LogLine line;
  line.add("time", timestamp()).add("level", label_of(level)).add("event", event);
  std::string_view rest = fields.text();  // {…}\n
  std::string whole(line.text());
  if (rest.size() > 3) {
    whole.resize(whole.size() - 2);
    whole += ',';
    whole += rest.substr(1);
  }
  write(whole);
}

int64_t Log::dropped() const { return parts_->dropped.load(); }

void Log::reopen() {
  {
    std::lock_guard lock(parts_->mutex);
    ++parts_->reopens_asked;
  }
  parts_->wake.notify_all();
}

void Log::flush() {
  std::unique_lock lock(parts_->mutex);
  const int64_t up_to = parts_->queued;
  const int64_t reopens = parts_->reopens_asked;
  parts_->written.wait(lock,
                       [&] { return parts_->done >= up_to && parts_->reopens_done >= reopens; });
}

}  // namespace base

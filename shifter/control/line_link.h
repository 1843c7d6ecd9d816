// Lines of text to and from another process of ours. Bounded both ways: a peer that sends a line
// too long, or takes nothing, is left. Main thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "proxy/base/loop.h"

namespace control {

class LineLink final : public base::Disposable, private base::StreamHandler {
 public:
  static constexpr size_t kBytesMax = 4 << 20;  // of a line, and of what waits to be sent

  // `left` is called once at most, when the link is over; never from inside a call. Either callback
  // may dispose of this object (Loop::dispose).
  LineLink(base::Loop& loop, std::unique_ptr<base::Stream> stream,
           std::function<void(const std::string&)> line,
           std::function<void(std::string_view why)> left);
  void send(std::string line);
  void end() { over_ = true; }  // neither callback is called any more
  base::Stream& stream() { return *stream_; }
  // For whoever goes on with the connection: the next line is told there.
  void set_handlers(std::function<void(const std::string&)> line,
                    std::function<void(std::string_view why)> left) {
    line_ = std::move(line);
    left_ = std::move(left);
  }

 private:
  void on_bytes(std::string_view bytes) override;
  void on_end() override { leave("it has left"); }
  void on_broken(const base::Error& error) override { leave(error.detail); }
  void on_flushed() override {}
  void leave(std::string_view why);

  std::unique_ptr<base::Stream> stream_;
  std::function<void(const std::string&)> line_;
  std::function<void(std::string_view)> left_;
  std::string input_;
  base::Timer overflow_;  // too much waits: told from the loop
  void on_overflow() { leave("it takes nothing"); }
  bool over_ = false;
};

}  // namespace control

#include "shifter/control/line_link.h"

namespace control {

LineLink::LineLink(base::Loop& loop, std::unique_ptr<base::Stream> stream,
                   std::function<void(const std::string&)> line,
                   std::function<void(std::string_view)> left)
    : stream_(std::move(stream)),
      line_(std::move(line)),
      left_(std::move(left)),
      overflow_(loop.timers(), this, base::fires<&LineLink::on_overflow>) {
  stream_->set_handler(this);
  stream_->resume_reading();
}

void LineLink::send(std::string line) {
  if (over_ || stream_ == nullptr) return;
  line += '\n';
  stream_->write(line);
  if (stream_->pending() > kBytesMax && !overflow_.is_running()) overflow_.start(base::Millis{0});
}

// The owner may dispose of this object in line_; it lives until the loop's turn ends.
void LineLink::on_bytes(std::string_view bytes) {
  input_.append(bytes);
  size_t begin = 0;
  for (size_t end; !over_ && (end = input_.find('\n', begin)) != std::string::npos;) {
    const std::string line = input_.substr(begin, end - begin);
    begin = end + 1;
    const auto told = line_;  // may be replaced by what it does
    told(line);
  }
  input_.erase(0, begin);
  if (input_.size() > kBytesMax) leave("a line without an end");
}

void LineLink::leave(std::string_view why) {
  if (std::exchange(over_, true)) return;
  const auto left = left_;
  left(why);
}

}  // namespace control

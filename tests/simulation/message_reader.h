// Reads HTTP messages as a strict peer does, piece by piece. Written without a look at proxy/http:
// what we send must be right for somebody else.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace simulation {

struct Head {
  std::string start;
  std::vector<std::pair<std::string, std::string>> fields;
  int status = 0;      // answers
  std::string method;  // requests
  std::string target;
  int minor = 1;

  // The value of the only field of that name; nullptr without one or with several.
  const std::string* find(std::string_view name) const;
  int count(std::string_view name) const;
  bool is_interim() const { return status >= 100 && status < 200 && status != 101; }
};

class MessageReader {
 public:
  enum class Framing { none, length, chunked, until_close };

  // bodiless: the answer to HEAD.
  void begin(bool is_answer, bool bodiless);
  // Takes what belongs to this message, at most up to the end of its head or of itself; what of
  // it is content is added to `content`. Look at the state after each call.
  size_t feed(std::string_view bytes, std::string& content);
  // The peer has closed. True: the message is whole by that.
  bool end();

  bool head_done() const { return head_done_; }
  bool is_done() const { return done_; }
  bool is_begun() const { return begun_; }
  const char* fault() const { return fault_; }
  const Head& head() const { return head_; }
  Framing framing() const { return framing_; }
  uint64_t length() const { return length_; }

 private:
  void finish_head();
  bool read_framing();
  size_t feed_chunked(std::string_view bytes, std::string& content);

  bool is_answer_ = true;
  bool bodiless_ = false;
  bool begun_ = false;
  bool head_done_ = false;
  bool done_ = false;
  const char* fault_ = nullptr;
  std::string text_;  // of the head, or of a chunk line
  Head head_;
  Framing framing_ = Framing::none;
  uint64_t length_ = 0;
  uint64_t left_ = 0;
  enum class Part { size, data, data_end, trailer } part_ = Part::size;
};

}  // namespace simulation

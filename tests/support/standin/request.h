// One HTTP request as the stand-in reads it: lenient where the real one is lenient, and only as
// exact as its answers need.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace standin {

struct Request {
  std::string method;
  std::string target;  // as received
  std::string path;    // before "?", undecoded
  std::string query;
  std::string version;  // "HTTP/1.1"
  std::vector<std::pair<std::string, std::string>> headers;

  // The first of that name, in any case.
  std::optional<std::string_view> header(std::string_view name) const;
  std::string parameter(std::string_view name, std::string_view otherwise = "") const;
  int64_t number(std::string_view name, int64_t otherwise) const;
  bool is_keep_alive() const;  // by version and Connection
};

// The end of the head in `bytes` (past its empty line), or npos.
size_t find_head_end(std::string_view bytes);

// 0, or the status that the real one answers to a head like this.
int parse_head(std::string_view head, Request& request);

// Takes the body as it comes: counts and hashes all of it, keeps only its beginning.
class BodyReader {
 public:
  enum class State : uint8_t { reading, done, broken };

  BodyReader() = default;
  explicit BodyReader(const Request& request);

  State state() const { return state_; }
  // How many of these bytes belonged to the body; the rest is not ours.
  size_t feed(std::string_view bytes);

  int64_t declared() const { return declared_; }  // -1: chunked
  int64_t size() const { return size_; }
  uint64_t hash() const { return hash_; }  // FNV-1a, 64 bits
  const std::string& beginning() const { return beginning_; }

 private:
  void take(std::string_view bytes);
  void take_chunk_line(std::string_view line);

  State state_ = State::done;
  bool is_chunked_ = false;
  bool in_trailer_ = false;
  int64_t declared_ = 0;
  int64_t left_ = 0;  // of the body or the chunk
  std::string line_;  // of the chunk framing, while it is not whole
  int64_t size_ = 0;
  uint64_t hash_ = 0xcbf29ce484222325;
  std::string beginning_;
};

}  // namespace standin

// What the stand-in serves: requests in, answers out, the same on every port. Used by all threads.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "tests/support/standin/options.h"
#include "tests/support/standin/request.h"

namespace standin {

enum class Side : uint8_t { http, websocket };

struct Answer {
  int status = 200;
  std::string fields;  // whole lines, in order, without framing
  std::string body;
  std::string_view file;  // the body instead, out of the site's own memory
  int64_t delay_ms = 0;   // the worker is busy before it answers
  const std::atomic<Settings::Page>* hangs = nullptr;  // no answer while this says hang
  int events = 0;                                      // a stream of that many, without a length
  int64_t event_ms = 0;

  std::string_view content() const { return file.empty() ? std::string_view(body) : file; }
};

std::string event_text(int number);
std::string http_date();
std::string json_text(std::string_view text);  // in quotes

// The head as a prefork worker writes it (HTTP/1.0, close) or as the event-driven server does.
std::string prefork_head(const Answer& answer);
std::string event_head(const Answer& answer, bool keep_alive);

struct Stats {
  std::atomic<int64_t> http_accepted{0};
  std::atomic<int64_t> http_open{0};
  std::atomic<int64_t> connections_peak{0};  // open and in the accept queue together
  std::atomic<int64_t> requests{0};
  std::atomic<int64_t> truncated{0};  // answers cut because the reader stalled
  std::atomic<int64_t> websockets_open{0};
  std::atomic<int64_t> websockets_opened{0};
};

class Site {
 public:
  Site(const Options& options, Settings& settings);
  ~Site();
  Site(const Site&) = delete;
  Site& operator=(const Site&) = delete;

  // The body is whole, or its reader says how it ended.
  Answer answer(const Request& request, const BodyReader& body, Side side);
  // Answered before the body is read: a head that is refused, or a JSON body that is too long.
  static Answer refusal(int status);
  static bool is_too_long(const Request& request, const BodyReader& body);
  static Answer too_long();
  static Answer disconnected(const Request& request);  // the body stopped short

  std::string name_fields() const;   // which stand-in this is
  std::string new_session_cookie();  // the whole Set-Cookie line
  void log_nonce(const Request& request);

  const Options& options() const { return options_; }
  Settings& settings() { return settings_; }
  Stats& stats() { return stats_; }
  std::string stats_json() const;

 private:
  Answer executed(const Request& request, const BodyReader& body, Side side);
  Answer dynamic(const Request& request, const BodyReader& body, Side side);
  Answer health(const std::atomic<Settings::Page>& page) const;
  Answer asset(const Request& request) const;
  Answer file(const Request& request, std::string_view content, std::string_view type,
              std::string_view caching) const;
  Answer rpc(const Request& request, const BodyReader& body);
  Answer login(const Request& request, const BodyReader& body);
  Answer page(size_t bytes, std::string_view title) const;
  Answer echo(const Request& request, const BodyReader& body) const;
  void add_session(const Request& request, bool always, Answer& answer);
  uint64_t random();
  double draw() { return static_cast<double>(random() >> 11) * 0x1.0p-53; }

  const Options& options_;
  Settings& settings_;
  Stats stats_;
  std::atomic<uint64_t> random_at_;
  std::string asset_hash_;
  std::string script_;
  std::string style_;
  std::string picture_;
  int nonce_log_ = -1;
};

}  // namespace standin

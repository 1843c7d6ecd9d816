// The one wrapper of cpp-httplib, both halves. What the library leaves open is closed here: time
// and size of a head, bodies that grow when decompressed, waiting connections, and the answer that
// a client would lose if the socket were closed over its unread bytes.
#include <arpa/inet.h>
#include <httplib.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "f29svc/http/http_client.h"
#include "f29svc/http/http_server.h"

namespace f29 {

using base::ErrorCode;
using base::Side;
using Deadline = std::chrono::steady_clock::time_point;

namespace {

Deadline after(base::Millis time) { return std::chrono::steady_clock::now() + time; }

// Ends a request whose answer comes too slowly, whatever it is doing.
class Alarm {
 public:
  Alarm(httplib::Client& client, base::Millis time)
      : thread_([this, &client, until = after(time)] {
          std::unique_lock lock(mutex_);
          if (wake_.wait_until(lock, until, [this] { return done_; })) return;
          rang_ = true;
          client.stop();
        }) {}
  ~Alarm() { stop(); }
  bool stop() {
    {
      std::lock_guard lock(mutex_);
      done_ = true;
    }
    wake_.notify_one();
    if (thread_.joinable()) thread_.join();
    return rang_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  bool done_ = false;
  bool rang_ = false;
  std::thread thread_;
};

base::Error client_error(httplib::Error error, bool timed_out) {
  using E = httplib::Error;
  if (timed_out) return {ErrorCode::backend_timeout, Side::backend, "no whole answer in time"};
  switch (error) {
    case E::ConnectionTimeout:
      return {ErrorCode::connect_timeout, Side::backend, "no connection in time"};
    case E::Connection:
    case E::BindIPAddress:
      return {ErrorCode::connect_refused, Side::backend, "no connection"};
    case E::SSLServerVerification:
      return {ErrorCode::connect_failed, Side::backend, "its certificate is not accepted"};
    case E::SSLConnection:
    case E::SSLLoadingCerts:
      return {ErrorCode::connect_failed, Side::backend, "no TLS connection"};
    case E::Canceled:
      return {ErrorCode::bad_backend_message, Side::backend, "the answer is above the limit"};
    default:
      return {ErrorCode::backend_reset, Side::backend, "the connection broke"};
  }
}

}  // namespace

// ---- client -------------------------------------------------------------------------------------

struct HttpClient::Parts {
  explicit Parts(HttpClientOptions given) : options(std::move(given)), client(options.url) {}
  HttpClientOptions options;
  httplib::Client client;
};

HttpClient::HttpClient(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
HttpClient::~HttpClient() = default;

base::Result<std::unique_ptr<HttpClient>> HttpClient::make(HttpClientOptions options) {
  std::string& url = options.url;
  while (url.ends_with('/')) url.pop_back();
  const size_t scheme = url.starts_with("http://") ? 7 : url.starts_with("https://") ? 8 : 0;
  if (scheme == 0 || url.size() == scheme || url.find_first_of("/@?# ", scheme) != url.npos) {
    return base::fail(ErrorCode::bad_config, Side::proxy, "not an address like https://host:port");
  }
  auto parts = std::make_unique<Parts>(std::move(options));
  httplib::Client& client = parts->client;
  if (!client.is_valid()) {
    return base::fail(ErrorCode::bad_config, Side::proxy, "not an address like https://host:port");
  }
  const HttpClientOptions& o = parts->options;
  client.set_connection_timeout(o.connect_timeout);
  client.set_read_timeout(o.read_timeout);
  client.set_write_timeout(o.read_timeout);
  client.set_keep_alive(false);
  client.set_follow_location(false);
  client.enable_server_certificate_verification(true);
  if (!o.ca_file.empty()) client.set_ca_cert_path(o.ca_file);
  return std::unique_ptr<HttpClient>(new HttpClient(std::move(parts)));
}

base::Result<HttpAnswer> HttpClient::post(const std::string& path, const std::string& body,
                                          const std::string& content_type) {
  HttpAnswer answer;
  const auto most = static_cast<size_t>(parts_->options.answer_bytes_max);
  httplib::Request request;
  request.method = "POST";
  request.path = path;
  request.body = body;
  request.set_header("Content-Type", content_type);
  request.content_receiver = [&](const char* data, size_t size, uint64_t, uint64_t) {
    if (size > most - answer.body.size()) return false;
    answer.body.append(data, size);
    return true;
  };
  const Deadline begun = std::chrono::steady_clock::now();
  Alarm alarm(parts_->client, parts_->options.total_timeout);
  const httplib::Result result = parts_->client.send(request);
  const bool rang = alarm.stop();
  if (!result) {
    const bool stalled = result.error() == httplib::Error::Read &&
                         std::chrono::steady_clock::now() - begun >= parts_->options.read_timeout;
    return base::fail(client_error(result.error(), rang || stalled));
  }
  answer.status = result->status;
  return answer;
}

// ---- server -------------------------------------------------------------------------------------

namespace {

// One accepted socket, with a deadline and a byte budget for each phase.
class LimitedStream final : public httplib::Stream {
 public:
  LimitedStream(int socket, const HttpServerOptions& options)
      : socket_(socket),
        options_(options),
        deadline_(after(options.head_timeout)),
        bytes_left_(options.head_bytes_max) {}

  void head_is_complete() {
    deadline_ = after(options_.body_timeout);
    // Chunk sizes and trailers come on top of the body itself.
    bytes_left_ = 2 * options_.body_bytes_max + options_.head_bytes_max;
    in_head_ = false;
  }
  void begin_answer() { write_deadline_ = after(options_.write_timeout); }
  bool head_was_too_large() const { return in_head_ && bytes_left_ == 0; }
  bool late() const { return late_; }

  bool is_readable() const override { return wait(POLLIN, deadline_); }
  bool is_writable() const override { return wait(POLLOUT, write_deadline_); }
  ssize_t read(char* into, size_t size) override {
    if (begin_ == end_ && !fill()) return is_at_end_ ? 0 : -1;
    const auto most = std::min<int64_t>(static_cast<int64_t>(end_ - begin_), bytes_left_);
    const size_t taken = std::min(size, static_cast<size_t>(most));
    if (taken == 0) return -1;
    std::copy_n(buffer_ + begin_, taken, into);
    begin_ += taken;
    bytes_left_ -= static_cast<int64_t>(taken);
    return static_cast<ssize_t>(taken);
  }
  ssize_t write(const char* bytes, size_t size) override {
    size_t sent = 0;
    while (sent < size) {
      const ssize_t n = ::send(socket_, bytes + sent, size - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (n > 0) {
        sent += static_cast<size_t>(n);
      } else if (n < 0 && errno == EAGAIN) {
        if (!wait(POLLOUT, write_deadline_)) return -1;
      } else if (n < 0 && errno != EINTR) {
        return -1;
      }
    }
    return static_cast<ssize_t>(size);
  }
  void get_remote_ip_and_port(std::string& ip, int& port) const override {
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    auto* any = reinterpret_cast<sockaddr*>(&address);
    if (::getpeername(socket_, any, &length) != 0) return;
    char host[INET6_ADDRSTRLEN] = "";
    if (address.ss_family == AF_INET) {
      const auto* v4 = reinterpret_cast<const sockaddr_in*>(&address);
      ::inet_ntop(AF_INET, &v4->sin_addr, host, sizeof host);
      port = ntohs(v4->sin_port);
    } else if (address.ss_family == AF_INET6) {
      const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&address);
      ::inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof host);
      port = ntohs(v6->sin6_port);
    }
    ip = host;
  }
  void get_local_ip_and_port(std::string&, int&) const override {}
  socket_t socket() const override { return socket_; }

  // A client that still sends would get a reset and lose its answer: read on for a moment.
  void linger() {
    if (late_) return;  // it has had its time
    ::shutdown(socket_, SHUT_WR);
    deadline_ = after(base::Millis(2'000));
    for (int64_t left = 64 << 20; left > 0 && fill(); left -= static_cast<int64_t>(end_)) {
    }
  }

 private:
  static bool wait_on(int socket, short what, Deadline until) {
    while (true) {
      const auto left = std::chrono::ceil<base::Millis>(until - std::chrono::steady_clock::now());
      if (left.count() <= 0) return false;
      pollfd poll{socket, what, 0};
      const int ready = ::poll(&poll, 1, static_cast<int>(std::min<int64_t>(left.count(), 60'000)));
      if (ready > 0) return true;
      if (ready < 0 && errno != EINTR) return false;
    }
  }
  bool wait(short what, Deadline until) const { return wait_on(socket_, what, until); }
  bool fill() {
    begin_ = end_ = 0;
    while (!is_at_end_) {
      if (!wait(POLLIN, deadline_)) {
        late_ = true;
        return false;
      }
      const ssize_t n = ::recv(socket_, buffer_, sizeof buffer_, MSG_DONTWAIT);
      if (n > 0) {
        end_ = static_cast<size_t>(n);
        return true;
      }
      if (n == 0) is_at_end_ = true;
      if (n < 0 && errno != EAGAIN && errno != EINTR) return false;
    }
    return false;
  }

  int socket_;
  const HttpServerOptions& options_;
  Deadline deadline_;
  Deadline write_deadline_ = after(base::Millis(0));
  int64_t bytes_left_;
  bool in_head_ = true;
  bool is_at_end_ = false;
  bool late_ = false;
  size_t begin_ = 0;
  size_t end_ = 0;
  char buffer_[16 << 10];
};

// A fixed number of threads and a bounded line before them; the acceptor waits when it is full.
class BoundedQueue final : public httplib::TaskQueue {
 public:
  BoundedQueue(int threads, int waiting_max) : waiting_max_(static_cast<size_t>(waiting_max)) {
    for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
  }
  void enqueue(std::function<void()> task) override {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [this] { return tasks_.size() < waiting_max_; });
    tasks_.push_back(std::move(task));
    more_.notify_one();
  }
  void shutdown() override {
    {
      std::lock_guard lock(mutex_);
      ending_ = true;
    }
    more_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

 private:
  void work() {
    while (true) {
      std::unique_lock lock(mutex_);
      more_.wait(lock, [this] { return ending_ || !tasks_.empty(); });
      if (tasks_.empty()) return;
      const auto task = std::move(tasks_.front());
      tasks_.pop_front();
      room_.notify_one();
      lock.unlock();
      task();
    }
  }

  size_t waiting_max_;
  std::mutex mutex_;
  std::condition_variable more_;
  std::condition_variable room_;
  std::deque<std::function<void()>> tasks_;
  bool ending_ = false;
  std::vector<std::thread> threads_;
};

HttpRequest view_of(const httplib::Request& from, const std::string& user_header) {
  HttpRequest request;
  request.method = from.method;
  request.path = from.path;
  for (const auto& [name, value] : from.params) request.query.emplace(name, value);
  request.content_type = from.get_header_value("Content-Type");
  request.content_type.resize(
      std::min(request.content_type.find(';'), request.content_type.size()));
  while (request.content_type.ends_with(' ')) request.content_type.pop_back();
  for (char& c : request.content_type)
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  request.authorization = from.get_header_value("Authorization");
  request.api_key = from.get_header_value("X-API-Key");
  request.cookie = from.get_header_value("Cookie");
  request.csrf = from.get_header_value("X-CSRF-Token");
  request.peer = from.remote_addr;
  // Twice is a client that tries to be somebody beside the front proxy's own.
  if (!user_header.empty() && from.get_header_value_count(user_header) == 1) {
    request.remote_user = from.get_header_value(user_header);
  }
  return request;
}

thread_local LimitedStream* current_stream = nullptr;

class LimitedServer final : public httplib::Server {
 public:
  LimitedServer(const HttpServerOptions& options, HttpHandler& handler)
      : options_(options), handler_(handler) {
    new_task_queue = [this] { return new BoundedQueue(options_.threads, options_.waiting_max); };
    set_socket_options([](socket_t socket) {
      const int on = 1;
      ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    });
    set_payload_max_length(static_cast<size_t>(options_.body_bytes_max));
    set_tcp_nodelay(true);
    set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
      return begin(request, response) ? HandlerResponse::Handled : HandlerResponse::Unhandled;
    });
    const auto with_body = [this](const httplib::Request& request, httplib::Response& response,
                                  const httplib::ContentReader& reader) {
      take_body(request, response, reader);
    };
    Post(".*", with_body);
    Put(".*", with_body);
    Patch(".*", with_body);
    Delete(".*", with_body);
    set_error_handler(httplib::Server::Handler(
        [this](const httplib::Request& request, httplib::Response& response) {
          if (!response.body.empty()) return;
          give(view_of(request, options_.user_header), handler_.refuse(status_of(response.status)),
               response);
        }));
    set_exception_handler(
        [this](const httplib::Request& request, httplib::Response& response, std::exception_ptr) {
          give(view_of(request, options_.user_header), handler_.refuse(500), response);
        });
  }

  // Needs: bound. The library's own backlog is 5.
  void widen_backlog() { ::listen(svr_sock_, 128); }

 private:
  bool process_and_close_socket(socket_t socket) override {
    LimitedStream stream(socket, options_);
    current_stream = &stream;
    bool closed = false;
    const bool served = process_request(stream, true, closed, [&](httplib::Request&) {
      stream.head_is_complete();
      stream.begin_answer();
    });
    if (!served && (stream.head_was_too_large() || stream.late())) refuse_raw(stream);
    current_stream = nullptr;
    stream.linger();
    ::close(socket);
    return served;
  }
  // What httplib calls 400 may be a limit of ours; what it calls 404 no handler has seen.
  static int status_of(int status) {
    if (current_stream != nullptr && current_stream->head_was_too_large()) return 431;
    if (current_stream != nullptr && current_stream->late()) return 408;
    return status == 404 ? 400 : status;
  }
  // It says nothing at all when the request line is not read to its end.
  void refuse_raw(LimitedStream& stream) {
    const int status = stream.head_was_too_large() ? 431 : 408;
    HttpResponse answer = handler_.refuse(status);
    handler_.account({}, status);
    stream.begin_answer();
    stream.httplib::Stream::write(
        "HTTP/1.1 " + std::to_string(status) +
        " Refused\r\nConnection: close\r\nContent-Type: " + answer.content_type +
        "\r\nContent-Length: " + std::to_string(answer.body.size()) + "\r\n\r\n" + answer.body);
  }
  void give(const HttpRequest& request, HttpResponse&& answer, httplib::Response& response) {
    if (current_stream != nullptr) current_stream->begin_answer();
    response.status = answer.status;
    for (const auto& [name, value] : answer.fields) response.set_header(name, value);
    response.set_header("Cache-Control", "no-store");
    response.set_header("X-Content-Type-Options", "nosniff");
    response.set_header("Content-Type", answer.content_type);
    response.body = std::move(answer.body);
    handler_.account(request, response.status);
  }
  static bool has_body(const httplib::Request& from) {
    return from.has_header("Transfer-Encoding") || from.has_header("Content-Length");
  }
  bool begin(const httplib::Request& from, httplib::Response& response) {
    const HttpRequest request = view_of(from, options_.user_header);
    if (auto early = handler_.begin(request)) {
      give(request, std::move(*early), response);
      return true;
    }
    const auto length = from.get_header_value<uint64_t>("Content-Length");
    if (length > static_cast<uint64_t>(options_.body_bytes_max)) {
      give(request, handler_.refuse(413), response);
      return true;
    }
    const bool reads_body = from.method == "POST" || from.method == "PUT" ||
                            from.method == "PATCH" || from.method == "DELETE";
    if (reads_body && has_body(from)) return false;
    give(request, handler_.answer(request), response);
    return true;
  }
  void take_body(const httplib::Request& from, httplib::Response& response,
                 const httplib::ContentReader& reader) {
    HttpRequest request = view_of(from, options_.user_header);
    if (from.is_multipart_form_data()) return give(request, handler_.refuse(415), response);
    bool too_large = false;
    const bool whole = reader([&](const char* bytes, size_t size) {
      too_large = size > static_cast<size_t>(options_.body_bytes_max) - request.body.size();
      if (!too_large) request.body.append(bytes, size);
      return !too_large;
    });
    if (too_large || (!whole && response.status == 413)) {
      return give(request, handler_.refuse(413), response);
    }
    if (!whole) {
      const bool late = current_stream != nullptr && current_stream->late();
      return give(request, handler_.refuse(late ? 408 : 400), response);
    }
    give(request, handler_.answer(request), response);
  }

  const HttpServerOptions options_;
  HttpHandler& handler_;
};

}  // namespace

struct HttpServer::Parts {
  Parts(const HttpServerOptions& options, HttpHandler& handler) : server(options, handler) {}
  LimitedServer server;
  base::Address bound;
  std::thread thread;
  std::atomic<bool> ended{false};
};

HttpServer::HttpServer(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
HttpServer::~HttpServer() { stop(); }
base::Address HttpServer::bound() const { return parts_->bound; }

base::Result<std::unique_ptr<HttpServer>> HttpServer::start(const HttpServerOptions& options,
                                                            HttpHandler& handler) {
  auto parts = std::make_unique<Parts>(options, handler);
  parts->bound = options.listen;
  const std::string host = options.listen.host();
  bool is_bound = true;
  if (options.listen.port == 0) {
    const int port = parts->server.bind_to_any_port(host);
    is_bound = port > 0;
    parts->bound.port = static_cast<uint16_t>(std::max(port, 0));
  } else {
    is_bound = parts->server.bind_to_port(host, options.listen.port);
  }
  if (!is_bound) return base::fail(base::io_error("listen " + options.listen.text(), errno));
  parts->server.widen_backlog();
  parts->thread = std::thread([&p = *parts] {
    p.server.listen_after_bind();
    p.ended = true;
  });
  while (!parts->server.is_running() && !parts->ended) std::this_thread::yield();
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(parts)));
}

void HttpServer::stop() {
  if (!parts_->thread.joinable()) return;
  parts_->server.stop();
  parts_->thread.join();
}

}  // namespace f29

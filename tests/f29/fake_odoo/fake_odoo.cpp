#include "tests/f29/fake_odoo/fake_odoo.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <stdexcept>

#include "tests/f29/fake_odoo/odoo_domain.h"

namespace f29test {

using nlohmann::json;

struct FakeOdoo::Records {
  Tables tables;
};

FakeOdoo::FakeOdoo(const std::string& records_file) : records_(std::make_unique<Records>()) {
  std::ifstream in(records_file);
  const json all = json::parse(in);
  for (const auto& [model, records] : all.items()) {
    records_->tables[model];
    for (const json& record : records) {
      records_->tables[model][record.at("id").get<int64_t>()] = record;
    }
  }
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::listen(listener_, 64) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("no socket");
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { serve(); });
}

FakeOdoo::~FakeOdoo() {
  ending_ = true;
  ::shutdown(listener_, SHUT_RDWR);
  thread_.join();
  ::close(listener_);
  for (const int socket : held_) ::close(socket);
}

std::string FakeOdoo::url() const { return "http://127.0.0.1:" + std::to_string(port_); }

void FakeOdoo::trouble(int number, Trouble what, int times) {
  std::lock_guard lock(mutex_);
  for (int i = 0; i < times; ++i) troubles_[number + i] = what;
}

void FakeOdoo::add(const std::string& model, const std::string& record_json) {
  std::lock_guard lock(mutex_);
  const json record = json::parse(record_json);
  records_->tables[model][record.at("id").get<int64_t>()] = record;
}

void FakeOdoo::set(const std::string& model, int64_t id, const std::string& field,
                   const std::string& value_json) {
  std::lock_guard lock(mutex_);
  records_->tables.at(model).at(id)[field] = json::parse(value_json);
}

std::vector<FakeOdoo::Seen> FakeOdoo::seen() const {
  std::lock_guard lock(mutex_);
  return seen_;
}

int FakeOdoo::logins() const {
  int logins = 0;
  for (const Seen& one : seen()) logins += one.method == "authenticate";
  return logins;
}

void FakeOdoo::serve() {
  while (!ending_) {
    const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket >= 0) serve_one(socket);
  }
}

void FakeOdoo::serve_one(int socket) {
  std::string in;
  char piece[4096];
  size_t head = std::string::npos;
  size_t length = 0;
  while (head == std::string::npos || in.size() < head + 4 + length) {
    const ssize_t n = ::recv(socket, piece, sizeof piece, 0);
    if (n <= 0) {
      ::close(socket);
      return;
    }
    in.append(piece, static_cast<size_t>(n));
    head = in.find("\r\n\r\n");
    if (head == std::string::npos) continue;
    const size_t field = in.find("Content-Length: ");
    length = field < head ? std::stoul(in.substr(field + 16)) : 0;
  }
  int number = 0;
  {
    std::lock_guard lock(mutex_);
    number = ++requests_;
  }
  if (before_) before_(number);
  std::unique_lock lock(mutex_);
  const auto found = troubles_.find(number);
  Trouble* what = found == troubles_.end() ? nullptr : &found->second;
  const std::string body = answer(in.substr(head + 4), what);
  lock.unlock();
  if (what != nullptr && *what == Trouble::stall) {
    held_.push_back(socket);
    return;
  }
  if (what == nullptr || *what != Trouble::drop) {
    const bool away = what != nullptr && *what == Trouble::away;
    const bool half = what != nullptr && *what == Trouble::half;
    send_answer(socket, body, away ? 503 : 200, half ? body.size() / 2 : body.size());
  }
  ::close(socket);
}

void FakeOdoo::send_answer(int socket, const std::string& body, int status, size_t cut) {
  const std::string whole =
      "HTTP/1.0 " + std::to_string(status) +
      " X\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
      "\r\n\r\n" + body.substr(0, cut);
  for (size_t sent = 0; sent < whole.size();) {
    const ssize_t n = ::send(socket, whole.data() + sent, whole.size() - sent, MSG_NOSIGNAL);
    if (n <= 0) return;
    sent += static_cast<size_t>(n);
  }
}

namespace {

json project(const json& record, const json& fields) {
  json out = {{"id", record.at("id")}};
  for (const json& field : fields) out[field.get<std::string>()] = record.at(field);
  return out;
}

std::string internals(const char* name) {
  return json{{"code", 200},
              {"message", "Odoo Server Error"},
              {"data",
               {{"name", name},
                {"message", "connection to server at \"10.9.8.7\", port 5432 failed"},
                {"debug", "Traceback (most recent call last): secret_function"}}}}
      .dump();
}

}  // namespace

std::string FakeOdoo::answer(const std::string& body, Trouble* what) {
  const json request = json::parse(body);
  const json& params = request.at("params");
  const json& args = params.at("args");
  const std::string head = R"({"jsonrpc": "2.0", "id": )" + request.at("id").dump() + ", ";
  Seen one{params.at("service"), params.at("method"), {}, {}, {}};
  if (what != nullptr) {
    if (*what == Trouble::html) return "<html>a page</html>";
    if (*what == Trouble::huge) return "\"" + std::string(4 << 20, 'x') + "\"";
    if (*what == Trouble::error) {
      return head + "\"error\": " + internals("psycopg2.errors.UndefinedTable") + "}";
    }
    if (*what == Trouble::denied) {
      return head + "\"error\": " + internals("odoo.exceptions.AccessDenied") + "}";
    }
  }
  if (one.service == "common") {
    seen_.push_back(one);
    const bool right = args.at(1) == "auditor" && args.at(2) == "right-key";
    return head + "\"result\": " + (right ? "2" : "false") + "}";
  }
  one.model = args.at(3);
  one.method = args.at(4);
  if (one.method == "message_post") {
    one.domain = args.at(5).dump();
    one.options = args.at(6).dump();
    seen_.push_back(one);
    auto& messages = records_->tables["mail.message"];
    const int64_t id = static_cast<int64_t>(messages.size()) + 1;
    messages[id] = {{"id", id},
                    {"model", one.model},
                    {"res_id", args.at(5).at(0).at(0)},
                    {"body", args.at(6).at("body")}};
    return head + "\"result\": " + std::to_string(id) + "}";
  }
  one.domain = args.at(5).at(0).dump();
  one.options = args.at(6).dump();
  seen_.push_back(one);
  const json& options = args.at(6);
  json list = json::array();
  for (const auto& [id, record] : records_->tables[one.model]) {
    if (list.size() == options.at("limit").get<size_t>()) break;
    if (matches(records_->tables, record, args.at(5).at(0))) {
      list.push_back(project(record, options.at("fields")));
    }
  }
  if (what != nullptr && *what == Trouble::shuffled) std::reverse(list.begin(), list.end());
  return head + "\"result\": " + list.dump() + "}";
}

}  // namespace f29test

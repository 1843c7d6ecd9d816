#include "tests/f29/api/api_fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "proxy/base/mac.h"
#include "tests/f29/api/json_schema.h"

namespace f29test {

using namespace f29;
using nlohmann::json;

std::string exchange(uint16_t port, const std::string& bytes) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string answer;
  if (::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
    for (size_t sent = 0; sent < bytes.size();) {
      const ssize_t n = ::send(socket, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (n <= 0) break;
      sent += static_cast<size_t>(n);
    }
    ::shutdown(socket, SHUT_WR);
    char piece[65536];
    for (ssize_t n = 0; (n = ::recv(socket, piece, sizeof piece, 0)) > 0;) {
      answer.append(piece, static_cast<size_t>(n));
    }
  }
  ::close(socket);
  return answer;
}

Answer read_answer(const std::string& bytes) {
  Answer answer;
  const size_t head = bytes.find("\r\n\r\n");
  if (head == bytes.npos || bytes.size() < 12) return answer;
  answer.status = std::atoi(bytes.c_str() + 9);
  std::istringstream lines(bytes.substr(0, head));
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line)) {
    const size_t colon = line.find(": ");
    if (colon == line.npos) continue;
    std::string name = line.substr(0, colon);
    for (char& c : name) c = static_cast<char>(std::tolower(c));
    answer.fields[name] = line.substr(colon + 2, line.find('\r') - colon - 2);
  }
  answer.body = bytes.substr(head + 4);
  answer.json = json::parse(answer.body, nullptr, false);
  return answer;
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in.is_open()) << path;
  std::ostringstream text;
  text << in.rdbuf();
  return std::move(text).str();
}

ApiTest::ApiTest() : openapi_(json::parse(read_file("f29svc/api/openapi.json"))) {
  char name[] = "/tmp/f29-api-XXXXXX";
  folder_ = ::mkdtemp(name);
  StoreOptions options;
  options.database.sqlite = folder_ + "/f29.db";
  options.connections = 8;
  auto store = Store::open(options);
  EXPECT_TRUE(store.has_value()) << store.error().detail;
  store_ = std::move(*store);
  EXPECT_TRUE(store_->put_company(*parse_rut("99999001-0"), "Empresa A").has_value());
  start();
}

ApiTest::~ApiTest() {
  server_.reset();
  api_.reset();
  service_.reset();
  store_.reset();
  std::filesystem::remove_all(folder_);
}

void ApiTest::start(ServiceOptions service, HttpServerOptions http, ApiAccess access) {
  server_.reset();
  service_ = std::make_unique<TaxService>(*store_, std::move(service),
                                          [this](std::string_view event, const base::Error& error) {
                                            log_ += std::string(event) + " " + error.detail + "\n";
                                          });
  api_ = std::make_unique<Api>(*service_,
                               std::vector<ApiKey>{{"first", base::sha256_hex("first-key")},
                                                   {"second", base::sha256_hex("second-key")}},
                               std::move(access));
  http.listen = *base::parse_address("127.0.0.1:0");
  auto server = HttpServer::start(http, *api_);
  EXPECT_TRUE(server.has_value()) << server.error().detail;
  server_ = std::move(*server);
}

Answer ApiTest::call(const std::string& method, const std::string& path, const std::string& body,
                     const std::string& type, const std::string& key) {
  std::string request = method + " " + path + " HTTP/1.1\r\nHost: f29\r\n";
  if (!key.empty()) request += "Authorization: Bearer " + key + "\r\n";
  if (!type.empty()) request += "Content-Type: " + type + "\r\n";
  if (!body.empty()) request += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  const Answer answer = read_answer(exchange(server_->bound().port, request + "\r\n" + body));
  hold_to_description(method, path, answer);
  return answer;
}

Answer ApiTest::at(const std::string& method, const std::string& path, const std::string& body,
                   const std::string& type) {
  return call(method, kPeriodPath + path, body, type);
}

Answer ApiTest::import_rcv(const std::string& file) {
  return at("POST", "/import?name=" + file, read_file(kData + file), "text/csv");
}

void ApiTest::import_all() {
  for (const auto& entry : std::filesystem::directory_iterator(kData)) {
    EXPECT_EQ(import_rcv(entry.path().filename().string()).status, 200) << entry.path();
  }
}

void ApiTest::put_inputs() {
  const std::string inputs = R"({"previous": {"77": 250000},
      "utm": {"previous_filing": 70000, "this_filing": 70500}, "common_use_factor": "0.80",
      "boxes": {"48": 25000, "563": 13390504, "115": "0.125"},
      "fees": [{"gross": 1000000, "rate": "15.25"}]})";
  const Answer answer = at("PUT", "/inputs", inputs, "application/json");
  EXPECT_EQ(answer.status, 200) << answer.body;
}

std::string ApiTest::code_of(const Answer& answer) {
  EXPECT_TRUE(answer.json.is_object()) << answer.body;
  if (!answer.json.is_object() || !answer.json.contains("error")) return {};
  return answer.json["error"]["code"];
}

namespace {

bool fits_template(const std::string& pattern, const std::string& path) {
  std::istringstream a(pattern);
  std::istringstream b(path.substr(0, path.find('?')));
  std::string one;
  std::string two;
  while (true) {
    const bool more = static_cast<bool>(std::getline(a, one, '/'));
    const bool also = static_cast<bool>(std::getline(b, two, '/'));
    if (!more || !also) return more == also;
    if (!one.starts_with('{') && one != two) return false;
  }
}

}  // namespace

void ApiTest::hold_to_description(const std::string& method, const std::string& path,
                                  const Answer& answer) {
  SCOPED_TRACE(method + " " + path + " " + std::to_string(answer.status));
  ASSERT_NE(answer.status, 0) << "no answer";
  std::string verb = method;
  for (char& c : verb) c = static_cast<char>(std::tolower(c));
  const json* operation = nullptr;
  for (const auto& [pattern, item] : openapi_["paths"].items()) {
    if (fits_template(pattern, path) && item.contains(verb)) operation = &item[verb];
  }
  // What the server refuses before it knows the operation is an Error of any status.
  const bool is_described =
      operation != nullptr && (*operation)["responses"].contains(std::to_string(answer.status));
  if (!is_described) {
    EXPECT_TRUE(answer.status == 404 || answer.status == 405 || answer.status == 400 ||
                answer.status == 408 || answer.status == 414 || answer.status == 431)
        << answer.body;
    EXPECT_EQ(misfit(openapi_, {{"$ref", "#/components/schemas/Error"}}, answer.json), "");
    return;
  }
  const json& content = (*operation)["responses"][std::to_string(answer.status)]["content"];
  const std::string given = answer.fields.at("content-type");
  const std::string type = given.substr(0, given.find(';'));
  ASSERT_TRUE(content.contains(type)) << type;
  const json value = type == "application/json" ? answer.json : json(answer.body);
  EXPECT_EQ(misfit(openapi_, content[type]["schema"], value), "") << answer.body.substr(0, 400);
}

}  // namespace f29test

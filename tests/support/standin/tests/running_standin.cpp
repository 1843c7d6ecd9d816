#include "tests/support/standin/tests/running_standin.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace standin {
namespace {

constexpr int kDeadlineSeconds = 20;

std::string file_text(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

int number_after(std::string_view text, std::string_view name) {
  const size_t at = text.find(name);
  if (at == std::string_view::npos) return -1;
  return atoi(std::string(text.substr(at + name.size(), 20)).c_str());
}

}  // namespace

Socket::Socket(int port, int receive_buffer) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const timeval deadline{kDeadlineSeconds, 0};
  setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &deadline, sizeof deadline);
  setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &deadline, sizeof deadline);
  if (receive_buffer > 0) {
    setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) error_ = errno;
}

Socket::~Socket() {
  if (fd_ >= 0) close(fd_);
}

bool Socket::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) {
      error_ = errno;
      return false;
    }
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  return true;
}

std::string Socket::read(size_t count) {
  std::string all;
  std::array<char, 65'536> piece{};
  while (all.size() < count) {
    const ssize_t got = recv(fd_, piece.data(), std::min(piece.size(), count - all.size()), 0);
    if (got < 0) error_ = errno;
    if (got <= 0) break;
    all.append(piece.data(), static_cast<size_t>(got));
  }
  return all;
}

std::string Socket::read_all() { return read(SIZE_MAX); }

std::string Socket::read_until(std::string_view mark) {
  std::string all;
  std::array<char, 4'096> piece{};
  while (true) {
    const ssize_t got = recv(fd_, piece.data(), piece.size(), MSG_PEEK);
    if (got <= 0) return all;
    const size_t before = all.size();
    all.append(piece.data(), static_cast<size_t>(got));
    const size_t at = all.find(mark);
    if (at != std::string::npos) all.resize(at + mark.size());
    read(all.size() - before);
    if (at != std::string::npos) return all;
  }
}

std::string masked_frame(int opcode, std::string_view payload) {
  std::string out(1, static_cast<char>(0x80 | opcode));
  const size_t size = payload.size();
  const int bytes = size < 126 ? 0 : size < 65'536 ? 2 : 8;
  out.push_back(static_cast<char>(0x80 | (bytes == 0 ? size : bytes == 2 ? 126 : 127)));
  for (int i = bytes - 1; i >= 0; --i) out.push_back(static_cast<char>(uint64_t{size} >> (8 * i)));
  const std::string mask = "\x11\x22\x33\x44";
  out += mask;
  for (size_t i = 0; i < size; ++i) out.push_back(static_cast<char>(payload[i] ^ mask[i % 4]));
  return out;
}

Frame read_frame(Socket& socket) {
  const std::string head = socket.read(2);
  if (head.size() < 2) return {};
  size_t size = head[1] & 0x7f;
  if (size >= 126) {
    const std::string more = socket.read(size == 126 ? 2 : 8);
    size = 0;
    for (char c : more) size = size << 8 | static_cast<uint8_t>(c);
  }
  return {head[0] & 0x0f, socket.read(size)};
}

Socket open_websocket(int port) {
  Socket socket(port);
  socket.send(
      "GET /websocket HTTP/1.1\r\nHost: t\r\nOrigin: http://t\r\nUpgrade: websocket\r\n"
      "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
  const std::string head = socket.read_until("\r\n\r\n");
  EXPECT_TRUE(head.starts_with("HTTP/1.1 101 SWITCHING PROTOCOLS\r\n")) << head;
  EXPECT_EQ(count_of(head, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"), 1);
  EXPECT_EQ(count_of(head, "Set-Cookie: session_id="), 1);
  return socket;
}

std::string ask(int port, std::string_view request) {
  Socket socket(port);
  socket.send(request);
  return socket.read_all();
}

std::string get(int port, std::string_view target) {
  return ask(port,
             "GET " + std::string(target) + " HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n");
}

int status_of(std::string_view answer) {
  return answer.starts_with("HTTP/1.") ? number_after(answer.substr(8, 5), " ") : -1;
}

std::string body_of(std::string_view answer) {
  const size_t end = answer.find("\r\n\r\n");
  return end == std::string_view::npos ? "" : std::string(answer.substr(end + 4));
}

int count_of(std::string_view text, std::string_view part) {
  int count = 0;
  for (size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

RunningStandin::RunningStandin(std::vector<std::string> options) {
  std::string name = (std::filesystem::temp_directory_path() / "standin-XXXXXX").string();
  folder_ = mkdtemp(name.data());
  std::vector<std::string> words = {STANDIN_ODOO,      "--control",         "0",
                                    "--nonce-log",     folder_ + "/nonces", "--ports-file",
                                    folder_ + "/ports"};
  words.insert(words.end(), options.begin(), options.end());
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  std::array<int, 2> output{};
  if (pipe(output.data()) != 0) abort();
  pid_ = fork();
  if (pid_ == 0) {
    dup2(output[1], 1);
    close(output[0]);
    close(output[1]);
    execv(arguments[0], arguments.data());
    _exit(127);
  }
  close(output[1]);
  std::string line;
  char c = 0;
  while (::read(output[0], &c, 1) == 1 && c != '\n') line.push_back(c);
  close(output[0]);
  EXPECT_EQ(file_text(folder_ + "/ports"), line + "\n");
  http_ = number_after(line, "http=");
  websocket_ = number_after(line, "websocket=");
  control_ = number_after(line, "control=");
}

RunningStandin::~RunningStandin() {
  if (pid_ > 0) {
    signal(SIGKILL);
    wait();
  }
  std::filesystem::remove_all(folder_);
}

int64_t RunningStandin::stat(std::string_view name) const {
  return number_after(get(control_, "/standin/stats"), "\"" + std::string(name) + "\": ");
}

void RunningStandin::await_stat(std::string_view name, int64_t value) const {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(kDeadlineSeconds);
  while (stat(name) != value) {
    ASSERT_LT(std::chrono::steady_clock::now(), end) << name << " is " << stat(name);
    poll(nullptr, 0, 1);
  }
}

std::string RunningStandin::set(std::string_view settings) const {
  return ask(control_, "POST /standin/set?" + std::string(settings) + " HTTP/1.1\r\n\r\n");
}

std::string RunningStandin::nonces() const { return file_text(folder_ + "/nonces"); }

void RunningStandin::signal(int number) const { kill(pid_, number); }

int RunningStandin::wait() {
  int status = 0;
  waitpid(pid_, &status, 0);
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

}  // namespace standin

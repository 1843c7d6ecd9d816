#include "tests/integration/harness/standin.h"

#include <signal.h>

#include <cstdlib>
#include <sstream>

namespace harness {
namespace {

uint16_t port_after(const std::string& text, const std::string& name) {
  const size_t at = text.find(name + "=");
  if (at == std::string::npos) return 0;
  const std::string value = text.substr(at + name.size() + 1);
  const std::string word = value.substr(0, value.find_first_of(" \n"));
  const size_t colon = word.rfind(':');
  return static_cast<uint16_t>(
      std::atoi(word.c_str() + (colon == std::string::npos ? 0 : colon + 1)));
}

}  // namespace

Standin::Standin(std::string color, std::vector<std::string> options, std::string nonce_log)
    : color_(std::move(color)), nonce_log_(std::move(nonce_log)), options_(std::move(options)) {
  if (nonce_log_.empty()) nonce_log_ = folder_ / "nonces";
  start();
}

Standin::~Standin() = default;

void Standin::start() {
  const std::string ports_file = folder_ / "ports";
  write_text(ports_file, "");
  std::vector<std::string> words = {program("standin_odoo"),
                                    "--color",
                                    color_,
                                    "--version",
                                    "17-" + color_,
                                    "--http",
                                    std::to_string(http_port_),
                                    "--websocket",
                                    std::to_string(websocket_port_),
                                    "--control",
                                    std::to_string(control_port_),
                                    "--nonce-log",
                                    nonce_log_,
                                    "--ports-file",
                                    ports_file};
  words.insert(words.end(), options_.begin(), options_.end());
  process_ = std::make_unique<Process>(words, folder_ / "output");
  await("the stand-in " + color_ + " to listen", [&] {
    if (!process_->running()) throw Failure("the stand-in ended: " + process_->output());
    const std::string text = read_text(ports_file);
    http_port_ = port_after(text, "http");
    websocket_port_ = port_after(text, "websocket");
    control_port_ = port_after(text, "control");
    return http_port_ != 0 && websocket_port_ != 0;
  });
}

ColorSetup Standin::as_color(int weight, std::string slots) const {
  return {color_, weight, {http()}, {websocket()}, std::move(slots), false};
}

void Standin::set(const std::string& settings) {
  const Answer answer = post(control_port_, "/standin/set?" + settings, "");
  if (answer.status != 200 && answer.status != 204) throw Failure("set: " + answer.head);
}

std::vector<Executed> Standin::executed() const { return read_nonce_log(nonce_log_); }

void Standin::kill() {
  process_->signal(SIGKILL);
  process_->wait(Millis{10'000});
}

std::vector<Executed> read_nonce_log(const std::string& path) {
  std::vector<Executed> all;
  std::istringstream lines(read_text(path));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    Executed one;
    words >> one.nonce >> one.method >> one.target >> one.color >> one.version;
    all.push_back(one);
  }
  return all;
}

}  // namespace harness

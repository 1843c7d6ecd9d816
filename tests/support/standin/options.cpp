#include "tests/support/standin/options.h"

#include <charconv>
#include <cstdlib>
#include <functional>
#include <map>

namespace standin {
namespace {

bool parse(std::string_view text, auto& value, auto least, auto most) {
  std::remove_reference_t<decltype(value)> parsed{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), parsed);
  if (error != std::errc() || end != text.data() + text.size()) return false;
  if (parsed < least || parsed > most) return false;
  value = parsed;
  return true;
}

bool parse_ms(std::string_view text, std::atomic<int64_t>& value) {
  int64_t parsed = 0;
  if (!parse(text, parsed, 0, 3'600'000)) return false;
  value = parsed;
  return true;
}

bool parse_rate(std::string_view text, std::atomic<double>& value) {
  double parsed = 0;
  if (!parse(text, parsed, 0.0, 1.0)) return false;
  value = parsed;
  return true;
}

bool parse_page(std::string_view text, std::atomic<Settings::Page>& value) {
  if (text == "ok") {
    value = Settings::Page::ok;
  } else if (text == "fail") {
    value = Settings::Page::fail;
  } else if (text == "hang") {
    value = Settings::Page::hang;
  } else {
    return false;
  }
  return true;
}

using Reader = std::function<bool(std::string_view)>;

std::map<std::string, Reader, std::less<>> readers_of(Options& options) {
  const auto number = [](int& value, int least, int most) -> Reader {
    return [&value, least, most](std::string_view text) { return parse(text, value, least, most); };
  };
  const auto text = [](std::string& value) -> Reader {
    return [&value](std::string_view given) {
      value = given;
      return !value.empty() && value.find(' ') == std::string::npos;
    };
  };
  return {
      {"host", text(options.host)},
      {"http", number(options.http_port, 0, 65'535)},
      {"websocket", number(options.websocket_port, 0, 65'535)},
      {"control", number(options.control_port, 0, 65'535)},
      {"workers", number(options.workers, 1, 64)},
      {"version", text(options.version)},
      {"color", text(options.color)},
      {"socket-timeout-ms", number(options.socket_timeout_ms, 1, 600'000)},
      {"http-delay-ms", number(options.http_delay_ms, 0, 600'000)},
      {"websocket-delay-ms", number(options.websocket_delay_ms, 0, 600'000)},
      {"websocket-ping-ms", number(options.websocket_ping_ms, 1, 3'600'000)},
      {"stop-delay-ms", number(options.stop_delay_ms, 0, 600'000)},
      {"asset-bytes",
       [&options](std::string_view given) {
         return parse(given, options.asset_bytes, int64_t{64}, int64_t{1} << 30);
       }},
      {"nonce-log", text(options.nonce_log)},
      {"ports-file", text(options.ports_file)},
      {"seed",
       [&options](std::string_view given) {
         return parse(given, options.seed, uint64_t{0}, UINT64_MAX);
       }},
  };
}

}  // namespace

bool Settings::set(std::string_view name, std::string_view value) {
  if (name == "latency_ms") return parse_ms(value, latency_ms);
  if (name == "jitter_ms" || name == "jitter") return parse_ms(value, jitter_ms);
  if (name == "error_rate") return parse_rate(value, error_rate);
  if (name == "rpc_error_rate") return parse_rate(value, rpc_error_rate);
  if (name == "slow_rate") return parse_rate(value, slow_rate);
  if (name == "slow_ms") return parse_ms(value, slow_ms);
  if (name == "page") return parse_page(value, page);
  if (name == "health") return parse_page(value, health);
  if (name == "websocket_health") return parse_page(value, websocket_health);
  if (name == "asset_miss") {
    if (value != "303" && value != "404" && value != "200") return false;
    asset_miss = atoi(std::string(value).c_str());
    return true;
  }
  if (name == "rpc_error_name") {
    if (value.empty() || value.find_first_of("\"\\ ") != std::string_view::npos) return false;
    const std::lock_guard lock(mutex_);
    rpc_error_name_ = value;
    return true;
  }
  return false;
}

std::string Settings::rpc_error_name() const {
  const std::lock_guard lock(mutex_);
  return rpc_error_name_;
}

bool parse_options(const std::vector<std::string>& words, Options& options, Settings& settings,
                   std::string& message) {
  const auto readers = readers_of(options);
  for (size_t i = 0; i < words.size(); ++i) {
    std::string name = words[i];
    if (name == "--http11-keepalive") {
      options.keepalive = true;
      continue;
    }
    std::string value;
    const size_t equals = name.find('=');
    if (equals != std::string::npos) {
      value = name.substr(equals + 1);
      name.resize(equals);
    } else if (i + 1 < words.size()) {
      value = words[++i];
    }
    if (!name.starts_with("--")) {
      message = "not an option: " + name;
      return false;
    }
    name.erase(0, 2);
    const auto reader = readers.find(name);
    std::string setting = name;
    for (char& c : setting) c = c == '-' ? '_' : c;
    const bool is_good = reader != readers.end() ? reader->second(value)  //
                                                 : settings.set(setting, value);
    if (!is_good) {
      message = "--" + name + ": no such option or value `" + value + "`";
      return false;
    }
  }
  return true;
}

std::string usage() {
  return "usage: standin_odoo [--http PORT] [--websocket PORT] [--control PORT] [--host ADDRESS]\n"
         "  [--workers N] [--version TEXT] [--color NAME] [--seed N] [--asset-bytes N]\n"
         "  [--nonce-log FILE] [--ports-file FILE] [--http11-keepalive]\n"
         "  [--socket-timeout-ms N] [--http-delay-ms N] [--websocket-delay-ms N]\n"
         "  [--websocket-ping-ms N] [--stop-delay-ms N]\n"
         "also while it runs, by POST /standin/set?name=value on the control port:\n"
         "  [--latency-ms N] [--jitter-ms N] [--error-rate P] [--rpc-error-rate P]\n"
         "  [--rpc-error-name NAME] [--slow-rate P] [--slow-ms N] [--asset-miss 303|404|200]\n"
         "  [--page ok|fail|hang] [--health ok|fail|hang] [--websocket-health ok|fail|hang]\n";
}

}  // namespace standin

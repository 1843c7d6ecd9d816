// How long reading a head takes: nanoseconds a head, and what the second parser alone takes.
//   micro_http [ROUNDS]     e.g. valgrind --tool=callgrind build/bin/micro_http 2000
#include <llhttp.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/http/head_scanner.h"
#include "proxy/http/parser.h"
#include "proxy/http/writer.h"

namespace {

constexpr std::string_view kBare = "GET / HTTP/1.1\r\nHost: erp.example.cl\r\n\r\n";

// 18 fields, 1.1 KiB, as a browser behind a reverse proxy sends it.
constexpr std::string_view kBrowser =
    "POST /web/dataset/call_kw/account.move/web_search_read?model=account.move HTTP/1.1\r\n"
    "Host: erp.example.cl\r\n"
    "User-Agent: Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/126.0.0.0 Safari/537.36\r\n"
    "Content-Length: 412\r\n"
    "Accept: application/json, text/plain, */*\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\n"
    "Accept-Language: es-CL,es;q=0.9,en-US;q=0.8,en;q=0.7\r\n"
    "Content-Type: application/json\r\n"
    "Cookie: session_id=4f0c5fd1c1f04a7d8e54aa2f7fe0b6f1c9d0e0b4; frontend_lang=es_CL; tz=America/"
    "Santiago; cids=1; ofitec_color=1.blue.b2f1c9d0.66a1f2c0.12.Zk3mQ9x0b1A7yq2nR8sT5w; _ga=GA1.1."
    "1234567890.1718000000; _ga_ABCDEFGH12=GS1.1.1718000000.1.1.1718000300.0.0.0\r\n"
    "Origin: https://erp.example.cl\r\n"
    "Referer: https://erp.example.cl/web\r\n"
    "Sec-Ch-Ua: \"Not/A)Brand\";v=\"8\", \"Chromium\";v=\"126\", \"Google Chrome\";v=\"126\"\r\n"
    "Sec-Ch-Ua-Mobile: ?0\r\n"
    "Sec-Fetch-Mode: cors\r\n"
    "X-Forwarded-For: 190.20.30.40\r\n"
    "X-Forwarded-Host: erp.example.cl\r\n"
    "X-Forwarded-Port: 443\r\n"
    "X-Forwarded-Proto: https\r\n"
    "X-Real-Ip: 190.20.30.40\r\n"
    "\r\n";

constexpr std::string_view kAnswer =
    "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1024\r\n"
    "Server: Werkzeug/2.2.2 Python/3.11.2\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n";

// The best of five runs, in nanoseconds a round.
template <class Round>
double measure(long rounds, Round round) {
  double best = 1e9;
  for (int run = 0; run < 5; ++run) {
    const auto begin = std::chrono::steady_clock::now();
    for (long i = 0; i < rounds; ++i) round();
    const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begin;
    best = std::min(best, took.count() / static_cast<double>(rounds));
  }
  return best;
}

void expect(bool truth) {
  if (truth) return;
  std::fputs("a head was not read\n", stderr);
  std::exit(1);
}

double scanner_alone(long rounds, std::string_view text) {
  const http::HeadLimits limits;
  const http::HeadScanner scanner(http::HeadKind::request, {limits.head_bytes, limits.line_bytes,
                                                            limits.target_bytes, limits.fields});
  std::vector<http::Field> fields;
  http::Scan scan;
  return measure(rounds, [&] {
    scanner.scan(text, 0, fields, scan);
    expect(scan.state == http::Scan::State::complete);
  });
}

double second_alone(long rounds, std::string_view text) {
  llhttp_settings_t settings;
  llhttp_settings_init(&settings);
  llhttp_t parser;
  llhttp_init(&parser, HTTP_BOTH, &settings);
  return measure(rounds, [&] {
    llhttp_reset(&parser);
    expect(llhttp_execute(&parser, text.data(), text.size()) == HPE_OK);
  });
}

double request(long rounds, std::string_view text) {
  http::HeadParser parser{http::HeadLimits{}};
  http::RequestHead head;
  return measure(rounds, [&] {
    const http::Parsed parsed = parser.parse_request(text, 0, head);
    expect(parsed.head_bytes == text.size());
  });
}

double response(long rounds, std::string_view text) {
  http::HeadParser parser{http::HeadLimits{}};
  http::ResponseHead head;
  return measure(rounds, [&] {
    const http::Parsed parsed = parser.parse_response(text, 0, http::Method::get, false, head);
    expect(parsed.head_bytes == text.size());
  });
}

double rewriting(long rounds, std::string_view text) {
  http::HeadParser parser{http::HeadLimits{}};
  http::RequestHead head;
  parser.parse_request(text, 0, head);
  std::string out;
  return measure(rounds, [&] {
    out.clear();
    http::write_request_line(head.method, head.target, out);
    for (const http::Field& field : head.fields) {
      if (!field.hop_by_hop) http::write_field(field.name, field.value, out);
    }
    http::write_head_end(out);
    expect(out.size() > text.size() / 2);
  });
}

}  // namespace

int main(int argc, char** argv) {
  const long rounds = argc > 1 ? std::atol(argv[1]) : 200'000;
  std::printf("bytes: bare %zu, browser %zu, answer %zu; ns a head, best of five runs\n",
              kBare.size(), kBrowser.size(), kAnswer.size());
  std::printf("%-22s %8s %8s %8s\n", "", "bare", "browser", "answer");
  std::printf("%-22s %8.0f %8.0f\n", "our scanner", scanner_alone(rounds, kBare),
              scanner_alone(rounds, kBrowser));
  std::printf("%-22s %8.0f %8.0f %8.0f\n", "llhttp, no callbacks", second_alone(rounds, kBare),
              second_alone(rounds, kBrowser), second_alone(rounds, kAnswer));
  std::printf("%-22s %8.0f %8.0f %8.0f\n", "HeadParser, both", request(rounds, kBare),
              request(rounds, kBrowser), response(rounds, kAnswer));
  std::printf("%-22s %8.0f %8.0f\n", "writing it anew", rewriting(rounds, kBare),
              rewriting(rounds, kBrowser));
  return 0;
}

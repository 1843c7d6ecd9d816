#include "proxy/relay/proxy_protocol.h"

#include "tests/unit/relay/stage.h"

namespace relay {
namespace {

using State = ProxyHeader::State;
using namespace std::string_view_literals;

constexpr std::string_view kSignature = "\r\n\r\n\0\r\nQUIT\n"sv;

std::string v2(std::string_view command_and_family, size_t length, std::string_view rest) {
  std::string bytes(kSignature);
  bytes += command_and_family;
  bytes += static_cast<char>(length >> 8);
  bytes += static_cast<char>(length & 0xff);
  return bytes.append(rest);
}
std::string v2(std::string_view command_and_family, std::string_view rest) {
  return v2(command_and_family, rest.size(), rest);
}
constexpr std::string_view kTcp4 = "\xc0\x00\x02\x07\xc6\x33\x64\x01\xdc\x04\x01\xbb"sv;
const std::string kLine = "PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n";

std::string client_of(std::string_view bytes) {
  const ProxyHeader header = read_proxy_header(bytes);
  if (header.state == State::incomplete) return "incomplete";
  if (header.state == State::faulty) return "faulty";
  return header.client ? header.client->text() : "own";
}

TEST(ProxyProtocol, ReadsTheClientOfATextLine) {
  EXPECT_EQ(client_of(kLine), "192.0.2.7:56324");
  EXPECT_EQ(client_of("PROXY TCP6 2001:db8::7 ::1 4124 443\r\n"), "[2001:db8::7]:4124");
  EXPECT_EQ(client_of("PROXY TCP4 0.0.0.0 255.255.255.255 0 65535\r\n"), "0.0.0.0:0");
}

TEST(ProxyProtocol, ReadsTheClientOfABinaryHeader) {
  EXPECT_EQ(client_of(v2("\x21\x11", kTcp4)), "192.0.2.7:56324");
  const std::string v6 = "\x20\x01\x0d\xb8" + std::string(11, '\0') + "\x07" +
                         std::string(15, '\0') + "\x01\xdc\x04\x01\xbb";
  EXPECT_EQ(client_of(v2("\x21\x21", v6)), "[2001:db8::7]:56324");
}

TEST(ProxyProtocol, SkipsWhatFollowsTheAddresses) {
  const std::string with_tlv = std::string(kTcp4) + std::string("\x04\x00\x03pad", 6);
  const ProxyHeader header = read_proxy_header(v2("\x21\x11", with_tlv) + "GET /");
  EXPECT_EQ(header.state, State::complete);
  EXPECT_EQ(header.bytes, 16 + with_tlv.size());
  EXPECT_EQ(header.client->text(), "192.0.2.7:56324");
}

TEST(ProxyProtocol, LeavesTheConnectionsOwnAddressWhereNoneIsNamed) {
  EXPECT_EQ(client_of("PROXY UNKNOWN\r\n"), "own");
  EXPECT_EQ(client_of("PROXY UNKNOWN ffff:f:f 1 2 3\r\n"), "own");
  EXPECT_EQ(client_of(v2("\x20\x00"sv, "")), "own") << "LOCAL";
  EXPECT_EQ(client_of(v2("\x20\x11", kTcp4)), "own") << "LOCAL with addresses";
  EXPECT_EQ(client_of(v2("\x21\x00"sv, "abc")), "own") << "UNSPEC";
}

TEST(ProxyProtocol, WaitsForTheRestAtEveryCut) {
  for (const std::string& whole : {kLine, v2("\x21\x11", kTcp4), v2("\x20\x00"sv, "tlv")}) {
    for (size_t cut = 0; cut < whole.size(); ++cut) {
      EXPECT_EQ(client_of(whole.substr(0, cut)), "incomplete") << cut;
    }
    const ProxyHeader header = read_proxy_header(whole + "more");
    EXPECT_EQ(header.state, State::complete);
    EXPECT_EQ(header.bytes, whole.size());
  }
}

TEST(ProxyProtocol, RefusesEveryOtherTextLine) {
  for (const char* line : {
           "GET / HTTP/1.1\r\n",
           "proxy TCP4 192.0.2.7 198.51.100.1 56324 443\r\n",
           "PROXY  TCP4 192.0.2.7 198.51.100.1 56324 443\r\n",
           "PROXY TCP4  192.0.2.7 198.51.100.1 56324 443\r\n",
           "PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\n",
           "PROXY TCP4 192.0.2.7 198.51.100.1 56324 443 \r\n",
           "PROXY TCP4 192.0.2.7 198.51.100.1 56324\r\n",
           "PROXY TCP4 192.0.2.7 198.51.100.1 65536 443\r\n",
           "PROXY TCP4 192.0.2.7 198.51.100.1 056 443\r\n",
           "PROXY TCP4 192.0.2.7 198.51.100.1 +56 443\r\n",
           "PROXY TCP4 192.0.2 198.51.100.1 56324 443\r\n",
           "PROXY TCP4 192.0.2.7:1 198.51.100.1 56324 443\r\n",
           "PROXY TCP4 2001:db8::7 2001:db8::1 4124 443\r\n",
           "PROXY TCP6 192.0.2.7 198.51.100.1 56324 443\r\n",
           "PROXY UDP4 192.0.2.7 198.51.100.1 56324 443\r\n",
           "PROXY UNKNOWNS\r\n",
           "PROXY \r\n",
           "PROXY \n",
       }) {
    EXPECT_EQ(client_of(line), "faulty") << line;
  }
}

TEST(ProxyProtocol, RefusesATextLineBeyondItsLimit) {
  const std::string start = "PROXY UNKNOWN ";
  EXPECT_EQ(client_of(start + std::string(kProxyV1BytesMax - start.size() - 2, 'x') + "\r\n"),
            "own");
  EXPECT_EQ(client_of(start + std::string(kProxyV1BytesMax - start.size() - 1, 'x') + "\r\n"),
            "faulty");
  EXPECT_EQ(client_of(start + std::string(kProxyV1BytesMax - start.size(), 'x')), "faulty");
}

TEST(ProxyProtocol, RefusesEveryOtherBinaryHeader) {
  EXPECT_EQ(client_of("\r\n\r\n\r"), "faulty") << "signature";
  EXPECT_EQ(client_of(v2("\x11\x11", kTcp4)), "faulty") << "version 1";
  EXPECT_EQ(client_of(v2("\x22\x11", kTcp4)), "faulty") << "command 2";
  EXPECT_EQ(client_of(v2("\x21\x12", kTcp4)), "faulty") << "UDP";
  EXPECT_EQ(client_of(v2("\x21\x31", std::string(216, 'u'))), "faulty") << "Unix";
  EXPECT_EQ(client_of(v2("\x21\x11", kTcp4.substr(1))), "faulty") << "too short for TCP4";
  EXPECT_EQ(client_of(v2("\x21\x21", kTcp4)), "faulty") << "too short for TCP6";
}

TEST(ProxyProtocol, RefusesABinaryHeaderBeyondItsLimit) {
  EXPECT_EQ(client_of(v2("\x20\x00"sv, std::string(kProxyV2BytesMax - 16, 'x'))), "own");
  EXPECT_EQ(client_of(v2("\x20\x00"sv, kProxyV2BytesMax - 15, "")), "faulty");
}

// --- on a connection; test clients come from 127.0.0.1 ---

class ProxiedConnections : public EveryReadSize {
 protected:
  ProxiedConnections() { config_.proxy_protocol = true; }
  std::string sent_for(const std::string& before) {
    blue_.requests.clear();
    ask(before + get_head("/", "X-Forwarded-For: 9.9.9.9\r\n"));
    return blue_.requests.empty() ? "" : blue_.head(0);
  }
};
AT_EVERY_READ_SIZE(ProxiedConnections);

TEST_P(ProxiedConnections, SendTheNamedClientToTheBackend) {
  for (const std::string& header : {kLine, v2("\x21\x11", kTcp4)}) {
    const std::string head = sent_for(header);
    EXPECT_NE(head.find("X-Forwarded-For: 192.0.2.7\r\n"), std::string::npos) << head;
  }
}

TEST_P(ProxiedConnections, KeepForwardedFieldsOfATrustedClientOnly) {
  const std::string head = sent_for("PROXY TCP4 127.0.0.9 127.0.0.1 1 2\r\n");
  EXPECT_NE(head.find("X-Forwarded-For: 9.9.9.9\r\n"), std::string::npos) << head;
}

TEST_P(ProxiedConnections, AreTheirOwnClientsWithoutANamedOne) {
  const std::string head = sent_for(v2("\x20\x00"sv, ""));
  EXPECT_NE(head.find("X-Forwarded-For: 9.9.9.9\r\n"), std::string::npos) << head;
}

TEST_P(ProxiedConnections, CloseWithoutAHeader) {
  MemoryPeer& client = connect();
  send(client, get_head("/"), 0);
  EXPECT_TRUE(client.ended || client.broken);
  EXPECT_EQ(client.received, "");
  EXPECT_EQ(errors(base::ErrorCode::bad_message), 1);
}

TEST_P(ProxiedConnections, GetNoMoreTimeForAHeader) {
  MemoryPeer& client = connect();
  pass(config_.timeouts.first_byte - 100ms);
  send(client, kLine.substr(0, 20), 0);
  pass(200ms);
  EXPECT_TRUE(client.ended || client.broken);
}

TEST_P(ProxiedConnections, TakeNoHeaderFromOthers) {
  config_.trusted_proxies = {*base::parse_cidr("10.0.0.0/8")};
  EXPECT_EQ(get("/").status, 200);
  MemoryPeer& client = connect();
  send(client, kLine + get_head("/"), 0);
  EXPECT_EQ(read_answers(client.take()).at(0).status, 400);
  ++requests_;  // accounted as one
}

}  // namespace
}  // namespace relay

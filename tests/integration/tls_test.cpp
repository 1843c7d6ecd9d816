// TLS on the listening side, with certificates made while the test runs and clients that are not
// ours: the openssl command and Python.
#include <filesystem>

#include "tests/integration/harness/load.h"
#include "tests/integration/harness/scripted_backend.h"
#include "tests/integration/harness/standin.h"
#include "tests/support/certificates.h"

namespace {

using namespace harness;

// Asks over TLS until the file `stop` is there, on kept and on new connections; prints how many
// answers were good, and what was not.
constexpr const char* kAsker = R"(
import os, socket, ssl, sys, threading
port, ca, stop = int(sys.argv[1]), sys.argv[2], sys.argv[3]
good, bad, lock = [0], [], threading.Lock()
def ask(keep):
    context = ssl.create_default_context(cafile=ca)
    kept = None
    while not os.path.exists(stop):
        try:
            s = kept or context.wrap_socket(socket.create_connection(('127.0.0.1', port), 10),
                                            server_hostname='front.example')
            s.sendall(b'GET /nonce?n=x HTTP/1.1\r\nHost: t\r\n\r\n')
            got = b''
            while b'\r\n\r\n' not in got:
                piece = s.recv(65536)
                if not piece: raise Exception('closed')
                got += piece
            head, body = got.split(b'\r\n\r\n', 1)
            fields = dict(l.lower().split(b': ', 1) for l in head.split(b'\r\n')[1:])
            while len(body) < int(fields[b'content-length']):
                piece = s.recv(65536)
                if not piece: raise Exception('cut')
                body += piece
            if b' 200 ' not in head: raise Exception(head)
            with lock: good[0] += 1
            if keep: kept = s
            else: s.close()
        except Exception as e:
            kept = None
            with lock: bad.append(repr(e))
threads = [threading.Thread(target=ask, args=(i % 2 == 0,)) for i in range(6)]
for t in threads: t.start()
for t in threads: t.join()
print('good', good[0], 'bad', len(bad), bad[:3])
)";

class TlsFront : public testing::Test {
 protected:
  TlsFront() {
    made_.make("old", "DNS:front.example");
    made_.make("new", "DNS:front.example");
    install("old", "old");
    SidecarSetup setup;
    setup.colors = {blue_.as_color(1)};
    setup.keys["tls"] =
        "{ certificate: " + made_.certificate("front") + ", key: " + made_.key("front") + " }";
    sidecar_ = std::make_unique<SidecarProcess>(setup);
    sidecar_->wait_until_up({"blue"});
  }
  void install(const std::string& certificate, const std::string& key) {
    const auto over = std::filesystem::copy_options::overwrite_existing;
    std::filesystem::copy_file(made_.certificate(certificate), made_.certificate("front"), over);
    std::filesystem::copy_file(made_.key(key), made_.key("front"), over);
  }
  // One request by s_client, and everything it prints.
  std::string s_client(const std::string& words) {
    const std::string line = "printf 'GET /nonce?n=1 HTTP/1.1\\r\\nHost: t\\r\\nConnection: close" +
                             std::string("\\r\\n\\r\\n' | openssl s_client -connect 127.0.0.1:") +
                             std::to_string(sidecar_->port()) + " -ign_eof -CAfile " +
                             made_.certificate("ca") + " -servername front.example " + words +
                             " 2>&1";
    return run_program({"/bin/sh", "-c", line}).output;
  }
  // The common name that a new connection is shown.
  std::string shown() {
    const std::string text = s_client("");
    for (const char* name : {"old", "new"}) {
      if (text.find("subject=CN = " + std::string(name)) != std::string::npos) return name;
    }
    return text;
  }

  support::Certificates made_;
  Standin blue_{"blue", {"--workers", "8"}};
  std::unique_ptr<SidecarProcess> sidecar_;
};

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_F(TlsFront, AnswersAClientThatVerifies) {
  for (const char* version : {"-tls1_2", "-tls1_3"}) {
    const std::string text =
        s_client(std::string(version) +
                 " -verify_return_error -verify_hostname front.example -alpn h2,http/1.1");
    EXPECT_TRUE(has(text, "HTTP/1.1 200")) << version << "\n" << text;
    EXPECT_TRUE(has(text, "ALPN protocol: http/1.1")) << text;
    EXPECT_TRUE(has(text, "Compression: NONE")) << text;
  }
}

TEST_F(TlsFront, RefusesWhatIsNotModern) {
  for (const char* words :
       {"-tls1_1 -cipher ALL:@SECLEVEL=0", "-tls1_2 -cipher AES128-SHA", "-tls1_3 -alpn h2"}) {
    const std::string text = s_client(words);
    EXPECT_FALSE(has(text, "HTTP/1.1")) << words << "\n" << text;
  }
  RawClient plain(sidecar_->port());
  plain.send("GET / HTTP/1.1\r\nHost: t\r\n\r\n");
  EXPECT_FALSE(has(plain.read_until_close(), "HTTP/1.1"));
}

TEST_F(TlsFront, ResumesASessionOnAnyWorker) {
  const std::string session = made_.certificate("session");
  EXPECT_TRUE(has(s_client("-sess_out " + session), "New, TLSv1.3"));
  for (int i = 0; i < 6; ++i) {
    const std::string text = s_client("-sess_in " + session);
    EXPECT_TRUE(has(text, "Reused, TLSv1.3")) << text;
    EXPECT_TRUE(has(text, "HTTP/1.1 200")) << text;
  }
}

TEST_F(TlsFront, ShowsANewCertificateAfterAReloadOrAHangup) {
  EXPECT_EQ(shown(), "old");
  install("new", "new");
  sidecar_->command("reload");
  EXPECT_EQ(shown(), "new");
  install("old", "old");
  sidecar_->process().signal(SIGHUP);
  await("the old certificate", [this] { return shown() == "old"; });
}

TEST_F(TlsFront, KeepsTheOldCertificateWhenTheNewFilesAreFaulty) {
  install("new", "old");  // a key of another certificate
  const std::string answer = sidecar_->ask("reload");
  EXPECT_TRUE(has(answer, "\"ok\":false")) << answer;
  EXPECT_TRUE(has(answer, made_.key("front"))) << answer;
  EXPECT_EQ(shown(), "old");
  sidecar_->process().signal(SIGHUP);
  await("the log to say so", [this] { return has(sidecar_->log(), "certificate_kept"); });
  EXPECT_EQ(shown(), "old");
  EXPECT_FALSE(has(sidecar_->log(), "PRIVATE KEY"));
}

TEST_F(TlsFront, DropsNothingWhenCertificatesChangeUnderLoad) {
  const std::string stop = sidecar_->folder() / "stop";
  const std::string script = sidecar_->folder() / "asker.py";
  const std::string output = sidecar_->folder() / "asked";
  write_text(script, kAsker);
  Process asker(
      {"/usr/bin/python3", script, std::to_string(sidecar_->port()), made_.certificate("ca"), stop},
      output);
  for (int i = 0; i < 20; ++i) {
    const char* name = i % 2 == 0 ? "new" : "old";
    install(name, name);
    sidecar_->command("reload");
    EXPECT_EQ(shown(), name);
  }
  write_text(stop, "");
  ASSERT_TRUE(asker.wait(Millis{20'000}).has_value());
  EXPECT_TRUE(has(asker.output(), " bad 0 ")) << asker.output();
  EXPECT_FALSE(has(asker.output(), "good 0 ")) << asker.output();
}

TEST_F(TlsFront, MarksItsCookieSecure) { EXPECT_TRUE(has(s_client(""), "; Secure")); }

}  // namespace

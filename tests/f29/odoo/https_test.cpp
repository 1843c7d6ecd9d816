// Odoo over TLS: a certificate counts only if an authority that we trust signed it for that name.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "f29svc/sources/odoo/odoo.h"
#include "tests/f29/fake_odoo/fake_odoo.h"

using namespace f29;
using namespace std::chrono_literals;

namespace {

// A folder with a self-signed certificate for 127.0.0.1 and one for another name, and the front.
class TlsFront {
 public:
  TlsFront(int port, const std::string& subject_name) {
    char name[] = "/tmp/f29-tls-XXXXXX";
    folder_ = ::mkdtemp(name);
    const std::string make =
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -keyout " +
        folder_ + "/key.pem -out " + certificate() +
        " -subj /CN=test -addext subjectAltName=" + subject_name + " > /dev/null 2>&1";
    made_ = std::system(make.c_str()) == 0;
    int out[2] = {-1, -1};
    if (::pipe(out) != 0) return;
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(out[1], 1);
      ::close(out[0]);
      ::close(out[1]);
      ::execlp("python3", "python3", "tests/f29/odoo/tls_front.py", certificate().c_str(),
               (folder_ + "/key.pem").c_str(), std::to_string(port).c_str(), nullptr);
      ::_exit(127);
    }
    ::close(out[1]);
    std::string text;
    for (char c = 0; ::read(out[0], &c, 1) == 1 && c != '\n';) text += c;
    port_ = std::atoi(text.c_str());
    ::close(out[0]);
  }
  ~TlsFront() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
    std::filesystem::remove_all(folder_);
  }
  bool is_up() const { return made_ && port_ > 0; }
  std::string certificate() const { return folder_ + "/cert.pem"; }
  std::string url() const { return "https://127.0.0.1:" + std::to_string(port_); }

 private:
  std::string folder_;
  bool made_ = false;
  pid_t pid_ = -1;
  int port_ = 0;
};

base::Result<OdooCounts> read_over(const TlsFront& front, const std::string& ca_file) {
  OdooOptions options;
  options.http.url = front.url();
  options.http.ca_file = ca_file;
  options.http.read_timeout = 5s;
  options.database = "books";
  options.user = "auditor";
  options.key = "right-key";
  options.tries = 1;
  auto rpc = OdooRpc::make(options);
  EXPECT_TRUE(rpc.has_value());
  Findings findings;
  return read_odoo(
      **rpc, {*parse_rut("99950100-1"), {2026, 10}}, [](const Document&) {}, findings);
}

constexpr const char* kBooks = "tests/f29/odoo/books_2026_10.json";

}  // namespace

TEST(OdooOverTls, ReadsWhereTheCertificateIsTrusted) {
  f29test::FakeOdoo odoo(kBooks);
  TlsFront front(odoo.port(), "IP:127.0.0.1");
  ASSERT_TRUE(front.is_up());
  const auto counts = read_over(front, front.certificate());
  ASSERT_TRUE(counts.has_value()) << counts.error().detail;
  EXPECT_EQ(counts->documents, 25);
}

TEST(OdooOverTls, SendsNothingWhereNoAuthoritySignedTheCertificate) {
  f29test::FakeOdoo odoo(kBooks);
  TlsFront front(odoo.port(), "IP:127.0.0.1");
  ASSERT_TRUE(front.is_up());
  const auto counts = read_over(front, "");
  ASSERT_FALSE(counts.has_value());
  EXPECT_EQ(counts.error().code, base::ErrorCode::connect_failed);
  EXPECT_EQ(odoo.logins(), 0);
}

TEST(OdooOverTls, SendsNothingWhereTheCertificateIsForAnotherName) {
  f29test::FakeOdoo odoo(kBooks);
  TlsFront front(odoo.port(), "DNS:elsewhere.example");
  ASSERT_TRUE(front.is_up());
  const auto counts = read_over(front, front.certificate());
  ASSERT_FALSE(counts.has_value());
  EXPECT_EQ(counts.error().code, base::ErrorCode::connect_failed);
  EXPECT_EQ(odoo.logins(), 0);
}

// Certificates made while a test runs, by the openssl command, in a folder that goes away. All
// names are invented.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "proxy/base/check.h"

namespace support {

class Certificates {
 public:
  Certificates() {
    char name[] = "/tmp/certificates_XXXXXX";
    CHECK(mkdtemp(name) != nullptr);
    folder_ = name;
    make_authority("ca");
  }
  ~Certificates() { std::filesystem::remove_all(folder_); }
  Certificates(const Certificates&) = delete;
  Certificates& operator=(const Certificates&) = delete;

  std::string certificate(const std::string& name) const { return folder_ + "/" + name + ".pem"; }
  std::string key(const std::string& name) const { return folder_ + "/" + name + ".key"; }

  // One that may vouch for others; itself a self-signed certificate.
  void make_authority(const std::string& name) {
    run("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj '/CN=Test " +
        name + "' -keyout " + key(name) + " -out " + certificate(name));
  }
  // For `host` ("DNS:x" or "IP:x"), by `authority`. days = -1: expired.
  void make(const std::string& name, const std::string& host, int days = 30,
            const std::string& authority = "ca") {
    const std::string request = folder_ + "/" + name + ".csr";
    const std::string extra = folder_ + "/" + name + ".ext";
    std::ofstream(extra) << "subjectAltName=" << host << "\n";
    run("req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj '/CN=" + name +
        "' -keyout " + key(name) + " -out " + request);
    run("x509 -req -in " + request + " -CA " + certificate(authority) + " -CAkey " +
        key(authority) + " -CAcreateserial -days " + std::to_string(days) + " -extfile " + extra +
        " -out " + certificate(name));
  }

 private:
  static void run(const std::string& words) {
    CHECK(std::system(("openssl " + words + " >/dev/null 2>&1").c_str()) == 0);
  }
  std::string folder_;
};

}  // namespace support

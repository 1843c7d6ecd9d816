// The line to the sidecar, where the sidecar does not answer.
#include "shifter/agent/admin_link.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <vector>

namespace agent {
namespace {

using namespace std::chrono_literals;

// A sidecar that was stopped: it takes no connection, and its line of those who wait is full.
class StoppedSidecar {
 public:
  StoppedSidecar() {
    char name[] = "/tmp/link_XXXXXX";
    folder_ = ::mkdtemp(name);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path, path().c_str());
    const auto* where = reinterpret_cast<const sockaddr*>(&address);
    descriptors_.push_back(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::bind(descriptors_[0], where, sizeof address), 0);
    EXPECT_EQ(::listen(descriptors_[0], 0), 0);
    for (int i = 0; i < 16; ++i) {
      descriptors_.push_back(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
      if (::connect(descriptors_.back(), where, sizeof address) != 0) return;
    }
    ADD_FAILURE() << "the line has no end";
  }
  ~StoppedSidecar() {
    for (int one : descriptors_) ::close(one);
    std::filesystem::remove_all(folder_);
  }
  std::string path() const { return folder_ + "/admin.sock"; }

 private:
  std::string folder_;
  std::vector<int> descriptors_;
};

TEST(AdminLink, GivesUpWhereTheSidecarTakesNobody) {
  const StoppedSidecar sidecar;
  AdminLink link;
  const auto begun = std::chrono::steady_clock::now();
  EXPECT_FALSE(link.open(sidecar.path()).has_value());
  EXPECT_FALSE(link.is_open());
  EXPECT_LT(std::chrono::steady_clock::now() - begun, AdminLink::kPatience + 3s);
}

}  // namespace
}  // namespace agent

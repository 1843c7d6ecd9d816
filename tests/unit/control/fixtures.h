// What the control plane's tests share: two colors on loopback, and a folder that goes away.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include "proxy/base/check.h"
#include "proxy/routing/config.h"
#include "shifter/control/fleet.h"

namespace control {

inline routing::RoutingConfig two_colors(int blue_weight = 10, int green_weight = 0) {
  routing::RoutingConfig config;
  config.colors.resize(2);
  config.colors[0].name = "blue";
  config.colors[0].weight = blue_weight;
  config.colors[0].http = {{"127.0.0.1", 8069}};
  config.colors[0].websocket = {{"127.0.0.1", 8072}};
  config.colors[1].name = "green";
  config.colors[1].weight = green_weight;
  config.colors[1].http = {{"127.0.0.1", 8169}};
  config.colors[1].websocket = {{"127.0.0.1", 8172}};
  config.routes.resize(1);
  config.routes[0].name = "web";
  config.routes[0].prefixes = {"/"};
  return config;
}

inline IsUp all_up() {
  return [](size_t) { return true; };
}

class TemporaryFolder {
 public:
  TemporaryFolder() {
    // Where a sync costs nothing, if there is such a place: hours of a fake clock save often.
    char shared[] = "/dev/shm/control_test_XXXXXX";
    char plain[] = "/tmp/control_test_XXXXXX";
    char* name = mkdtemp(shared);
    if (name == nullptr) name = mkdtemp(plain);
    CHECK(name != nullptr);
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::permissions(path_, std::filesystem::perms::owner_all, ignored);
    std::filesystem::remove_all(path_, ignored);
  }
  std::string file(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace control

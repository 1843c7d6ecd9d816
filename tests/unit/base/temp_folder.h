// A folder of its own for one test, removed with what is in it.
#pragma once

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "proxy/base/check.h"

namespace base {

class TempFolder {
 public:
  TempFolder() {
    char name[] = "/tmp/unit_base_XXXXXX";
    CHECK(mkdtemp(name) != nullptr);
    path_ = name;
  }
  ~TempFolder() { std::filesystem::remove_all(path_); }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }
  size_t files() const {
    size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) {
      count += entry.exists() ? 1 : 0;
    }
    return count;
  }

 private:
  std::string path_;
};

inline std::string slurp(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

inline void spill(const std::string& path, const std::string& text) { std::ofstream(path) << text; }

}  // namespace base

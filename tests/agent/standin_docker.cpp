#include "tests/agent/standin_docker.h"

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/integration/harness/process.h"

namespace agent_tests {

std::string standin_image_id(size_t nth) {
  const std::string digits = std::to_string(nth);
  return "sha256:" + std::string(64 - digits.size(), '0') + digits;
}

std::vector<std::string> put_standin_docker(const std::string& folder,
                                            const std::map<std::string, StandinImage>& images) {
  nlohmann::json list = nlohmann::json::object();
  for (const auto& [name, image] : images) {
    list[name] = {{"id", standin_image_id(list.size())},
                  {"digests", image.digests},
                  {"environment", image.environment},
                  {"command", image.command}};
  }
  harness::write_text(folder + "/images.json", list.dump());
  std::filesystem::create_directory(folder + "/bin");
  for (const char* name : {"docker", "docker-compose"}) {
    std::filesystem::create_symlink(SOURCE_FOLDER "/tests/agent/standin_docker.py",
                                    folder + "/bin/" + name);
  }
  return {"PATH=" + folder + "/bin:" + std::getenv("PATH"), "STANDIN_FOLDER=" + folder,
          "STANDIN_STUB=" + harness::program("stub_odoo")};
}

}  // namespace agent_tests

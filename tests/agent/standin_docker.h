// Puts the stand-in for docker and docker-compose (standin_docker.py) into a folder, with images.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace agent_tests {

struct StandinImage {
  std::map<std::string, std::string> environment;
  std::vector<std::string> digests;
  std::vector<std::string> command;  // none: stub_odoo
};

// NAME=VALUE of the environment in which `docker` and `docker-compose` are the stand-in.
std::vector<std::string> put_standin_docker(const std::string& folder,
                                            const std::map<std::string, StandinImage>& images);
// "sha256:…" of the image that is the nth by name.
std::string standin_image_id(size_t nth);

}  // namespace agent_tests

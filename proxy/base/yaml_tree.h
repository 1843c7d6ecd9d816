// A YAML document as a plain tree with line numbers. Refuses what a configuration does not need:
// anchors, aliases, tags, several documents, deep nesting.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/base/yaml.h"

namespace base {

struct YamlNode {
  enum class Kind { null, scalar, list, mapping };
  Kind kind = Kind::null;
  int line = 0;  // 1-based
  std::string scalar;
  std::vector<YamlNode> items;                         // of a list
  std::vector<std::pair<YamlNode, YamlNode>> entries;  // of a mapping, in the file's order
};

// The document's root. Faults go to `faults` with file and line; the root is then what could be
// read.
YamlNode read_yaml_tree(const std::string& file, std::string_view text,
                        std::vector<ConfigFault>& faults);

}  // namespace base

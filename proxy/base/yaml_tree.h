// A YAML document as a plain tree with line numbers. Refuses what a configuration does not need:
// anchors, aliases, tags, several documents, deep nesting.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/yaml.h"

namespace base {

struct YamlEntry;  // not a pair: a pair of what is not complete yet is refused by some compilers

struct YamlNode {
  enum class Kind { null, scalar, list, mapping };
  Kind kind = Kind::null;
  int line = 0;  // 1-based
  std::string scalar;
  std::vector<YamlNode> items;     // of a list
  std::vector<YamlEntry> entries;  // of a mapping, in the file's order
};

struct YamlEntry {
  YamlNode first;   // the key
  YamlNode second;  // its value
};

// The document's root. Faults go to `faults` with file and line; the root is then what could be
// read.
YamlNode read_yaml_tree(const std::string& file, std::string_view text,
                        std::vector<ConfigFault>& faults);

}  // namespace base

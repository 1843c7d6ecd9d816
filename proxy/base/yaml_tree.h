// A YAML document as a plain tree with line numbers. Refuses what a configuration does not need:
// tags, several documents, deep nesting; anchors and aliases, unless they are to be followed.
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

// followed: for files of others. An alias is a copy of what it stands for, with its lines, and `<<`
// gives a mapping the keys that it does not have itself. At most 10,000 nodes are copied.
enum class YamlAliases { refused, followed };

// The document's root. Faults go to `faults` with file and line; the root is then what could be
// read.
YamlNode read_yaml_tree(const std::string& file, std::string_view text,
                        std::vector<ConfigFault>& faults,
                        YamlAliases aliases = YamlAliases::refused);

}  // namespace base

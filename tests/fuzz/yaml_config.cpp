// The mechanism of configuration: any text gives values or faults with a line, within bounds.
#include "proxy/base/yaml.h"
#include "proxy/base/yaml_tree.h"
#include "proxy/routing/config.h"
#include "tests/fuzz/targets.h"

namespace {

size_t count_nodes(const base::YamlNode& node) {
  size_t count = 1;
  for (const base::YamlNode& item : node.items) count += count_nodes(item);
  for (const base::YamlEntry& entry : node.entries) {
    count += count_nodes(entry.first) + count_nodes(entry.second);
  }
  return count;
}

// A file of others, whose aliases are followed.
void follow_aliases(const std::string& text) {
  std::vector<base::ConfigFault> faults;
  const base::YamlNode root =
      base::read_yaml_tree("fuzz.yaml", text, faults, base::YamlAliases::followed);
  if (count_nodes(root) > 2 * text.size() + 10'002) fuzz_fault("more copies than promised");
}

}  // namespace

int yaml_config_one(const uint8_t* data, size_t size) {
  if (size > 1 << 16) return 0;
  const std::string text(reinterpret_cast<const char*>(data), size);
  follow_aliases(text);
  base::YamlFile file = base::YamlFile::from_text("fuzz.yaml", text);
  {
    base::Section top = file.top();
    (void)routing::read_routing_config(top);
    int64_t bytes = 64 << 10;
    top.read_size("size", bytes, 1, 1 << 30);
    if (bytes < 1 || bytes > 1 << 30) fuzz_fault("a size out of its range");
    base::Millis time{1000};
    top.section("nested").read("time", time, base::Millis{10}, base::Millis{60'000});
    if (time < base::Millis{10} || time > base::Millis{60'000})
      fuzz_fault("a time out of its range");
    bool flag = false;
    base::Section nested = top.section("nested");
    nested.read("flag", flag);
    if (nested.path() != "nested") fuzz_fault("a section of another name");
    std::vector<std::string> words;
    top.read("words", words);
    const size_t sections = top.sections("sections").size();
    if (top.sections("sections").size() != sections) fuzz_fault("other sections the second time");
  }
  for (const base::ConfigFault& fault : file.faults()) {
    if (fault.message.empty()) fuzz_fault("a fault without words");
    if (fault.text().find("fuzz.yaml") != 0) fuzz_fault("a fault without its file");
    if (fault.line < 0) fuzz_fault("a fault without a place");
  }
  return 0;
}

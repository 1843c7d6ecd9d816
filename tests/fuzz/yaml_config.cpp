// The mechanism of configuration: any text gives values or faults with a line, within bounds.
#include "proxy/base/yaml.h"
#include "proxy/routing/config.h"
#include "tests/fuzz/targets.h"

int yaml_config_one(const uint8_t* data, size_t size) {
  if (size > 1 << 16) return 0;
  const std::string text(reinterpret_cast<const char*>(data), size);
  base::YamlFile file = base::YamlFile::from_text("fuzz.yaml", text);
  {
    base::Section top = file.top();
    (void)routing::read_routing_config(top);
  }
  for (const base::ConfigFault& fault : file.faults()) {
    if (fault.message.empty()) fuzz_fault("a fault without words");
    if (fault.line < 0) fuzz_fault("a fault without a place");
  }
  return 0;
}

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
    int64_t bytes = 64 << 10;
    top.read_size("size", bytes, 1, 1 << 30);
    if (bytes < 1 || bytes > 1 << 30) fuzz_fault("a size out of its range");
    base::Millis time{1000};
    top.section("nested").read("time", time, base::Millis{10}, base::Millis{60'000});
    if (time < base::Millis{10} || time > base::Millis{60'000})
      fuzz_fault("a time out of its range");
    bool flag = false;
    top.section("nested").read("flag", flag);
  }
  for (const base::ConfigFault& fault : file.faults()) {
    if (fault.message.empty()) fuzz_fault("a fault without words");
    if (fault.text().find("fuzz.yaml") != 0) fuzz_fault("a fault without its file");
    if (fault.line < 0) fuzz_fault("a fault without a place");
  }
  return 0;
}

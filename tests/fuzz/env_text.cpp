// An env file: any bytes give entries or a fault; an edit changes the bytes of one value, reads
// back, and leaves every other value as it was.
#include "shifter/agent/env_text.h"

#include "tests/fuzz/targets.h"

int env_text_one(const uint8_t* data, size_t size) {
  if (size > 1 << 14) return 0;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const auto text = agent::EnvText::parse(bytes);
  if (!text) {
    if (text.error().detail.empty()) fuzz_fault("a fault without words");
    return 0;
  }
  if (text->bytes() != bytes) fuzz_fault("reading changed the bytes");
  size_t edits = 0;
  for (const agent::EnvText::Entry& entry : text->entries()) {
    if (entry.value_at + entry.value_length > size) fuzz_fault("a value beyond the end");
    const auto edited = text->with(entry.key, "16");
    if (!edited) continue;  // it is there twice
    if (++edits > 16) return 0;
    const std::string expected =
        bytes.substr(0, entry.value_at) + "16" + bytes.substr(entry.value_at + entry.value_length);
    if (*edited != expected) fuzz_fault("another byte was changed");
    const auto again = agent::EnvText::parse(*edited);
    if (!again) fuzz_fault("an edited file is not read");
    if (again->entries().size() != text->entries().size()) fuzz_fault("an entry came or went");
    for (size_t i = 0; i < text->entries().size(); ++i) {
      const auto& before = text->entries()[i];
      const auto& after = again->entries()[i];
      const std::string value = again->bytes().substr(after.value_at, after.value_length);
      const bool is_it = before.key == entry.key;
      if (before.key != after.key) fuzz_fault("a key changed");
      if (value != (is_it ? "16" : bytes.substr(before.value_at, before.value_length))) {
        fuzz_fault("a value is not what it should be");
      }
    }
  }
  return 0;
}

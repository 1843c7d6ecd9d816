// The mechanism of configuration: a YAML file read section by section, every fault gathered with
// file, line and key, unknown keys reported with the nearest valid name. Each folder keeps its own
// keys beside its own struct.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/clock.h"

namespace base {

struct ConfigFault {
  std::string file;
  int line = 0;     // 1-based; 0 when the file as a whole is meant
  std::string key;  // dotted path: "colors.blue.weight"
  std::string message;
  std::string text() const;  // "conf/sidecar.yaml:12: colors.blue.weight: …"
};

class YamlFile;

// One mapping of the file. Reading a key marks it as known. When the last copy of a section goes,
// keys that nobody read become faults. An absent key leaves the value (its default) untouched.
class Section {
 public:
  bool has(std::string_view key) const;
  std::string path() const;               // "colors.blue", "" at the top
  std::vector<std::string> keys() const;  // in the file's order

  void read(std::string_view key, bool& value);  // on/off, true/false, yes/no
  void read(std::string_view key, std::string& value);
  void read(std::string_view key, int64_t& value, int64_t least, int64_t most);
  void read(std::string_view key, int& value, int least, int most);
  // "200ms", "2s", "15m", "2h", "1d"; a bare number is seconds.
  void read(std::string_view key, Millis& value, Millis least, Millis most);
  // "64KiB", "16MiB", "4GiB", a bare number is bytes.
  void read_size(std::string_view key, int64_t& bytes, int64_t least, int64_t most);
  // A list, or a single value standing for a list of one.
  void read(std::string_view key, std::vector<std::string>& values);
  // A closed set of words; the fault names them.
  void read_word(std::string_view key, std::string& value, const std::vector<std::string>& words);

  // A nested mapping. Absent: an empty section, so that defaults are read the same way.
  Section section(std::string_view key);
  // A list of mappings.
  std::vector<Section> sections(std::string_view key);

  // A fault at a key of this section, or at the section itself (empty key).
  void fault(std::string_view key, std::string message);

 private:
  friend class YamlFile;
  struct State;
  std::shared_ptr<State> state_;
};

class YamlFile {
 public:
  // Text that is not YAML, or above 1 MiB, is one fault.
  static YamlFile from_text(std::string file, std::string_view text);
  static YamlFile from_path(const std::string& path);
  ~YamlFile();
  YamlFile(YamlFile&&) noexcept;

  Section top();
  // In the order of lines. Complete once every Section is gone.
  std::vector<ConfigFault> faults() const;

 private:
  friend class Section;
  struct State;
  explicit YamlFile(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

// The word of `words` that is nearest to `given`, if any is near enough to be meant.
std::optional<std::string> nearest_word(std::string_view given,
                                        const std::vector<std::string>& words);

std::optional<Millis> parse_duration(std::string_view text);  // also used by the admin grammar
std::string duration_text(Millis value);                      // "15m", "1500ms"

}  // namespace base

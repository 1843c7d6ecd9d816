#include "proxy/base/yaml.h"

#include <algorithm>
#include <map>
#include <set>

#include "proxy/base/files.h"
#include "proxy/base/yaml_tree.h"
#include "proxy/base/yaml_values.h"

namespace base {
namespace {

constexpr size_t kFileMax = 1 << 20;

std::string list_of(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    if (!text.empty()) text += ", ";
    text += word;
  }
  return text;
}

template <class T>
std::string range_text(T least, T most) {
  if constexpr (std::is_same_v<T, Millis>) {
    return "from " + duration_text(least) + " to " + duration_text(most);
  } else {
    return "from " + std::to_string(least) + " to " + std::to_string(most);
  }
}

}  // namespace

std::string ConfigFault::text() const {
  std::string text = file;
  if (line > 0) text += ":" + std::to_string(line);
  text += ": ";
  if (!key.empty()) text += key + ": ";
  return text + message;
}

struct YamlFile::State {
  std::string file;
  YamlNode root;
  std::vector<ConfigFault> faults;
};

struct Section::State {
  std::shared_ptr<YamlFile::State> file;
  const YamlNode* node = nullptr;  // a mapping, or nullptr: absent, everything has its default
  std::string path;
  int line = 0;
  std::vector<std::string> read;  // keys that somebody asked for, in order
  // The sections of this one that somebody asked for: asked for twice, they are the same, so that
  // two readers may share one.
  std::map<std::string, std::shared_ptr<State>, std::less<>> inner;

  ~State();
  const YamlNode* find(std::string_view key);
  const YamlNode* find_scalar(std::string_view key);
  std::string path_of(std::string_view key) const {
    if (key.empty()) return path;
    return path.empty() ? std::string(key) : path + "." + std::string(key);
  }
  void fault(int at, std::string_view key, std::string message) {
    file->faults.push_back({file->file, at, path_of(key), std::move(message)});
  }
};

// Keys that nobody read are unknown; keys that stand twice would hide one another.
Section::State::~State() {
  if (node == nullptr) return;
  std::set<std::string> seen;
  for (const auto& [key, value] : node->entries) {
    if (!seen.insert(key.scalar).second) fault(key.line, key.scalar, "stands twice");
    if (std::find(read.begin(), read.end(), key.scalar) != read.end()) continue;
    std::string message = "unknown key";
    if (auto nearest = nearest_word(key.scalar, read))
      message += "; did you mean " + *nearest + "?";
    fault(key.line, key.scalar, std::move(message));
  }
}

const YamlNode* Section::State::find(std::string_view key) {
  if (std::find(read.begin(), read.end(), key) == read.end()) read.emplace_back(key);
  if (node == nullptr) return nullptr;
  for (const auto& [name, value] : node->entries) {
    if (name.scalar != key) continue;
    if (value.kind == YamlNode::Kind::null) {
      fault(name.line, key, "has no value");
      return nullptr;
    }
    return &value;
  }
  return nullptr;
}

const YamlNode* Section::State::find_scalar(std::string_view key) {
  const YamlNode* value = find(key);
  if (value == nullptr || value->kind == YamlNode::Kind::scalar) return value;
  fault(value->line, key, "must be a single value");
  return nullptr;
}

bool Section::has(std::string_view key) const {
  if (state_->node == nullptr) return false;
  const auto& entries = state_->node->entries;
  return std::any_of(entries.begin(), entries.end(),
                     [&](const auto& entry) { return entry.first.scalar == key; });
}

std::string Section::path() const { return state_->path; }

std::vector<std::string> Section::keys() const {
  std::vector<std::string> keys;
  if (state_->node == nullptr) return keys;
  for (const auto& entry : state_->node->entries) keys.push_back(entry.first.scalar);
  return keys;
}

void Section::read(std::string_view key, bool& value) {
  const YamlNode* found = state_->find_scalar(key);
  if (found == nullptr) return;
  if (auto parsed = parse_switch(found->scalar)) {
    value = *parsed;
  } else {
    state_->fault(found->line, key, "must be on or off");
  }
}

void Section::read(std::string_view key, std::string& value) {
  if (const YamlNode* found = state_->find_scalar(key)) value = found->scalar;
}

void Section::read(std::string_view key, int64_t& value, int64_t least, int64_t most) {
  const YamlNode* found = state_->find_scalar(key);
  if (found == nullptr) return;
  const auto parsed = parse_integer(found->scalar);
  if (!parsed || *parsed < least || *parsed > most) {
    state_->fault(found->line, key, "must be a whole number " + range_text(least, most));
  } else {
    value = *parsed;
  }
}

void Section::read(std::string_view key, int& value, int least, int most) {
  int64_t wide = value;
  read(key, wide, int64_t{least}, int64_t{most});
  value = static_cast<int>(wide);
}

void Section::read(std::string_view key, Millis& value, Millis least, Millis most) {
  const YamlNode* found = state_->find_scalar(key);
  if (found == nullptr) return;
  const auto parsed = parse_duration(found->scalar);
  if (!parsed || *parsed < least || *parsed > most) {
    state_->fault(found->line, key,
                  "must be a time such as 200ms, 15s, 20m or 2h, " + range_text(least, most));
  } else {
    value = *parsed;
  }
}

void Section::read_size(std::string_view key, int64_t& bytes, int64_t least, int64_t most) {
  const YamlNode* found = state_->find_scalar(key);
  if (found == nullptr) return;
  const auto parsed = parse_size(found->scalar);
  if (!parsed || *parsed < least || *parsed > most) {
    state_->fault(
        found->line, key,
        "must be a size such as 64KiB, 16MiB or 4GiB, " + range_text(least, most) + " bytes");
  } else {
    bytes = *parsed;
  }
}

void Section::read(std::string_view key, std::vector<std::string>& values) {
  const YamlNode* found = state_->find(key);
  if (found == nullptr) return;
  std::vector<std::string> read_values;
  if (found->kind == YamlNode::Kind::scalar) {
    read_values.push_back(found->scalar);
  } else if (found->kind == YamlNode::Kind::list) {
    for (const YamlNode& item : found->items) {
      if (item.kind != YamlNode::Kind::scalar) {
        state_->fault(item.line, key, "must be a list of single values");
        return;
      }
      read_values.push_back(item.scalar);
    }
  } else {
    state_->fault(found->line, key, "must be a value or a list of values");
    return;
  }
  values = std::move(read_values);
}

void Section::read_word(std::string_view key, std::string& value,
                        const std::vector<std::string>& words) {
  const YamlNode* found = state_->find_scalar(key);
  if (found == nullptr) return;
  if (std::find(words.begin(), words.end(), found->scalar) == words.end()) {
    state_->fault(found->line, key, "must be one of " + list_of(words));
  } else {
    value = found->scalar;
  }
}

Section Section::section(std::string_view key) {
  Section inner;
  if (const auto known = state_->inner.find(key); known != state_->inner.end()) {
    inner.state_ = known->second;
    return inner;
  }
  inner.state_ = std::make_shared<State>();
  inner.state_->file = state_->file;
  inner.state_->path = state_->path_of(key);
  inner.state_->line = state_->line;
  state_->inner.emplace(key, inner.state_);
  const YamlNode* found = state_->find(key);
  if (found == nullptr) return inner;
  inner.state_->line = found->line;
  if (found->kind == YamlNode::Kind::mapping) {
    inner.state_->node = found;
  } else {
    state_->fault(found->line, key, "must be a section with keys");
  }
  return inner;
}

std::vector<Section> Section::sections(std::string_view key) {
  std::vector<Section> inner;
  const YamlNode* found = state_->find(key);
  if (found == nullptr) return inner;
  if (found->kind != YamlNode::Kind::list) {
    state_->fault(found->line, key, "must be a list of sections");
    return inner;
  }
  for (size_t i = 0; i < found->items.size(); ++i) {
    const YamlNode& item = found->items[i];
    const std::string name = std::string(key) + "[" + std::to_string(i) + "]";
    if (item.kind != YamlNode::Kind::mapping) {
      state_->fault(item.line, name, "must be a section with keys");
      continue;
    }
    Section one;
    if (const auto known = state_->inner.find(name); known != state_->inner.end()) {
      one.state_ = known->second;
      inner.push_back(std::move(one));
      continue;
    }
    one.state_ = std::make_shared<State>();
    state_->inner.emplace(name, one.state_);
    one.state_->file = state_->file;
    one.state_->path = state_->path_of(name);
    one.state_->line = item.line;
    one.state_->node = &item;
    inner.push_back(std::move(one));
  }
  return inner;
}

void Section::fault(std::string_view key, std::string message) {
  int line = state_->line;
  if (state_->node != nullptr && !key.empty()) {
    for (const auto& entry : state_->node->entries) {
      if (entry.first.scalar == key) line = entry.first.line;
    }
  }
  state_->fault(line, key, std::move(message));
}

YamlFile::YamlFile(std::shared_ptr<State> state) : state_(std::move(state)) {}
YamlFile::~YamlFile() = default;
YamlFile::YamlFile(YamlFile&&) noexcept = default;

YamlFile YamlFile::from_text(std::string file, std::string_view text) {
  auto state = std::make_shared<State>();
  state->file = std::move(file);
  state->root = read_yaml_tree(state->file, text, state->faults);
  const bool empty = state->root.kind == YamlNode::Kind::null;
  if (!empty && state->root.kind != YamlNode::Kind::mapping) {
    state->faults.push_back({state->file, state->root.line, "", "must be keys with values"});
  }
  return YamlFile(std::move(state));
}

YamlFile YamlFile::from_path(const std::string& path) {
  Result<std::string> text = read_file(path, kFileMax);
  if (text) return from_text(path, *text);
  auto state = std::make_shared<State>();
  state->file = path;
  state->faults.push_back({path, 0, "", text.error().detail});
  return YamlFile(std::move(state));
}

Section YamlFile::top() {
  Section top;
  top.state_ = std::make_shared<Section::State>();
  top.state_->file = state_;
  top.state_->line = state_->root.line;
  if (state_->root.kind == YamlNode::Kind::mapping) top.state_->node = &state_->root;
  return top;
}

std::vector<ConfigFault> YamlFile::faults() const {
  std::vector<ConfigFault> faults = state_->faults;
  std::stable_sort(faults.begin(), faults.end(),
                   [](const ConfigFault& a, const ConfigFault& b) { return a.line < b.line; });
  return faults;
}

}  // namespace base

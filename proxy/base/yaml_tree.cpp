#include "proxy/base/yaml_tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <sstream>
#include <utility>

#include "proxy/base/utf8.h"

namespace base {
namespace {

constexpr size_t kTextMax = 1 << 20;
constexpr size_t kDepthMax = 20;
constexpr size_t kCopiedMax = 10'000;

size_t count_nodes(const YamlNode& node) {
  size_t count = 1;
  for (const YamlNode& item : node.items) count += count_nodes(item);
  for (const YamlEntry& entry : node.entries) count += 1 + count_nodes(entry.second);
  return count;
}

// Its own keys win over merged ones, and of those the first.
void merge_into(std::vector<YamlEntry>& entries, const YamlNode& from) {
  for (const YamlEntry& entry : from.entries) {
    const bool is_there = std::any_of(entries.begin(), entries.end(), [&](const YamlEntry& one) {
      return one.first.scalar == entry.first.scalar;
    });
    if (!is_there) entries.push_back(entry);
  }
}

class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(const std::string& file, std::vector<ConfigFault>& faults, YamlAliases aliases)
      : file_(file), faults_(faults), follows_(aliases == YamlAliases::followed) {}

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    refuse_extras(mark, "?", anchor);
    add({YamlNode::Kind::null, line_of(mark), {}, {}, {}}, anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    YamlNode node{YamlNode::Kind::null, line_of(mark), {}, {}, {}};
    const auto known = anchored_.find(anchor);
    if (!follows_) {
      fault(mark, "aliases are not allowed");
    } else if (known == anchored_.end()) {
      fault(mark, "an alias inside of what it stands for");
    } else if (copied_ += known->second.nodes; copied_ > kCopiedMax) {
      if (!std::exchange(is_told_, true)) fault(mark, "too much is made of aliases");
    } else {
      node = known->second.node;
    }
    add(std::move(node), 0);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    refuse_extras(mark, tag, anchor);
    add({YamlNode::Kind::scalar, line_of(mark), value, {}, {}}, anchor);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    begin(mark, tag, anchor, YamlNode::Kind::list);
  }
  void OnSequenceEnd() override { end(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    begin(mark, tag, anchor, YamlNode::Kind::mapping);
  }
  void OnMapEnd() override { end(); }

  YamlNode take_root() { return std::move(root_); }

 private:
  struct Open {
    YamlNode node;
    std::unique_ptr<YamlNode> key;  // of a mapping: read, its value still to come
    YAML::anchor_t anchor = 0;
  };
  struct Anchored {
    YamlNode node;
    size_t nodes = 0;
  };

  static int line_of(const YAML::Mark& mark) { return mark.line + 1; }
  void fault(const YAML::Mark& mark, std::string message) {
    faults_.push_back({file_, line_of(mark), "", std::move(message)});
  }
  void refuse_extras(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    if (anchor != 0 && !follows_) fault(mark, "anchors are not allowed");
    if (!tag.empty() && tag != "?" && tag != "!") fault(mark, "tags are not allowed");
  }
  void begin(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
             YamlNode::Kind kind) {
    refuse_extras(mark, tag, anchor);
    if (open_.size() == kDepthMax) fault(mark, "nested too deeply");
    open_.push_back({YamlNode{kind, line_of(mark), {}, {}, {}}, nullptr, anchor});
  }
  void end() {
    YamlNode node = std::move(open_.back().node);
    const YAML::anchor_t anchor = open_.back().anchor;
    open_.pop_back();
    if (follows_) merge_keys(node);
    add(std::move(node), anchor);
  }
  static void merge_keys(YamlNode& node) {
    auto& entries = node.entries;
    const auto merge =
        std::stable_partition(entries.begin(), entries.end(),
                              [](const YamlEntry& entry) { return entry.first.scalar != "<<"; });
    const std::vector<YamlEntry> merges(std::make_move_iterator(merge),
                                        std::make_move_iterator(entries.end()));
    entries.erase(merge, entries.end());
    for (const YamlEntry& from : merges) {
      merge_into(entries, from.second);
      for (const YamlNode& one : from.second.items) merge_into(entries, one);
    }
  }
  void add(YamlNode node, YAML::anchor_t anchor) {
    if (anchor != 0 && follows_) anchored_[anchor] = {node, count_nodes(node)};
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.kind == YamlNode::Kind::list) {
      parent.node.items.push_back(std::move(node));
    } else if (parent.key == nullptr) {
      parent.key = std::make_unique<YamlNode>(std::move(node));
    } else {
      parent.node.entries.push_back({std::move(*parent.key), std::move(node)});
      parent.key.reset();
    }
  }

  const std::string& file_;
  std::vector<ConfigFault>& faults_;
  const bool follows_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, Anchored> anchored_;
  size_t copied_ = 0;
  bool is_told_ = false;
  YamlNode root_;
};

// The line of the first byte that is no text, 0: all of it is.
int line_that_is_no_text(std::string_view text) {
  int line = 1;
  for (size_t at = 0; at < text.size();) {
    const size_t length = text[at] == '\0' ? 0 : utf8_length(text, at);
    if (length == 0) return line;
    if (text[at] == '\n') ++line;
    at += length;
  }
  return 0;
}

}  // namespace

YamlNode read_yaml_tree(const std::string& file, std::string_view text,
                        std::vector<ConfigFault>& faults, YamlAliases aliases) {
  if (text.size() > kTextMax) {
    faults.push_back({file, 0, "", "larger than 1 MiB"});
    return {};
  }
  if (const int line = line_that_is_no_text(text); line != 0) {
    faults.push_back({file, line, "", "not UTF-8 text"});
    return {};
  }
  TreeBuilder builder(file, faults, aliases);
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    parser.HandleNextDocument(builder);
    TreeBuilder second(file, faults, aliases);
    if (parser.HandleNextDocument(second)) {
      faults.push_back({file, second.take_root().line, "", "only one document is allowed"});
    }
  } catch (const YAML::Exception& error) {
    faults.push_back({file, error.mark.line + 1, "", "not YAML: " + error.msg});
    return {};
  }
  return builder.take_root();
}

}  // namespace base

#include "proxy/base/yaml_tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <sstream>
#include <utility>

#include "proxy/base/utf8.h"

namespace base {
namespace {

constexpr size_t kTextMax = 1 << 20;
constexpr size_t kDepthMax = 20;

class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(const std::string& file, std::vector<ConfigFault>& faults)
      : file_(file), faults_(faults) {}

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    refuse_extras(mark, "?", anchor);
    add({YamlNode::Kind::null, line_of(mark), {}, {}, {}});
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    fault(mark, "aliases are not allowed");
    add({YamlNode::Kind::null, line_of(mark), {}, {}, {}});
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    refuse_extras(mark, tag, anchor);
    add({YamlNode::Kind::scalar, line_of(mark), value, {}, {}});
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
  };

  static int line_of(const YAML::Mark& mark) { return mark.line + 1; }
  void fault(const YAML::Mark& mark, std::string message) {
    faults_.push_back({file_, line_of(mark), "", std::move(message)});
  }
  void refuse_extras(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
    if (anchor != 0) fault(mark, "anchors are not allowed");
    if (!tag.empty() && tag != "?" && tag != "!") fault(mark, "tags are not allowed");
  }
  void begin(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
             YamlNode::Kind kind) {
    refuse_extras(mark, tag, anchor);
    if (open_.size() == kDepthMax) fault(mark, "nested too deeply");
    open_.push_back({YamlNode{kind, line_of(mark), {}, {}, {}}, nullptr});
  }
  void end() {
    YamlNode node = std::move(open_.back().node);
    open_.pop_back();
    add(std::move(node));
  }
  void add(YamlNode node) {
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
  std::vector<Open> open_;
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
                        std::vector<ConfigFault>& faults) {
  if (text.size() > kTextMax) {
    faults.push_back({file, 0, "", "larger than 1 MiB"});
    return {};
  }
  if (const int line = line_that_is_no_text(text); line != 0) {
    faults.push_back({file, line, "", "not UTF-8 text"});
    return {};
  }
  TreeBuilder builder(file, faults);
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    parser.HandleNextDocument(builder);
    TreeBuilder second(file, faults);
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

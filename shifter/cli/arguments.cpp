#include "shifter/cli/arguments.h"

#include <algorithm>

#include "proxy/base/yaml.h"
#include "shifter/cli/rollout_view.h"

namespace cli {
namespace {

base::Result<Arguments> usage(std::string message) {
  return base::fail(base::ErrorCode::bad_input, base::Side::client, std::move(message));
}

std::string meant(const std::string& word, const std::vector<std::string>& names) {
  auto nearest = base::nearest_word(word, names);
  return nearest ? "; did you mean " + *nearest + "?" : std::string();
}

std::string unknown_verb(const std::string& verb) {
  std::vector<std::string> names;
  for (const VerbSpec& one : verb_table()) names.emplace_back(one.name);
  return "no verb is called " + verb + meant(verb, names);
}

const OptionSpec* find_option(std::string_view name) {
  for (const OptionSpec& option : option_table()) {
    if (option.name == name) return &option;
  }
  return nullptr;
}

void set_flag(Arguments& arguments, std::string_view name) {
  if (name == "--json") arguments.json = true;
  if (name == "--help") arguments.help = true;
  if (name == "--dry-run") arguments.dry_run = true;
  if (name == "--no-input") arguments.no_input = true;
  if (name == "--no-color") arguments.no_color = true;
  if (name == "--wait") arguments.wait = true;
  if (name == "--wait-lock") arguments.wait_lock = true;
}

// What the daemon's line gets at its end.
struct Tail {
  std::string text;
  bool is_for_changes = false;
};

// A fault in words, or nothing.
std::string set_value(Arguments& arguments, std::string_view name, const std::string& value,
                      Tail& tail) {
  if (name == "--socket") arguments.socket = value;
  if (name == "--confirm") arguments.confirm = value;
  if (name == "--reason") tail.text += " reason=" + quoted(value);
  if (name == "--if-epoch") {
    arguments.if_epoch = value;
    tail.text += " if-epoch=" + quoted(value);
  }
  if (name == "--wait-lock") {
    auto time = base::parse_duration(value);
    if (!time) return "--wait-lock=" + value + " is no time, such as 90s or 10m";
    arguments.wait_lock = true;
    arguments.wait_lock_time = *time;
  }
  if (name == "--wait") {
    auto time = base::parse_duration(value);
    if (!time) return "--wait=" + value + " is no time, such as 90s or 2m";
    arguments.wait = true;
    arguments.wait_time = *time;
  }
  if (name != "--socket" && name != "--wait") tail.is_for_changes = true;
  return {};
}

// One option; moves `at` over its value. A fault in words, or nothing.
std::string take_option(Arguments& arguments, const std::vector<std::string>& words, size_t& at,
                        Tail& tail) {
  const std::string word = words[at] == "-h" ? "--help" : words[at];
  const size_t equals = word.find('=');
  const std::string name = word.substr(0, equals);
  const OptionSpec* option = find_option(name);
  if (option == nullptr) {
    std::vector<std::string> names;
    for (const OptionSpec& one : option_table()) names.emplace_back(one.name);
    return "unknown option " + name + meant(name, names);
  }
  if (equals != std::string::npos) {
    if (option->value.empty()) return name + " takes no value";
    return set_value(arguments, option->name, word.substr(equals + 1), tail);
  }
  if (option->value.empty() || option->value.front() == '[') {
    set_flag(arguments, option->name);
    return {};
  }
  if (at + 1 >= words.size()) return name + " needs a value: " + usage_text(*option);
  return set_value(arguments, option->name, words[++at], tail);
}

void take_word(Arguments& arguments, const std::string& word) {
  const size_t equals = word.find('=');
  if (equals == std::string::npos) {
    arguments.words.push_back(word);
    arguments.line += " " + quoted(word);
    return;
  }
  arguments.keys.emplace_back(word.substr(0, equals), word.substr(equals + 1));
  arguments.line += " " + word.substr(0, equals + 1) + quoted(word.substr(equals + 1));
}

base::Result<Arguments> checked(Arguments arguments, Tail tail, const std::string& verb) {
  if (verb.empty()) return arguments.help ? arguments : usage("a verb is needed");
  arguments.verb = find_verb(verb);
  if (arguments.verb == nullptr) return usage(unknown_verb(verb));
  if (arguments.help) return arguments;
  const VerbSpec& spec = *arguments.verb;
  if (spec.where != Where::change && (tail.is_for_changes || arguments.dry_run)) {
    return usage("--reason, --if-epoch, --confirm and --dry-run are for changes; " + verb +
                 " changes nothing");
  }
  const bool begins = verb == "canary" || verb == "switch" || verb == "rollback";
  if (arguments.dry_run && is_rollout_verb(verb) && !begins) {
    return usage(verb + " cannot be looked at beforehand; status and explain tell what is");
  }
  if (arguments.dry_run && begins) tail.text += " dry-run=yes";
  if (verb == "reload" && arguments.dry_run) {
    return usage("a reload cannot be looked at beforehand; sidecar --check reads the file");
  }
  if (arguments.wait && spec.waits == WaitsFor::nothing) {
    return usage("--wait: there is nothing that " + verb + " waits for");
  }
  if (arguments.wait && spec.waits == WaitsFor::daemon && !arguments.key("wait")) {
    tail.text += " wait=" + base::duration_text(arguments.wait_time);
  }
  if (!arguments.if_epoch) arguments.if_epoch = arguments.key("if-epoch");
  arguments.line += tail.text;
  return arguments;
}

}  // namespace

std::optional<std::string> Arguments::key(std::string_view name) const {
  for (const auto& [known, value] : keys) {
    if (known == name) return value;
  }
  return std::nullopt;
}

std::string quoted(const std::string& word) {
  if (word.find_first_of(" \t\"\\") == std::string::npos && !word.empty()) return word;
  std::string text = "\"";
  for (char c : word) {
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  return text + "\"";
}

base::Result<Arguments> parse_arguments(const std::vector<std::string>& words) {
  Arguments arguments;
  Tail tail;
  std::string verb;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (std::any_of(word.begin(), word.end(),
                    [](char c) { return static_cast<unsigned char>(c) < 0x20; })) {
      return usage("a control character in an argument");
    }
    if (word == "-h" || word.rfind("--", 0) == 0) {
      if (auto fault = take_option(arguments, words, i, tail); !fault.empty()) {
        return usage(std::move(fault));
      }
    } else if (verb.empty()) {
      verb = word;
      arguments.line = word;
    } else {
      take_word(arguments, word);
    }
  }
  return checked(std::move(arguments), std::move(tail), verb);
}

}  // namespace cli

#include "shifter/cli/program.h"

#include <cstdio>
#include <optional>

#include "proxy/base/yaml.h"
#include "shifter/cli/admin_connection.h"
#include "shifter/cli/render.h"
#include "shifter/cli/verbs.h"

namespace cli {
namespace {

base::Result<Arguments> usage(std::string message) {
  return base::fail(base::ErrorCode::bad_input, base::Side::client, std::move(message));
}

std::string unknown_verb(const std::string& verb) {
  std::vector<std::string> names;
  for (const VerbSpec& one : verb_table()) names.emplace_back(one.name);
  std::string message = "no verb is called " + verb;
  if (auto nearest = base::nearest_word(verb, names)) {
    message += "; did you mean " + *nearest + "?";
  }
  return message;
}

// "--key value" and "--key=value"; moves `at` over the value.
std::optional<std::string> value_of(const std::vector<std::string>& words, size_t& at,
                                    const std::string& key) {
  if (words[at].rfind(key + "=", 0) == 0) return words[at].substr(key.size() + 1);
  if (words[at] != key || at + 1 >= words.size()) return std::nullopt;
  return words[++at];
}

void print(std::FILE* to, const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), to);
  std::fflush(to);
}

}  // namespace

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
  std::string tail;  // options that are arguments of the daemon
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word.find('\n') != std::string::npos) return usage("a line feed in an argument");
    if (word == "--help" || word == "-h" || word == "help") {
      arguments.help = true;
    } else if (word == "--json") {
      arguments.json = true;
    } else if (word == "--no-color" || word == "--no-input") {
      continue;  // nothing here has colors or asks
    } else if (auto socket = value_of(words, i, "--socket")) {
      arguments.socket = *socket;
    } else if (auto reason = value_of(words, i, "--reason")) {
      tail += " reason=" + quoted(*reason);
    } else if (auto epoch = value_of(words, i, "--if-epoch")) {
      tail += " if-epoch=" + quoted(*epoch);
    } else if (auto wait = value_of(words, i, "--wait")) {
      tail += " wait=" + quoted(*wait);
    } else if (word.rfind("--", 0) == 0) {
      return usage("unknown or incomplete option " + word);
    } else if (arguments.verb.empty()) {
      arguments.verb = word;
      arguments.line = word;
    } else {
      const size_t equals = word.find('=');
      arguments.line += " ";
      arguments.line += equals == std::string::npos
                            ? quoted(word)
                            : word.substr(0, equals + 1) + quoted(word.substr(equals + 1));
    }
  }
  if (arguments.help) return arguments;
  if (arguments.verb.empty()) return usage("a verb is needed");
  if (find_verb(arguments.verb) == nullptr) return usage(unknown_verb(arguments.verb));
  arguments.line += tail;
  return arguments;
}

int run(const std::vector<std::string>& words) {
  auto arguments = parse_arguments(words);
  if (!arguments) {
    print(stderr, "shifter: " + arguments.error().detail + " (shifter help)\n");
    return kUsage;
  }
  if (arguments->help) {
    print(stdout, help_text());
    return kDone;
  }
  auto unreachable = [](const base::Error& error) {
    print(stderr, "shifter: " + error.detail + "\n");
    return kUnreachable;
  };
  auto connection = AdminConnection::open(arguments->socket);
  if (!connection) return unreachable(connection.error());
  if (auto sent = connection->send(arguments->line); !sent) return unreachable(sent.error());
  const bool follows = arguments->verb == "events";
  for (;;) {
    auto answer = connection->receive();
    if (!answer) return unreachable(answer.error());
    const bool is_error = answer->rfind("{\"ok\":false", 0) == 0;
    if (follows && !is_error) {
      print(stdout, *answer + "\n");
      continue;
    }
    const Rendered rendered = render(arguments->verb, *answer);
    print(stdout, arguments->json ? *answer + "\n" : rendered.out);
    print(stderr, arguments->json ? std::string() : rendered.err);
    return rendered.code;
  }
}

}  // namespace cli

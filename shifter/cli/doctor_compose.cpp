// What a compose file must have for two colors: see the findings.
#include <algorithm>
#include <optional>
#include <set>

#include "proxy/base/files.h"
#include "proxy/base/yaml_tree.h"
#include "shifter/cli/doctor.h"

namespace cli {
namespace {

using base::YamlNode;

constexpr base::Millis kComposeGrace{10'000};
constexpr size_t kFileMax = 1 << 20;

const YamlNode* child(const YamlNode* node, std::string_view key) {
  if (node == nullptr) return nullptr;
  for (const auto& [name, value] : node->entries) {
    if (name.scalar == key) return &value;
  }
  return nullptr;
}

// "a: b" of a mapping and "a=b" of a list, as "a=b".
std::vector<std::string> pairs_of(const YamlNode* node) {
  std::vector<std::string> pairs;
  if (node == nullptr) return pairs;
  for (const YamlNode& item : node->items) pairs.push_back(item.scalar);
  for (const auto& [name, value] : node->entries) pairs.push_back(name.scalar + "=" + value.scalar);
  if (node->kind == YamlNode::Kind::scalar) pairs.push_back(node->scalar);
  return pairs;
}

bool any_has(const std::vector<std::string>& texts, std::string_view part) {
  return std::any_of(texts.begin(), texts.end(),
                     [&](const std::string& text) { return text.find(part) != std::string::npos; });
}

// Compose writes "1m30s" and "2m" too.
std::optional<base::Millis> compose_duration(std::string_view text) {
  base::Millis sum{0};
  while (!text.empty()) {
    size_t end = 0;
    while (end < text.size() && text[end] >= '0' && text[end] <= '9') ++end;
    while (end < text.size() && (text[end] < '0' || text[end] > '9')) ++end;
    const auto part = base::parse_duration(text.substr(0, end));
    if (!part) return std::nullopt;
    sum += *part;
    text.remove_prefix(end);
  }
  return sum;
}

class ComposeCheck {
 public:
  ComposeCheck(std::string file, const YamlNode& root, Diagnosis& diagnosis)
      : file_(std::move(file)), services_(child(&root, "services")), diagnosis_(diagnosis) {}

  void run(const std::vector<std::string>& colors) {
    std::vector<const base::YamlEntry*> found;
    for (const std::string& color : colors) {
      if (const auto* service = service_of(color, colors)) found.push_back(service);
    }
    for (const base::YamlEntry* service : found) check_service(*service);
    check_routers(found);
    if (found.size() == 2) check_shared(found);
  }

 private:
  void add(std::string check, int line, std::string text, std::string advice) {
    diagnosis_.findings.push_back(
        {std::move(check), file_ + ":" + std::to_string(line), std::move(text), std::move(advice)});
  }

  // A service is of a color if its name has the color in it: odoo_blue, blue.
  const base::YamlEntry* service_of(const std::string& color,
                                    const std::vector<std::string>& colors) {
    const base::YamlEntry* found = nullptr;
    int count = 0;
    if (services_ != nullptr) {
      for (const base::YamlEntry& service : services_->entries) {
        if (service.first.scalar.find(color) == std::string::npos) continue;
        const bool both = std::count_if(colors.begin(), colors.end(), [&](const std::string& one) {
                            return service.first.scalar.find(one) != std::string::npos;
                          }) > 1;
        if (both) continue;
        found = &service;
        ++count;
      }
    }
    if (count == 1) return found;
    add("service_per_color", services_ == nullptr ? 0 : services_->line,
        std::to_string(count) + " services are called after " + color,
        "give each color one service of its own, such as odoo_" + color);
    return nullptr;
  }

  void check_service(const base::YamlEntry& service) {
    const YamlNode* body = &service.second;
    const std::string& name = service.first.scalar;
    const YamlNode* grace = child(body, "stop_grace_period");
    const auto time = grace == nullptr ? kComposeGrace
                                       : compose_duration(grace->scalar).value_or(base::Millis{0});
    if (time < kLongestRequest) {
      add("stop_grace", grace == nullptr ? service.first.line : grace->line,
          name + " is killed " + base::duration_text(time) + " after it is asked to stop" +
              (grace == nullptr ? " (the default)" : "") + ", the longest request may take " +
              base::duration_text(kLongestRequest),
          "stop_grace_period: " + base::duration_text(kLongestRequest));
    }
    std::vector<std::string> words = pairs_of(child(body, "command"));
    for (const std::string& one : pairs_of(child(body, "environment"))) words.push_back(one);
    if (!any_has(words, "proxy-mode") && !any_has(words, "proxy_mode") &&
        !any_has(words, "PROXY_MODE")) {
      add("proxy_mode", service.first.line,
          name + " does not say that a proxy is in front: links and addresses are wrong then",
          "add --proxy-mode to its command, or proxy_mode = True to its odoo.conf and "
          "PROXY_MODE=true to its environment to say so here");
    }
  }

  // One that disappears with a color takes the other's way with it.
  void check_routers(const std::vector<const base::YamlEntry*>& colored) {
    std::set<std::string> with_router;
    if (services_ == nullptr) return;
    for (const base::YamlEntry& service : services_->entries) {
      const auto labels = pairs_of(child(&service.second, "labels"));
      if (!any_has(labels, "traefik.http.routers.")) continue;
      const bool is_color = std::find(colored.begin(), colored.end(), &service) != colored.end();
      if (is_color) {
        add("one_router", service.first.line,
            service.first.scalar +
                " carries a router: stopped, it takes the way to the other "
                "color with it",
            "put the router's labels on the sidecar's service");
      }
      with_router.insert(service.first.scalar);
    }
    if (with_router.size() > 1) {
      add("one_router", services_->line,
          std::to_string(with_router.size()) + " services carry routers",
          "one router, on the sidecar's service");
    }
  }

  std::set<std::string> sources_of(const base::YamlEntry& service) {
    std::set<std::string> sources;
    const YamlNode* volumes = child(&service.second, "volumes");
    if (volumes == nullptr) return sources;
    for (const YamlNode& one : volumes->items) {
      const YamlNode* target = child(&one, "target");
      const YamlNode* source = child(&one, "source");
      if (target != nullptr && source != nullptr && target->scalar == "/var/lib/odoo") {
        sources.insert(source->scalar);
      }
      const size_t colon = one.scalar.find(":/var/lib/odoo");
      if (colon != std::string::npos) sources.insert(one.scalar.substr(0, colon));
    }
    return sources;
  }

  void check_shared(const std::vector<const base::YamlEntry*>& colored) {
    const auto first = sources_of(*colored[0]);
    const auto second = sources_of(*colored[1]);
    if (first.empty() || first != second) {
      add("shared_data", colored[1]->first.line,
          colored[0]->first.scalar + " and " + colored[1]->first.scalar +
              " do not mount the same volume at /var/lib/odoo",
          "mount one volume in both: files and sessions are shared");
    }
    const auto env = [](const base::YamlEntry& service) {
      return pairs_of(child(&service.second, "env_file"));
    };
    for (const std::string& file : env(*colored[0])) {
      const auto others = env(*colored[1]);
      if (std::find(others.begin(), others.end(), file) == others.end()) continue;
      const std::string text = base::read_file(folder() + file, kFileMax).value_or("");
      if (text.find("WORKERS_") == std::string::npos && file != ".env") continue;
      add("shared_env", colored[0]->first.line,
          "both colors read " + file + ": a change for one recreates the other as well",
          "name what a color needs in its own `environment:`; keep numbers out of shared files");
    }
  }

  std::string folder() const {
    const size_t slash = file_.rfind('/');
    return slash == std::string::npos ? "" : file_.substr(0, slash + 1);
  }

  std::string file_;
  const YamlNode* services_;
  Diagnosis& diagnosis_;
};

}  // namespace

void check_compose(const std::string& file, const std::vector<std::string>& colors,
                   Diagnosis& diagnosis) {
  auto text = base::read_file(file, kFileMax);
  std::vector<base::ConfigFault> faults;
  const YamlNode root =
      text ? base::read_yaml_tree(file, *text, faults, base::YamlAliases::followed) : YamlNode{};
  if (!text || !faults.empty()) {
    diagnosis.not_checked.push_back({"compose", file, text ? faults[0].text() : text.error().detail,
                                     "give the output of `docker compose config` as compose=FILE"});
    return;
  }
  diagnosis.checked.emplace_back("compose");
  ComposeCheck(file, root, diagnosis).run(colors);
}

}  // namespace cli

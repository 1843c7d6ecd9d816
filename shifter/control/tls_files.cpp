#include "shifter/control/tls_files.h"

#include <algorithm>
#include <map>
#include <utility>

#include "proxy/base/check.h"

namespace control {
namespace {

using Contexts = std::map<std::string, std::shared_ptr<const base::TlsContext>>;

base::Result<Contexts> contexts_of(const routing::ColorConfig& color) {
  Contexts by_host;
  if (!color.tls.use) return by_host;
  std::shared_ptr<const base::TlsContext> shared;  // one for all where the name is configured
  for (const auto* list : {&color.http, &color.websocket}) {
    for (const base::HostPort& at : *list) {
      if (by_host.contains(at.host)) continue;
      if (shared != nullptr) {
        by_host.emplace(at.host, shared);
        continue;
      }
      const std::string& name = color.tls.name.empty() ? at.host : color.tls.name;
      auto made = base::TlsContext::for_client({color.tls.ca, name, color.tls.verify});
      if (!made) return base::fail(std::move(made.error()));
      if (!color.tls.name.empty()) shared = *made;
      by_host.emplace(at.host, *std::move(made));
    }
  }
  return by_host;
}

}  // namespace

bool uses_tls(const routing::RoutingConfig& config) {
  return !config.tls.certificate.empty() ||
         std::any_of(config.colors.begin(), config.colors.end(),
                     [](const routing::ColorConfig& color) { return color.tls.use; });
}

std::vector<TlsFault> open_tls_files(routing::RoutingConfig& config) {
  std::vector<TlsFault> faults;
  std::shared_ptr<const base::TlsContext> front;
  if (!config.tls.certificate.empty()) {
    auto made = base::TlsContext::for_server(config.tls);
    if (made) {
      front = *std::move(made);
    } else {
      faults.push_back({"tls", made.error().detail});
    }
  }
  std::vector<Contexts> by_color;
  for (const routing::ColorConfig& color : config.colors) {
    auto made = contexts_of(color);
    if (made) {
      by_color.push_back(*std::move(made));
    } else {
      faults.push_back({"colors." + color.name + ".tls", made.error().detail});
    }
  }
  if (!faults.empty()) return faults;
  config.tls_context = std::move(front);
  for (size_t i = 0; i < by_color.size(); ++i) {
    config.colors[i].tls_contexts = std::move(by_color[i]);
  }
  return {};
}

std::shared_ptr<const base::TlsContext> tls_towards(const routing::ColorConfig& color,
                                                    std::string_view address) {
  if (!color.tls.use) return nullptr;
  const auto parts = base::parse_host_port(address);
  CHECK(parts.has_value());
  const auto found = color.tls_contexts.find(parts->host);
  CHECK(found != color.tls_contexts.end());  // never plain where TLS is meant
  return found->second;
}

}  // namespace control

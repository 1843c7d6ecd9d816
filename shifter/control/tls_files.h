// Opens the certificates, keys and authorities that a routing config names: at the start, by
// --check, and again by every reload and SIGHUP.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/routing/config.h"

namespace control {

struct TlsFault {
  std::string key;  // "tls", "colors.blue.tls"
  std::string detail;
};

bool uses_tls(const routing::RoutingConfig& config);

// Fills in tls_context and every color's tls_contexts. A fault: nothing of it changes.
std::vector<TlsFault> open_tls_files(routing::RoutingConfig& config);

// Whom to trust at an address of the color, "odoo-blue:8069" as the config has it. Nothing: plain.
std::shared_ptr<const base::TlsContext> tls_towards(const routing::ColorConfig& color,
                                                    std::string_view address);

}  // namespace control

// `f29svc serve`: the API on its address until SIGTERM or SIGINT.
#pragma once

#include <ostream>
#include <string>

namespace f29 {

// 0 ended as asked · 1 cannot serve (address, database) · 2 faults in the config, printed to `err`.
int serve_command(const std::string& config_file, std::ostream& err);

// Prints a new API key once, and the line of the config that lets it in.
int new_key_command(const std::string& name, std::ostream& out, std::ostream& err);

}  // namespace f29

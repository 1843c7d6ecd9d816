// The file of the testers' tokens: one a line, 16 to 256 visible characters without `"`, `,`, `;`
// and `\`, so that each may stand in a cookie; empty lines and lines that begin with # are skipped;
// at most 16.
#pragma once

#include <string>
#include <vector>

#include "proxy/base/result.h"

namespace control {

// No such file: no tokens, nobody can force a color. An error names the line, never its content.
base::Result<std::vector<std::string>> read_force_tokens(const std::string& path);

}  // namespace control

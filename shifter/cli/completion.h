// Completion for shells and the manual page, made from the tables of verbs and options. Pure.
#pragma once

#include <string>

namespace cli {

std::string bash_completion();
std::string zsh_completion();
std::string manual_page();  // roff, section 1

}  // namespace cli

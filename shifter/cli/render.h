// The daemon's answers for people, and the exit code that an answer means. Pure.
#pragma once

#include <string>
#include <string_view>

namespace cli {

struct Rendered {
  int code = 0;
  std::string out;  // for standard output
  std::string err;  // for standard error, without the program's name; "" is nothing
};

// `answer`: one JSON object as the daemon sent it. An answer that is not JSON is kUnreachable.
Rendered render(std::string_view verb, std::string_view answer);

}  // namespace cli

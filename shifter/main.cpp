// The operator's command, and the agent.
#include <string>
#include <vector>

#include "shifter/agent/program.h"
#include "shifter/cli/program.h"

int main(int count, char** words) {
  const std::vector<std::string> given(words + 1, words + count);
  if (!given.empty() && given.front() == "agent")
    return agent::run({given.begin() + 1, given.end()});
  return cli::run(given, cli::Console::of_process());
}

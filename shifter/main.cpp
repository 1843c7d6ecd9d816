// The operator's command.
#include <string>
#include <vector>

#include "shifter/cli/program.h"

int main(int count, char** words) {
  return cli::run(std::vector<std::string>(words + 1, words + count), cli::Console::of_process());
}

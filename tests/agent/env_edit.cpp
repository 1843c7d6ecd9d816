// One edit of an env file, as a process of its own that tests may hinder:
//   env_edit FILE KEY VALUE [ORIGINAL]
// ORIGINAL is first written to the file, safely. Exits 0 done, 1 refused or failed, 42 the fault
// that was asked for did not come to pass.
#include <dlfcn.h>

#include <cstdio>

#include "proxy/base/files.h"
#include "shifter/agent/env_file.h"

int main(int count, char** words) {
  if (count < 4) return 2;
  if (count > 4) {
    const auto original = base::read_file(words[4], 1 << 20);
    if (!original || !base::write_file_durably(words[1], *original, 0640, false)) return 2;
  }
  using Arm = void (*)();
  using Fired = int (*)();
  if (auto arm = reinterpret_cast<Arm>(::dlsym(RTLD_DEFAULT, "file_failer_arm"))) arm();
  agent::EnvFile file(words[1]);
  const auto change = file.change({{words[2], words[3]}});
  const auto fired = reinterpret_cast<Fired>(::dlsym(RTLD_DEFAULT, "file_failer_fired"));
  if (!change) std::printf("%s\n", change.error().detail.c_str());
  if (fired != nullptr && fired() == 0) return 42;
  return change ? 0 : 1;
}

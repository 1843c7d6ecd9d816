// One edit of an env file, as a process of its own that tests may hinder:
//   env_edit FILE KEY VALUE [ORIGINAL|--and-back]
// ORIGINAL is first written to the file, safely; --and-back: the edit is undone. Exits 0 done, 1
// refused or failed, 42 the fault that was asked for did not come to pass.
#include <dlfcn.h>

#include <cstdio>
#include <string_view>

#include "proxy/base/files.h"
#include "shifter/agent/env_file.h"

int main(int count, char** words) {
  if (count < 4) return 2;
  const bool and_back = count > 4 && std::string_view(words[4]) == "--and-back";
  if (count > 4 && !and_back) {
    const auto original = base::read_file(words[4], 1 << 20);
    if (!original || !base::write_file_durably(words[1], *original, 0640, false)) return 2;
  }
  using Arm = void (*)();
  using Fired = int (*)();
  if (auto arm = reinterpret_cast<Arm>(::dlsym(RTLD_DEFAULT, "file_failer_arm"))) arm();
  agent::EnvFile file(words[1]);
  const auto change = file.change({{words[2], words[3]}}, and_back);
  bool good = change.has_value();
  if (good && and_back) {
    const auto back = file.put_back(*change);
    if (!back) std::printf("%s\n", back.error().detail.c_str());
    good = back.has_value();
  }
  const auto fired = reinterpret_cast<Fired>(::dlsym(RTLD_DEFAULT, "file_failer_fired"));
  if (!change) std::printf("%s\n", change.error().detail.c_str());
  if (fired != nullptr && fired() == 0) return 42;
  return good ? 0 : 1;
}

// The env file holds its old bytes or its new ones, whatever goes wrong on the way.
#include "shifter/agent/env_file.h"

#include <errno.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "proxy/base/files.h"
#include "tests/integration/harness/crash_disk.h"
#include "tests/integration/harness/process.h"

namespace {

using namespace harness;

const std::string kBefore =
    "# secrets\r\nPASSWORD='x y'\r\nexport WORKERS_GREEN=4 # four\r\nLAST=1";
const std::string kAfter =
    "# secrets\r\nPASSWORD='x y'\r\nexport WORKERS_GREEN=16 # four\r\nLAST=1";

struct EnvFolder {
  TempFolder folder;
  std::string path = folder / ".env";

  EnvFolder() { reset(); }
  void reset() {
    write_text(path, kBefore);
    ::chmod(path.c_str(), 0640);
    if (::geteuid() == 0) (void)!::chown(path.c_str(), 1234, 2345);
  }
  int edit(const std::vector<std::string>& environment, bool and_back = false) {
    std::filesystem::remove(folder / "output");  // it is appended to
    std::vector<std::string> words = {program("env_edit"), path, "WORKERS_GREEN", "16"};
    if (and_back) words.emplace_back("--and-back");
    Process process(words, folder / "output", environment);
    return process.wait(Millis{20'000}).value_or(-1);
  }
  std::string said() const { return read_text(folder / "output"); }
  // Everything that must hold however an edit ended.
  void expect_whole(const std::string& what) const {
    const std::string bytes = read_text(path);
    EXPECT_TRUE(bytes == kBefore || bytes == kAfter) << what << ":\n" << bytes;
    struct stat facts {};
    ASSERT_EQ(::stat(path.c_str(), &facts), 0) << what;
    EXPECT_EQ(facts.st_mode & 07777, 0640u) << what;
    if (::geteuid() == 0) {
      EXPECT_EQ(facts.st_uid, 1234u) << what;
      EXPECT_EQ(facts.st_gid, 2345u) << what;
    }
    agent::EnvFile(path).sweep();
    for (const auto& one : std::filesystem::directory_iterator(folder.path())) {
      const std::string name = one.path().filename();
      EXPECT_TRUE(name == ".env" || name == ".env.lock" || name == "output") << what << name;
    }
  }
};

// R70: every system call of the edit goes wrong in turn, in every way.
TEST(EnvFile, HoldsOldBytesOrNewOnesWhicheverCallFails) {
  EnvFolder place;
  int faults = 0;
  int new_bytes = 0;
  for (const std::string& how :
       {std::to_string(EIO), std::to_string(ENOSPC), std::to_string(EBUSY), std::to_string(EINTR),
        std::string("short"), std::string("before"), std::string("after")}) {
    for (int at = 1; at < 200; ++at) {
      place.reset();
      const int code = place.edit({"LD_PRELOAD=" FILE_FAILER, "FILE_FAILER_HOW=" + how,
                                   "FILE_FAILER_AT=" + std::to_string(at)});
      const std::string what = how + " at call " + std::to_string(at) + " ";
      ASSERT_NE(code, 2) << what;
      place.expect_whole(what);
      if (code == 0) {
        EXPECT_EQ(read_text(place.path), kAfter) << what << "was said to be done";
      }
      if (code == 1) {
        EXPECT_EQ(read_text(place.path), kBefore) << what << "was said to have failed";
      }
      if (code == 42) break;
      ++faults;
      new_bytes += read_text(place.path) == kAfter ? 1 : 0;
      ASSERT_LT(at, 199) << "the calls have no end";
    }
  }
  EXPECT_GT(faults, 7 * 15) << "fewer calls were hindered than an edit makes";
  EXPECT_GT(new_bytes, 7);
}

// R70, R74: the same for an edit that is undone again, as after a deploy that fails.
TEST(EnvFile, HoldsOldBytesOrNewOnesWhicheverCallOfTheWayBackFails) {
  EnvFolder place;
  int faults = 0;
  for (const std::string& how :
       {std::to_string(EIO), std::to_string(ENOSPC), std::string("before")}) {
    for (int at = 1; at < 200; ++at) {
      place.reset();
      const int code = place.edit({"LD_PRELOAD=" FILE_FAILER, "FILE_FAILER_HOW=" + how,
                                   "FILE_FAILER_AT=" + std::to_string(at)},
                                  true);
      const std::string what = how + " at call " + std::to_string(at) + " ";
      ASSERT_NE(code, 2) << what;
      place.expect_whole(what);
      if (code == 0) {
        EXPECT_EQ(read_text(place.path), kBefore) << what << "was said to be undone";
      }
      if (code == 42) break;
      ++faults;
      ASSERT_LT(at, 199) << "the calls have no end";
    }
  }
  EXPECT_GT(faults, 3 * 30) << "fewer calls were hindered than an edit and its way back make";
}

// R74: where not one byte can be written any more the old ones come back all the same.
TEST(EnvFile, TheWayBackNeedsNoRoomOnTheDisk) {
  EnvFolder place;
  agent::EnvFile file(place.path);
  const auto change = file.change({{"WORKERS_GREEN", "16"}}, /*keep=*/true);
  ASSERT_TRUE(change.has_value());
  EXPECT_EQ(read_text(place.path), kAfter);
  const pid_t child = ::fork();
  if (child == 0) {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit none{0, 0};
    if (::setrlimit(RLIMIT_FSIZE, &none) != 0) ::_exit(2);
    if (agent::EnvFile(place.path).change({{"LAST", "2"}})) ::_exit(3);  // there is no room indeed
    ::_exit(agent::EnvFile(place.path).put_back(*change) ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(read_text(place.path), kBefore);
  place.expect_whole("undone without room ");
}

TEST(EnvFile, WhatWasKeptForTheWayBackGoesWithIt) {
  EnvFolder place;
  agent::EnvFile file(place.path);
  ASSERT_TRUE(file.change({{"WORKERS_GREEN", "16"}}, /*keep=*/true).has_value());
  EXPECT_EQ(read_text(place.path + ".shifter-old"), kBefore);
  file.let_go();
  EXPECT_FALSE(std::filesystem::exists(place.path + ".shifter-old"));
  EXPECT_EQ(read_text(place.path), kAfter);
}

// R70: the machine stops at any moment; what was synced by then is certain, all else may be lost.
TEST(EnvFile, HoldsOldBytesOrNewOnesAfterAPowerCutAtAnyMoment) {
  const TempFolder folder;
  const std::string place = folder / "env";
  std::filesystem::create_directory(place);
  const std::string path = place + "/.env";
  write_text(folder / "original", kBefore);
  Process process({program("env_edit"), path, "WORKERS_GREEN", "16", folder / "original"},
                  folder / "output",
                  {"LD_PRELOAD=" FILE_RECORDER, "FILE_RECORDER_LOG=" + folder / "calls",
                   "FILE_RECORDER_FOLDER=" + place});
  ASSERT_EQ(process.wait(Millis{20'000}), 0);
  CrashDisk disk(place);
  bool original_is_safe = false;
  int moments = 0;
  std::set<std::string> seen;
  for (const FileEvent& event : read_file_events(folder / "calls")) {
    disk.apply(event);
    const auto possible = disk.possible({path});
    const auto whole = [&](const std::string& bytes) {
      return possible == std::set<CrashDisk::Contents>{{{path, bytes}}};
    };
    original_is_safe = original_is_safe || whole(kBefore);
    if (!original_is_safe) continue;
    ++moments;
    for (const CrashDisk::Contents& contents : possible) {
      const auto found = contents.find(path);
      ASSERT_NE(found, contents.end()) << "the file may be missing";
      EXPECT_TRUE(found->second == kBefore || found->second == kAfter) << found->second;
      seen.insert(found->second);
    }
  }
  EXPECT_GT(moments, 5);
  EXPECT_EQ(seen.size(), 2u);
  EXPECT_EQ(disk.possible({path}), (std::set<CrashDisk::Contents>{{{path, kAfter}}}))
      << "what was said to be done is certain";
}

// R72: in a mount name space of its own the file is a mount.
TEST(EnvFile, AFileThatIsAMountIsRefusedAndSaysWhatToDo) {
  EnvFolder place;
  // The kernel's own answer, whether or not mounts may be made here.
  int refused = 0;
  for (int at = 1; at < 200; ++at) {
    const int code =
        place.edit({"LD_PRELOAD=" FILE_FAILER, "FILE_FAILER_HOW=" + std::to_string(EBUSY),
                    "FILE_FAILER_AT=" + std::to_string(at)});
    if (code == 42) {
      place.reset();
      break;
    }
    if (place.said() == "EBUSY: " + place.path + " is a mount of its own: mount the folder\n") {
      ++refused;
      EXPECT_EQ(code, 1);
      EXPECT_EQ(read_text(place.path), kBefore);
    }
    place.reset();
  }
  EXPECT_EQ(refused, 1) << "rename is the call that meets it";

  const pid_t child = ::fork();
  if (child == 0) {
    const char* path = place.path.c_str();
    if (::unshare(CLONE_NEWNS) != 0) ::_exit(77);
    if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) ::_exit(77);
    if (::mount(path, path, nullptr, MS_BIND, nullptr) != 0) ::_exit(77);
    auto change = agent::EnvFile(place.path).change({{"WORKERS_GREEN", "16"}});
    const bool right = !change && change.error().code == base::ErrorCode::refused &&
                       change.error().detail ==
                           "EBUSY: " + place.path + " is a mount of its own: mount the folder";
    ::_exit(right ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_TRUE(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 77) << WEXITSTATUS(status);
  place.expect_whole("mounted ");
  EXPECT_EQ(read_text(place.path), kBefore);
}

TEST(EnvFile, IsEditedThroughALinkAndTheLinkStays) {
  EnvFolder place;
  const std::string link = place.folder / "link";
  std::filesystem::create_symlink(place.path, link);
  ASSERT_TRUE(agent::EnvFile(link).change({{"WORKERS_GREEN", "16"}}).has_value());
  EXPECT_TRUE(std::filesystem::is_symlink(link));
  EXPECT_EQ(read_text(place.path), kAfter);
}

TEST(EnvFile, WhatSomebodyElseEditedMeanwhileIsNotUndone) {
  EnvFolder place;
  agent::EnvFile file(place.path);
  auto change = file.change({{"WORKERS_GREEN", "16"}});
  ASSERT_TRUE(change.has_value());
  const std::string theirs = kAfter + "\nMORE=1\n";
  write_text(place.path, theirs);
  auto undone = file.put_back(*change);
  ASSERT_FALSE(undone.has_value());
  EXPECT_EQ(undone.error().code, base::ErrorCode::conflict);
  EXPECT_EQ(read_text(place.path), theirs);
  write_text(place.path, kAfter);
  EXPECT_TRUE(file.put_back(*change).has_value());
  EXPECT_EQ(read_text(place.path), kBefore);
}

TEST(EnvFile, AnEditThatAnotherHoldsTheLockForIsAConflict) {
  EnvFolder place;
  auto lock = base::lock_file(place.path + ".lock");
  ASSERT_TRUE(lock.has_value());
  auto change = agent::EnvFile(place.path).change({{"WORKERS_GREEN", "16"}});
  ASSERT_FALSE(change.has_value());
  EXPECT_EQ(change.error().code, base::ErrorCode::conflict);
  EXPECT_EQ(read_text(place.path), kBefore);
}

TEST(EnvFile, SeveralKeysChangeInOneStepOrNotAtAll) {
  EnvFolder place;
  agent::EnvFile file(place.path);
  EXPECT_FALSE(file.change({{"WORKERS_GREEN", "16"}, {"MISSING", "1"}}).has_value());
  EXPECT_EQ(read_text(place.path), kBefore);
  ASSERT_TRUE(file.change({{"WORKERS_GREEN", "16"}, {"LAST", "22"}}).has_value());
  EXPECT_EQ(read_text(place.path), kAfter.substr(0, kAfter.size() - 1) + "22");
  auto same = file.change({{"LAST", "22"}});
  ASSERT_TRUE(same.has_value());
  EXPECT_FALSE(same->any());
}

}  // namespace

#include "proxy/base/files.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/base/temp_folder.h"

namespace base {
namespace {

mode_t mode_of(const std::string& path) {
  struct stat found {};
  EXPECT_EQ(stat(path.c_str(), &found), 0) << path;
  return found.st_mode & 07777;
}

TEST(WriteFileDurably, WritesAndReplacesWithTheModeAndLeavesNothingAside) {
  const TempFolder folder;
  const std::string path = folder / "state.json";
  ASSERT_TRUE(write_file_durably(path, "one", 0600, false));
  EXPECT_EQ(slurp(path), "one");
  EXPECT_EQ(mode_of(path), 0600u);
  ASSERT_TRUE(write_file_durably(path, "two, longer", 0640, false));
  EXPECT_EQ(slurp(path), "two, longer");
  EXPECT_EQ(mode_of(path), 0640u);
  EXPECT_EQ(folder.files(), 1u);
}

TEST(WriteFileDurably, KeepsTheVersionBefore) {
  const TempFolder folder;
  const std::string path = folder / "state.json";
  ASSERT_TRUE(write_file_durably(path, "one", 0600, true));
  EXPECT_EQ(folder.files(), 1u);
  ASSERT_TRUE(write_file_durably(path, "two", 0600, true));
  EXPECT_EQ(slurp(path + ".old"), "one");
  ASSERT_TRUE(write_file_durably(path, "three", 0600, true));
  EXPECT_EQ(slurp(path), "three");
  EXPECT_EQ(slurp(path + ".old"), "two");
  EXPECT_EQ(folder.files(), 2u);
}

TEST(WriteFileDurably, IsNotDisturbedByWhatACrashLeft) {
  const TempFolder folder;
  const std::string path = folder / "state.json";
  spill(path, "one");
  spill(path + ".new", "half of a longer vers");
  ASSERT_EQ(link(path.c_str(), (path + ".old.new").c_str()), 0);
  ASSERT_EQ(link(path.c_str(), (path + ".old").c_str()), 0);
  ASSERT_TRUE(write_file_durably(path, "two", 0600, true));
  EXPECT_EQ(slurp(path), "two");
  EXPECT_EQ(slurp(path + ".old"), "one");
  EXPECT_EQ(folder.files(), 2u);
}

TEST(WriteFileDurably, SaysWhatFailedAndLeavesTheOldFile) {
  const TempFolder folder;
  const auto missing = write_file_durably(folder / "no/state.json", "x", 0600, false);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::io_failed);
  EXPECT_NE(missing.error().detail.find("No such file"), std::string::npos);
  // A folder in its way: the rename fails.
  std::filesystem::create_directories(folder / "busy/inside");
  EXPECT_FALSE(write_file_durably(folder / "busy", "x", 0600, false));
  EXPECT_TRUE(std::filesystem::is_directory(folder / "busy"));
  EXPECT_EQ(folder.files(), 1u);
}

TEST(WriteFileDurably, LeavesTheOldFileWhenTheDiskIsFull) {
  const TempFolder folder;
  const std::string path = folder / "state.json";
  ASSERT_TRUE(write_file_durably(path, "one", 0600, true));
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small{100, before.rlim_max};
  signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &small);
  const auto written = write_file_durably(path, std::string(1000, 'x'), 0600, true);
  setrlimit(RLIMIT_FSIZE, &before);
  signal(SIGXFSZ, SIG_DFL);
  EXPECT_FALSE(written);
  EXPECT_EQ(slurp(path), "one");
  EXPECT_EQ(folder.files(), 1u);
}

TEST(ReadFile, ReadsWholeFilesUpToTheLimit) {
  const TempFolder folder;
  const std::string text = std::string(40'000, 'x') + std::string("\0y", 2);
  spill(folder / "file", text);
  EXPECT_EQ(*read_file(folder / "file", text.size()), text);
  const auto larger = read_file(folder / "file", text.size() - 1);
  ASSERT_FALSE(larger);
  EXPECT_EQ(larger.error().code, ErrorCode::io_failed);
}

TEST(ReadFile, TellsAMissingFileFromAnUnreadableOne) {
  const TempFolder folder;
  EXPECT_EQ(read_file(folder / "none", 10).error().code, ErrorCode::not_found);
  EXPECT_EQ(read_file(folder.path(), 10).error().code, ErrorCode::io_failed);
}

TEST(MakeFolderOf, MakesEveryMissingFolderAndMindsNoExistingOne) {
  const TempFolder folder;
  ASSERT_TRUE(make_folder_of(folder / "a/b/file"));
  EXPECT_EQ(mode_of(folder / "a/b"), 0750u);
  EXPECT_TRUE(make_folder_of(folder / "a/b/other"));
  EXPECT_TRUE(make_folder_of("just_a_name"));
  EXPECT_TRUE(make_folder_of("/name_at_the_root"));
  spill(folder / "file", "");
  EXPECT_FALSE(make_folder_of(folder / "file/under/it"));
}

TEST(FileLock, HasOneHolder) {
  const TempFolder folder;
  {
    const auto first = lock_file(folder / "lock");
    ASSERT_TRUE(first);
    const auto second = lock_file(folder / "lock");
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::conflict);
  }
  EXPECT_TRUE(lock_file(folder / "lock"));
}

TEST(FileLock, GoesOnWithTheLockWhenMoved) {
  const TempFolder folder;
  FileLock kept;
  {
    auto lock = lock_file(folder / "lock");
    ASSERT_TRUE(lock);
    kept = *std::move(lock);
  }
  EXPECT_FALSE(lock_file(folder / "lock"));
  kept = FileLock();
  EXPECT_TRUE(lock_file(folder / "lock"));
}

TEST(FileLimit, IsRaisedToWhatTheSystemAllows) {
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  const rlimit low{std::min<rlim_t>(64, before.rlim_max), before.rlim_max};
  setrlimit(RLIMIT_NOFILE, &low);
  EXPECT_EQ(raise_file_limit(), before.rlim_max);
  rlimit after{};
  getrlimit(RLIMIT_NOFILE, &after);
  EXPECT_EQ(after.rlim_cur, before.rlim_max);
  setrlimit(RLIMIT_NOFILE, &before);
}

}  // namespace
}  // namespace base

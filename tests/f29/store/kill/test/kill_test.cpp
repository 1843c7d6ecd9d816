// An import that is killed at any of its write and sync calls is in the store as a whole or not at
// all, and the store goes on.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <iostream>
#include <set>
#include <vector>

#include "f29svc/store/store.h"

using namespace f29;
namespace fs = std::filesystem;

namespace {

constexpr int kInside = 180;  // points within the transaction, commit included
constexpr int kAfter = 20;    // and behind it, in the checkpoint
constexpr int kRows = 5'000;
const Rut kCompany{99'999'001};
const Period kPeriod{2026, 6};

struct Child {
  int status = 0;
  std::string printed;
};

Child run(const std::string& command) {
  Child result;
  FILE* out = ::popen(command.c_str(), "r");
  char piece[256];
  while (std::fgets(piece, sizeof piece, out) != nullptr) result.printed += piece;
  result.status = ::pclose(out);
  return result;
}

// What the store shows: which import is current, and how many documents it really has.
struct Found {
  std::string name;
  int64_t claimed = 0;
  int64_t documents = 0;
  size_t imports = 0;
  friend bool operator==(const Found&, const Found&) = default;
};

std::ostream& operator<<(std::ostream& out, const Found& found) {
  return out << found.name << ' ' << found.claimed << ' ' << found.documents << ' '
             << found.imports;
}

Found look(const std::string& file) {
  StoreOptions options;
  options.database.sqlite = file;
  auto store = Store::open(options);
  EXPECT_TRUE(store.has_value()) << store.error().detail;
  Found found;
  found.imports = (*store)->imports(kCompany, kPeriod)->size();
  auto work = (*store)->work(kCompany, kPeriod, false);
  EXPECT_TRUE(work.has_value()) << work.error().detail;
  const auto sources = (*work)->sources();
  EXPECT_EQ(sources->size(), 1u);
  found.name = sources->front().name;
  found.claimed = sources->front().documents;
  auto read =
      (*work)->documents_of(sources->front(), 0, [&](const Document&) { ++found.documents; });
  EXPECT_TRUE(read.has_value());
  return found;
}

class KillTest : public ::testing::Test {
 protected:
  KillTest() {
    char name[] = "/tmp/f29-kill-XXXXXX";
    folder_ = ::mkdtemp(name);
    EXPECT_EQ(
        run(std::string(MAKE_ROWS) + " make " + file("rows.csv") + " " + std::to_string(kRows))
            .status,
        0);
    make_template();
  }
  ~KillTest() override { fs::remove_all(folder_); }
  std::string file(const std::string& name) const { return folder_ + "/" + name; }

  // A store in which the slot has an earlier import already.
  void make_template() {
    StoreOptions options;
    options.database.sqlite = file("template.db");
    options.database.page_bytes = 4 << 10;  // more calls of the same rows
    auto store = Store::open(options);
    ASSERT_TRUE(store.has_value()) << store.error().detail;
    ASSERT_TRUE((*store)->put_company(kCompany, "Empresa A").has_value());
    auto work = (*store)->work(kCompany, kPeriod, true);
    ASSERT_TRUE((*work)->begin_import("old.csv", "old", "test").has_value());
    Document document;
    document.type = 33;
    document.side = Side::purchase;
    for (int64_t folio = 1; folio <= 500; ++folio) {
      document.folio = folio;
      (*work)->add(document);
    }
    ASSERT_TRUE((*work)->finish_import("compra_registro", {}, {}).has_value());
    ASSERT_TRUE((*work)->commit().has_value());
  }
  Child import(long kill_at) {
    const std::string database = file("f29.db");
    for (const char* end : {"", "-wal", "-shm"}) fs::remove(database + end);
    fs::copy_file(file("template.db"), database);
    // Sanitizers must not report the preloaded library.
    return run("ASAN_OPTIONS=verify_asan_link_order=0 LD_PRELOAD=" + std::string(KILL_SHIM) +
               " F29_KILL_AT=" + std::to_string(kill_at) + " exec " + IMPORT_VICTIM + " " +
               database + " " + file("rows.csv") + " 2> /dev/null");
  }

  std::string folder_;
};

}  // namespace

TEST_F(KillTest, LeavesAllOfAnImportOrNothing) {
  const Child whole = import(0);
  ASSERT_EQ(whole.status, 0);
  long before_commit = 0;
  long after_commit = 0;
  long in_all = 0;
  ASSERT_EQ(
      std::sscanf(whole.printed.c_str(), "%ld %ld %ld", &before_commit, &after_commit, &in_all), 3)
      << whole.printed;
  const Found all = look(file("f29.db"));
  const Found none{"old.csv", 500, 500, 1};
  ASSERT_EQ(all.name, "new.csv");
  ASSERT_EQ(all.documents, all.claimed);
  ASSERT_GT(all.documents, kRows / 2);
  std::cout << "calls: " << before_commit << " before the commit, " << after_commit
            << " to its end, " << in_all << " in all\n";

  std::vector<long> points;
  for (int i = 1; i <= kInside; ++i) points.push_back(i * after_commit / kInside);
  for (int i = 1; i <= kAfter; ++i) {
    points.push_back(after_commit + i * (in_all - after_commit) / kAfter);
  }
  ASSERT_EQ(std::set<long>(points.begin(), points.end()).size(), points.size());
  int kept = 0;
  for (const long at : points) {
    SCOPED_TRACE("killed at call " + std::to_string(at) + " of " + std::to_string(in_all));
    const Child killed = import(at);
    ASSERT_TRUE(WIFSIGNALED(killed.status) || WEXITSTATUS(killed.status) == 128 + SIGKILL);
    const Found found = look(file("f29.db"));
    kept += found == all;
    if (at <= before_commit) {
      ASSERT_EQ(found, none);
    } else if (at > after_commit) {
      ASSERT_EQ(found, all);
    } else {
      ASSERT_TRUE(found == none || found == all) << found;
    }
  }
  std::cout << points.size() << " kills, " << kInside << " inside the transaction, " << kept
            << " left the whole import\n";
}

TEST_F(KillTest, GoesOnAfterAKill) {
  const Child whole = import(0);
  long before_commit = 0;
  ASSERT_EQ(std::sscanf(whole.printed.c_str(), "%ld", &before_commit), 1);
  const Found all = look(file("f29.db"));
  import(before_commit / 2);
  const std::string again =
      std::string(IMPORT_VICTIM) + " " + file("f29.db") + " " + file("rows.csv");
  ASSERT_EQ(run(again).status, 0);
  EXPECT_EQ(look(file("f29.db")), all);
}

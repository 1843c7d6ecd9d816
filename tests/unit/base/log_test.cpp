#include "proxy/base/log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>

#include "tests/unit/base/temp_folder.h"

namespace base {
namespace {

std::string escaped(std::string_view value) {
  std::string out;
  escape_json(value, out);
  return out;
}

TEST(EscapeJson, LeavesPlainTextAndUtf8Alone) {
  EXPECT_EQ(escaped("GET /web?"), "GET /web?");
  EXPECT_EQ(escaped("peso \xc3\xb1 \xe2\x82\xac \xf0\x9f\x98\x80"),
            "peso \xc3\xb1 \xe2\x82\xac \xf0\x9f\x98\x80");
  EXPECT_EQ(escaped(""), "");
}

TEST(EscapeJson, EscapesQuotesAndControls) {
  EXPECT_EQ(escaped("a\"b\\c"), "a\\\"b\\\\c");
  EXPECT_EQ(escaped("\n\r\t"), "\\n\\r\\t");
  EXPECT_EQ(escaped(std::string_view("\0\x1f\x7f", 3)), "\\u0000\\u001f\\u007f");
}

TEST(EscapeJson, ReplacesEveryByteThatIsNotUtf8) {
  const char* cases[] = {"\x80",
                         "\xc0\x80",
                         "\xc3",
                         "\xe0\x80\x80",
                         "\xed\xa0\x80",
                         "\xf0\x80\x80\x80",
                         "\xf4\x90\x80\x80",
                         "\xff",
                         "\xe2\x82"};
  for (const char* text : cases) {
    std::string expected;
    for (size_t i = 0; i < std::string_view(text).size(); ++i) expected += "\\ufffd";
    EXPECT_EQ(escaped(text), expected);
  }
  EXPECT_EQ(escaped("a\xc3(b"), "a\\ufffd(b");
}

TEST(EscapeJson, MakesValidJsonOutOfAnything) {
  for (unsigned seed = 1; seed <= 200; ++seed) {
    std::mt19937 random(seed);
    std::string bytes;
    for (unsigned i = 0; i < 1 + seed % 40; ++i) bytes += static_cast<char>(random());
    ASSERT_TRUE(nlohmann::json::accept("\"" + escaped(bytes) + "\"")) << "seed " << seed;
  }
}

TEST(LogLine, BuildsOneJsonObject) {
  LogLine line;
  line.add("text", "a\"b").add("count", 42).add("large", int64_t{-9'000'000'000}).add("ok", true);
  line.add_seconds("took", 1'234'567).add_seconds("none", 0).add_seconds("less", -5);
  line.add_raw("list", "[1,2]");
  const std::string expected =
      R"({"text":"a\"b","count":42,"large":-9000000000,"ok":true,"took":1.234567,)"
      R"("none":0.000000,"less":0.000000,"list":[1,2]})";
  EXPECT_EQ(line.text(), expected + "\n");
  EXPECT_EQ(line.text(), expected + "\n") << "closed once";
  line.clear();
  line.add("next", false);
  EXPECT_EQ(line.text(), "{\"next\":false}\n");
}

TEST(LogLine, AnEmptyOneIsAnEmptyObject) { EXPECT_EQ(LogLine().text(), "{}\n"); }

TEST(Timestamp, IsUtcWithMilliseconds) {
  const std::string text = timestamp();
  ASSERT_EQ(text.size(), 24u) << text;
  EXPECT_EQ(text.find_first_not_of("0123456789-:.TZ"), std::string::npos);
  EXPECT_EQ(text.back(), 'Z');
}

std::unique_ptr<Log> open_log(const std::string& path, size_t bytes = 4 << 20) {
  auto log = Log::open(path, bytes);
  EXPECT_TRUE(log) << log.error().detail;
  return *std::move(log);
}

TEST(Log, AppendsLinesInOrderAndDrainsWhenItEnds) {
  const TempFolder folder;
  spill(folder / "log", "before\n");
  {
    const auto log = open_log(folder / "log");
    for (int i = 0; i < 3; ++i) log->write(std::to_string(i) + "\n");
  }
  EXPECT_EQ(slurp(folder / "log"), "before\n0\n1\n2\n");
}

TEST(Log, WritesEventsWithTimeAndLevel) {
  const TempFolder folder;
  const auto log = open_log(folder / "log");
  log->event(Level::warning, "probe_failed", LogLine().add("color", "blue"));
  log->event(Level::info, "started");
  log->flush();
  std::istringstream lines(slurp(folder / "log"));
  std::string line;
  std::getline(lines, line);
  const auto first = nlohmann::json::parse(line);
  EXPECT_EQ(first["level"], "warning");
  EXPECT_EQ(first["event"], "probe_failed");
  EXPECT_EQ(first["color"], "blue");
  EXPECT_EQ(first["time"].get<std::string>().size(), 24u);
  std::getline(lines, line);
  EXPECT_EQ(nlohmann::json::parse(line)["event"], "started");
}

TEST(Log, TakesLinesFromManyThreadsWhole) {
  const TempFolder folder;
  const auto log = open_log(folder / "log");
  std::vector<std::thread> writers;
  for (int t = 0; t < 4; ++t) {
    writers.emplace_back([&] {
      for (int i = 0; i < 1000; ++i) log->write("{\"a\":\"0123456789\"}\n");
    });
  }
  for (std::thread& writer : writers) writer.join();
  log->flush();
  std::string expected;
  for (int i = 0; i < 4000; ++i) expected += "{\"a\":\"0123456789\"}\n";
  EXPECT_TRUE(slurp(folder / "log") == expected);
  EXPECT_EQ(log->dropped(), 0);
}

TEST(Log, DropsAndCountsWhatDoesNotFitWhileNobodyReads) {
  const TempFolder folder;
  const std::string path = folder / "pipe";
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  const int reader = open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  const std::string line = std::string(999, 'x') + "\n";
  auto log = open_log(path, 10'000);
  // A pipe holds 64 KiB, the queue 10 lines: long before 1,000 lines nothing is taken.
  for (int i = 0; i < 1000; ++i) log->write(line);
  EXPECT_GT(log->dropped(), 800);
  // Now somebody reads: what was kept arrives whole.
  const auto kept = static_cast<size_t>(1000 - log->dropped());
  std::string received;
  std::thread drain([&] {
    fcntl(reader, F_SETFL, 0);
    char piece[4096];
    for (ssize_t n; (n = read(reader, piece, sizeof piece)) > 0;) {
      received.append(piece, static_cast<size_t>(n));
    }
  });
  log->flush();
  log->write("last\n");
  log.reset();  // the pipe ends with its only writer, and so does the reader
  drain.join();
  close(reader);
  EXPECT_EQ(received.size(), kept * line.size() + 5);
  EXPECT_TRUE(received.ends_with(line + "last\n"));
}

TEST(Log, ALineAboveTheWholeQueueIsDropped) {
  const TempFolder folder;
  const auto log = open_log(folder / "log", 100);
  log->write(std::string(200, 'x') + "\n");
  EXPECT_EQ(log->dropped(), 1);
  log->write("short\n");
  log->flush();
  EXPECT_EQ(slurp(folder / "log"), "short\n");
}

TEST(Log, FollowsARotation) {
  const TempFolder folder;
  const auto log = open_log(folder / "log");
  log->write("one\n");
  log->flush();
  rename((folder / "log").c_str(), (folder / "log.1").c_str());
  log->write("still the old file\n");
  log->flush();
  log->reopen();
  log->flush();
  log->write("two\n");
  log->flush();
  EXPECT_EQ(slurp(folder / "log.1"), "one\nstill the old file\n");
  EXPECT_EQ(slurp(folder / "log"), "two\n");
}

TEST(Log, GoesOnInTheOldFileWhenTheNewOneCannotBeOpened) {
  const TempFolder folder;
  std::filesystem::create_directory(folder / "logs");
  const auto log = open_log(folder / "logs/log");
  std::filesystem::rename(folder / "logs", folder / "moved");
  log->reopen();
  log->write("kept\n");
  log->flush();
  EXPECT_EQ(slurp(folder / "moved/log"), "kept\n");
}

TEST(Log, CountsWhatAFullDiskRefusesAndBeginsTheNextLineAnew) {
  const TempFolder folder;
  const auto log = open_log(folder / "log");
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small{10, before.rlim_max};
  signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &small);
  log->write("0123456\n");
  log->write("torn line\n");
  log->flush();
  setrlimit(RLIMIT_FSIZE, &before);
  signal(SIGXFSZ, SIG_DFL);
  EXPECT_EQ(log->dropped(), 1);
  log->write("next\n");
  log->flush();
  EXPECT_EQ(slurp(folder / "log"), "0123456\nto\nnext\n");
}

TEST(Log, SaysWhyItCannotBeOpened) {
  const TempFolder folder;
  const auto log = Log::open(folder / "no/log");
  ASSERT_FALSE(log);
  EXPECT_EQ(log.error().code, ErrorCode::io_failed);
}

}  // namespace
}  // namespace base

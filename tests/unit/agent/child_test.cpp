#include "shifter/agent/child.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>

namespace agent {
namespace {

using namespace std::chrono_literals;

bool always() { return true; }

ChildEnd shell(const std::string& script, base::Millis deadline = 20s) {
  return run_child({{"/bin/sh", "-c", script}, deadline, {}, {}}, always);
}

TEST(Child, TellsItsEndAndItsLastLines) {  // R47
  const ChildEnd end = shell(
      "i=0; while [ $i -lt 40 ]; do echo line $i; i=$((i+1)); done;"
      "echo trouble >&2; exit 3");
  EXPECT_EQ(end.why, ChildEnd::Why::exited);
  EXPECT_EQ(end.code, 3);
  EXPECT_EQ(end.text(), "exit code 3");
  ASSERT_EQ(end.tail.size(), 20u);
  EXPECT_EQ(end.output.substr(0, 14), "line 0\nline 1\n");
  EXPECT_EQ(end.output.find("trouble"), std::string::npos) << "that was standard error";
}

TEST(Child, GetsWordsAsTheyAreAndAnEnvironment) {
  const ChildEnd end =
      run_child({{"/bin/sh", "-c", "echo \"$1|$SHIFTER_COLOR|$PWD\"", "sh", "a; b $(c)"},
                 20s,
                 "/",
                 {{"SHIFTER_COLOR", "green"}}},
                always);
  EXPECT_EQ(end.output, "a; b $(c)|green|/\n");
}

// R46: TERM at the deadline, KILL later, to the whole group; and nobody waits longer than that.
TEST(Child, AtTheDeadlineTheWholeGroupIsEnded) {
  const auto begun = std::chrono::steady_clock::now();
  const ChildEnd end = shell(
      "trap '' TERM; sleep 3600 & echo $!; trap 'echo asked; exit 0' TERM;"
      "while :; do wait; done",
      300ms);
  const auto took = std::chrono::steady_clock::now() - begun;
  EXPECT_EQ(end.why, ChildEnd::Why::deadline);
  EXPECT_EQ(end.text(), "not over after its deadline of 300ms");
  EXPECT_EQ(end.tail.back(), "asked") << "TERM comes first";
  EXPECT_GE(took, 5s) << "the grandchild does not heed TERM, so KILL must come";
  EXPECT_LT(took, 20s);
  const auto grandchild = static_cast<pid_t>(std::stol(end.output));
  for (int i = 0; i < 500 && ::kill(grandchild, 0) == 0; ++i) ::poll(nullptr, 0, 10);
  EXPECT_NE(::kill(grandchild, 0), 0) << "it was killed with its group";
}

TEST(Child, OneThatHeedsTermIsNotKilled) {
  const auto begun = std::chrono::steady_clock::now();
  const ChildEnd end = shell("sleep 3600", 200ms);
  EXPECT_EQ(end.why, ChildEnd::Why::deadline);
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 5s);
}

TEST(Child, IsEndedWhenTheBeatSaysSo) {
  int beats = 0;
  const ChildEnd end = run_child({{"/bin/sleep", "3600"}, 1h, {}, {}}, [&] { return ++beats < 3; });
  EXPECT_EQ(end.why, ChildEnd::Why::stopped);
}

TEST(Child, AProgramThatIsNotThereIsAnError) {
  const ChildEnd end = run_child({{"/nonexistent/program"}, 1s, {}, {}}, always);
  EXPECT_EQ(end.why, ChildEnd::Why::not_started);
  EXPECT_FALSE(end.good());
  EXPECT_NE(end.text().find("no such file"), std::string::npos) << end.text();
  EXPECT_FALSE(run_child({{}, 1s, {}, {}}, always).good());
}

// A machine that is at its limits ends no agent in the middle of an action.
TEST(Child, WithoutDescriptorsIsNotStarted) {
  const int next = ::dup(0);
  ASSERT_GE(next, 0);
  ::close(next);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  for (const rlim_t more : {0, 3, 6}) {  // none for a loop, none for pipes
    const rlimit few{static_cast<rlim_t>(next) + more, before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
    const ChildEnd end = shell("exit 0");
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
    EXPECT_EQ(end.why, ChildEnd::Why::not_started) << more;
    EXPECT_EQ(end.text(), "not started: /bin/sh: too many open files") << more;
  }
  EXPECT_TRUE(shell("exit 0").good());
}

TEST(Child, OutputHeldOpenByAnotherIsNotWaitedFor) {
  const auto begun = std::chrono::steady_clock::now();
  const ChildEnd end = shell("sleep 30 & echo $!");
  EXPECT_TRUE(end.good());
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 20s);
  ::kill(static_cast<pid_t>(std::stol(end.output)), SIGKILL);
}

TEST(Child, OutputIsBounded) {
  const ChildEnd end = shell("head -c 3000000 /dev/zero | tr '\\0' x; echo; echo end");
  EXPECT_EQ(end.output.size(), 64u << 10);
  ASSERT_EQ(end.tail.size(), 2u);
  EXPECT_EQ(end.tail[0].size(), Tail::kLineBytes);
  EXPECT_EQ(end.tail[1], "end");
}

}  // namespace
}  // namespace agent

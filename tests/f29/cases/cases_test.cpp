// The table of cases: every section prints how many pass. Expected values stand in the files.
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/f29/cases/case_world.h"
#include "tests/f29/cases/specials.h"

namespace f29 {
namespace {

using nlohmann::json;

class Section : public ::testing::TestWithParam<const char*> {};

std::vector<std::string> failures_of(const json& one) {
  std::vector<std::string> failures;
  int step_number = 0;
  for (const json& step : one["steps"]) {
    ++step_number;
    bool is_special = step.contains("special");
    std::vector<std::string> lines;
    if (is_special) lines = run_special(step["special"], step);
    const bool is_reconciled = step.contains("reconciled") || step.contains("reconciled_file");
    if (is_reconciled) lines = reconcile_differences(step);
    if ((!is_special && !is_reconciled) || step.contains("boxes")) {
      for (std::string& line : differences(step, run_step(step))) lines.push_back(std::move(line));
    }
    for (const std::string& line : lines) {
      failures.push_back("case " + one["case"].dump() + " step " + std::to_string(step_number) +
                         ": " + line);
    }
  }
  return failures;
}

TEST_P(Section, EveryCaseHasItsExpectedOutcome) {
  std::ifstream in(std::string("tests/f29/cases/section_") + GetParam() + ".json");
  ASSERT_TRUE(in.good());
  json cases = json::parse(in);
  size_t passed = 0;
  for (const json& one : cases) {
    std::vector<std::string> failures = failures_of(one);
    passed += failures.empty();
    for (const std::string& failure : failures) {
      ADD_FAILURE() << one["name"].get<std::string>() << "\n  " << failure;
    }
  }
  std::printf("section %s: %zu/%zu cases\n", GetParam(), passed, cases.size());
  EXPECT_EQ(passed, cases.size());
}

INSTANTIATE_TEST_SUITE_P(Cases, Section,
                         ::testing::Values("a", "b", "c", "d", "e", "f", "g", "h", "i", "j",
                                           "rules"),
                         [](const ::testing::TestParamInfo<const char*>& one) {
                           return std::string(one.param);
                         });

}  // namespace
}  // namespace f29

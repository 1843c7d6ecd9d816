// Prints how the judge does against invented traffic, beside a z test every minute and a fixed
// threshold: false rollbacks and times to rollback, and whether it holds what is promised (else the
// exit code is 1). usage: judge_table [RUNS [TABLES PROMISES]]. In these files the text between
// their marker lines is replaced. Every run has its own seed: 1 to RUNS.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <functional>
#include <iostream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/judge/trial.h"

namespace {

using judge_trials::Outcome;
using judge_trials::Plan;
using judge_trials::Truth;

// What is promised.
constexpr double kFalseMost = 0.05;   // of rollouts of equal colors
constexpr double kBrokenMost_s = 30;  // the median, where half of the requests fail
constexpr double kFoundLeast = 0.95;  // before 100, of 0.5 % against 2 %
constexpr const char* kBroken = "0.5 % and 50 %, 5 requests/s, 10 %";
constexpr const char* kSubtle = "0.5 % and 2 %, 5 requests/s";

constexpr double kUsualSlow = 0.02;
constexpr double kUsualRpc = 0.002;

struct Row {
  std::string name;
  Plan plan;
};

Truth truth(double stable, double canary, double requests_s) {
  Truth truth;
  truth.stable = {stable, kUsualSlow, kUsualRpc};
  truth.canary = {canary, kUsualSlow, kUsualRpc};
  truth.requests_s = requests_s;
  return truth;
}

Truth with_retries(Truth truth) {
  truth.retries = 6;
  return truth;
}

Truth with_fault(routing::Fault fault, double canary) {
  Truth changed = truth(0.005, 0.005, 5);
  changed.canary[static_cast<size_t>(fault)] = canary;
  return changed;
}

Row one_share(const std::string& name, const Truth& truth, int share) {
  Row row{name, {}};
  row.plan.truth = truth;
  row.plan.shares = {share};
  row.plan.others = true;
  return row;
}

Row ladder(const std::string& name, const Truth& truth) {
  Row row{name, {}};
  row.plan.truth = truth;
  row.plan.shares = {5, 10, 25, 50};
  return row;
}

std::vector<Row> hour_rows() {
  return {
      one_share("equal 0.5 %, 5 requests/s, 10 %", truth(0.005, 0.005, 5), 10),
      one_share("equal 0.5 %, 1 request/s, 10 %", truth(0.005, 0.005, 1), 10),
      one_share("equal 2 %, 5 requests/s, 50 %", truth(0.02, 0.02, 5), 50),
      one_share("equal 0.5 %, retry loops of 6, 10 %", with_retries(truth(0.005, 0.005, 5)), 10),
      one_share("equal 0.5 %, retry loops of 6, 50 %", with_retries(truth(0.005, 0.005, 5)), 50),
      one_share("0.5 % and 5 %, 5 requests/s, 10 %", truth(0.005, 0.05, 5), 10),
      one_share("0.5 % and 2 %, 5 requests/s, 10 %", truth(0.005, 0.02, 5), 10),
      one_share("0.5 % and 5 %, 1 request/s, 10 %", truth(0.005, 0.05, 1), 10),
      one_share(kBroken, truth(0.005, 0.5, 5), 10),
      one_share("0.5 % and 100 %, 1 request/s, 5 %", truth(0.005, 1, 1), 5),
  };
}

std::vector<Row> ladder_rows() {
  return {
      ladder("equal 0.5 %, 5 requests/s", truth(0.005, 0.005, 5)),
      ladder("equal 0.5 %, 20 requests/s", truth(0.005, 0.005, 20)),
      ladder("equal 2 %, 5 requests/s", truth(0.02, 0.02, 5)),
      ladder("0.5 % and 1 %, 5 requests/s", truth(0.005, 0.01, 5)),
      ladder(kSubtle, truth(0.005, 0.02, 5)),
      ladder("0.5 % and 5 %, 5 requests/s", truth(0.005, 0.05, 5)),
      ladder("0.5 % and 50 %, 5 requests/s", truth(0.005, 0.5, 5)),
      ladder("slow 2 % and 6 %, 5 requests/s", with_fault(routing::Fault::slow, 0.06)),
      ladder("JSON-RPC 0.2 % and 5 %, 5 requests/s", with_fault(routing::Fault::rpc_error, 0.05)),
  };
}

std::vector<Outcome> run_all(const Plan& plan, int runs) {
  std::vector<Outcome> outcomes(static_cast<size_t>(runs));
  const unsigned cores = std::max(std::thread::hardware_concurrency(), 1u);
  std::vector<std::thread> threads;
  for (unsigned first = 0; first < cores; ++first) {
    threads.emplace_back([&outcomes, &plan, first, cores] {
      for (size_t i = first; i < outcomes.size(); i += cores) {
        outcomes[i] = judge_trials::run(plan, i + 1);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  return outcomes;
}

struct Measured {
  std::string name;
  std::vector<Outcome> outcomes;
};

std::vector<Measured> measure(const std::vector<Row>& rows, int runs) {
  std::vector<Measured> all;
  for (const Row& row : rows) {
    all.push_back({row.name, run_all(row.plan, runs)});
    std::cerr << row.name << std::endl;
  }
  return all;
}

std::vector<double> rollback_times(const std::vector<Outcome>& outcomes) {
  std::vector<double> times;
  for (const Outcome& one : outcomes) {
    if (one.rolled_back_s) times.push_back(*one.rolled_back_s);
  }
  std::sort(times.begin(), times.end());
  return times;
}

std::string seconds(double value) {
  std::array<char, 32> text;
  if (value < 120) {
    std::snprintf(text.data(), text.size(), "%.0f s", value);
  } else if (value < 7'200) {
    std::snprintf(text.data(), text.size(), "%.0f min", value / 60);
  } else {
    std::snprintf(text.data(), text.size(), "%.1f h", value / 3'600);
  }
  return text.data();
}

std::string median_and_worst(std::vector<double> times) {
  if (times.empty()) return "–";
  std::sort(times.begin(), times.end());
  return seconds(times[times.size() / 2]) + " · " + seconds(times.back());
}

std::string percent(size_t part, size_t whole) {
  std::array<char, 32> text;
  std::snprintf(text.data(), text.size(), "%.1f %%",
                100 * static_cast<double>(part) / static_cast<double>(whole));
  return text.data();
}

using TimeOf = std::function<std::optional<double>(const Outcome&)>;

std::string cells(const std::vector<Outcome>& outcomes, const TimeOf& time_of) {
  std::vector<double> times;
  for (const Outcome& outcome : outcomes) {
    if (const auto time = time_of(outcome)) times.push_back(*time);
  }
  return percent(times.size(), outcomes.size()) + " | " + median_and_worst(times);
}

std::string hour_table(const std::vector<Measured>& rows) {
  std::string text =
      "| truth: errors of stable and canary | rolled back | median · worst | z test a minute | "
      "median · worst | above 1 % in 5 minutes | median · worst |\n"
      "| --- | --- | --- | --- | --- | --- | --- |\n";
  for (const auto& [name, outcomes] : rows) {
    text += "| " + name + " | " +
            cells(outcomes, [](const Outcome& one) { return one.rolled_back_s; }) + " | " +
            cells(outcomes, [](const Outcome& one) { return one.z_s; }) + " | " +
            cells(outcomes, [](const Outcome& one) { return one.threshold_s; }) + " |\n";
  }
  return text;
}

std::string ladder_table(const std::vector<Measured>& rows) {
  std::string text =
      "| truth | rolled back before 100 | median · worst | in step 5 % · 10 % · 25 % · 50 % | "
      "canary sessions with the fault, median | a good step lasts: 5 % | 10 % | 25 % | 50 % |\n"
      "| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n";
  for (const auto& [name, outcomes] : rows) {
    std::array<std::vector<double>, 4> steps;
    std::array<size_t, 4> caught{};
    std::vector<double> sessions;
    for (const Outcome& one : outcomes) {
      for (size_t step = 0; step < one.steps_s.size(); ++step) {
        steps[step].push_back(one.steps_s[step]);
      }
      if (!one.rolled_back_s) continue;
      ++caught[static_cast<size_t>(one.step) - 1];
      sessions.push_back(static_cast<double>(one.faulty_sessions));
    }
    std::sort(sessions.begin(), sessions.end());
    text += "| " + name + " | " +
            cells(outcomes, [](const Outcome& one) { return one.rolled_back_s; }) + " | ";
    for (size_t step = 0; step < caught.size(); ++step) {
      text += (step > 0 ? " · " : "") + percent(caught[step], outcomes.size());
    }
    text += " | " + (sessions.empty()
                         ? std::string("–")
                         : std::to_string(static_cast<int>(sessions[sessions.size() / 2])));
    for (const auto& times : steps) text += " | " + median_and_worst(times);
    text += " |\n";
  }
  return text;
}

struct Promises {
  std::string table = "| promise | measured |\n| --- | --- |\n";
  bool are_held = true;

  void add(const std::string& promise, const std::string& measured, bool is_held) {
    table += "| " + promise + " | " + measured + (is_held ? "" : " **(not held)**") + " |\n";
    are_held = are_held && is_held;
  }
};

// Needs: the row is there.
const std::vector<Outcome>& outcomes_of(const std::vector<Measured>& rows, const char* name) {
  return std::find_if(rows.begin(), rows.end(),
                      [name](const Measured& row) { return row.name == name; })
      ->outcomes;
}

Promises promises(const std::vector<Measured>& hours, const std::vector<Measured>& ladders) {
  Promises all;
  size_t most = 0;
  size_t runs = 1;
  std::string worst;
  for (const std::vector<Measured>* rows : {&hours, &ladders}) {
    for (const Measured& row : *rows) {
      const size_t wrong = rollback_times(row.outcomes).size();
      if (row.name.rfind("equal", 0) != 0 || wrong < most) continue;
      most = wrong;
      runs = row.outcomes.size();
      worst = row.name;
    }
  }
  all.add("false rollbacks, all signals together: at most 5 %",
          percent(most, runs) + " at the most (" + worst + ")",
          static_cast<double>(most) <= kFalseMost * static_cast<double>(runs));
  const std::vector<double> broken = rollback_times(outcomes_of(hours, kBroken));
  all.add("half of the requests fail, 5 requests/s, share 10 %: median at most 30 s",
          median_and_worst(broken) + " at the worst",
          !broken.empty() && broken[broken.size() / 2] <= kBrokenMost_s);
  const std::vector<Outcome>& subtle = outcomes_of(ladders, kSubtle);
  const size_t found = rollback_times(subtle).size();
  all.add("0.5 % against 2 %: at least 95 % are found before 100", percent(found, subtle.size()),
          static_cast<double>(found) >= kFoundLeast * static_cast<double>(subtle.size()));
  return all;
}

// False: no such file, or no marker lines in it.
bool write_into(const char* path, const std::string& marker, const std::string& text) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream read;
  read << in.rdbuf();
  std::string whole = read.str();
  const std::string first = "<!-- " + marker + ": begin -->\n";
  const size_t begin = whole.find(first);
  const size_t end = whole.find("<!-- " + marker + ": end -->\n");
  if (!in || begin == std::string::npos || end == std::string::npos || end < begin) return false;
  const size_t from = begin + first.size();
  whole.replace(from, end - from, "\n" + text + "\n");
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << whole;
  return static_cast<bool>(out.flush());
}

}  // namespace

int main(int count, char** words) {
  const int runs = count > 1 ? std::atoi(words[1]) : 2'000;
  if (runs < 1 || runs > 1'000'000 || count == 3 || count > 4) {
    std::cerr << "usage: judge_table [RUNS [TABLES PROMISES]]\n";
    return 2;
  }
  const std::vector<Measured> hours = measure(hour_rows(), runs);
  const std::vector<Measured> ladders = measure(ladder_rows(), runs);
  const std::string text =
      std::to_string(runs) + " runs a row, seeds 1 to " + std::to_string(runs) +
      "; all signals together. One share for an hour:\n\n" + hour_table(hours) +
      "\nThe steps 5, 10, 25, 50 with their floors, until 100 or four hours in one step:\n\n" +
      ladder_table(ladders);
  const Promises all = promises(hours, ladders);
  std::cout << text << "\n" << all.table;
  if (count == 4 && (!write_into(words[2], "judge-table", text) ||
                     !write_into(words[3], "judge-promises", all.table))) {
    std::cerr << "the marker lines are missing, or a file cannot be written\n";
    return 1;
  }
  return all.are_held ? 0 : 1;
}

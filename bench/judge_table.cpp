// Prints how the judge does against invented traffic, beside a z test every minute and a fixed
// threshold: false rollbacks and times to rollback. usage: judge_table [RUNS [FILE]]. With FILE
// the text between its two marker lines is replaced. Every run has its own seed: 1 to RUNS.
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

constexpr std::string_view kBegin = "<!-- judge-table: begin -->\n";
constexpr std::string_view kEnd = "<!-- judge-table: end -->\n";
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
      one_share("0.5 % and 50 %, 5 requests/s, 10 %", truth(0.005, 0.5, 5), 10),
      one_share("0.5 % and 100 %, 1 request/s, 5 %", truth(0.005, 1, 1), 5),
  };
}

std::vector<Row> ladder_rows() {
  return {
      ladder("equal 0.5 %, 5 requests/s", truth(0.005, 0.005, 5)),
      ladder("equal 0.5 %, 20 requests/s", truth(0.005, 0.005, 20)),
      ladder("equal 2 %, 5 requests/s", truth(0.02, 0.02, 5)),
      ladder("0.5 % and 1 %, 5 requests/s", truth(0.005, 0.01, 5)),
      ladder("0.5 % and 2 %, 5 requests/s", truth(0.005, 0.02, 5)),
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

std::string hour_table(int runs) {
  std::string text =
      "| truth: errors of stable and canary | rolled back | median · worst | z test a minute | "
      "median · worst | above 1 % in 5 minutes | median · worst |\n"
      "| --- | --- | --- | --- | --- | --- | --- |\n";
  for (const Row& row : hour_rows()) {
    const std::vector<Outcome> outcomes = run_all(row.plan, runs);
    text += "| " + row.name + " | " +
            cells(outcomes, [](const Outcome& one) { return one.rolled_back_s; }) + " | " +
            cells(outcomes, [](const Outcome& one) { return one.z_s; }) + " | " +
            cells(outcomes, [](const Outcome& one) { return one.threshold_s; }) + " |\n";
    std::cerr << row.name << std::endl;
  }
  return text;
}

std::string ladder_table(int runs) {
  std::string text =
      "| truth | rolled back before 100 | median · worst | in step 5 % · 10 % · 25 % · 50 % | "
      "canary sessions with the fault, median | a good step lasts: 5 % | 10 % | 25 % | 50 % |\n"
      "| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n";
  for (const Row& row : ladder_rows()) {
    const std::vector<Outcome> outcomes = run_all(row.plan, runs);
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
    text += "| " + row.name + " | " +
            cells(outcomes, [](const Outcome& one) { return one.rolled_back_s; }) + " | ";
    for (size_t step = 0; step < caught.size(); ++step) {
      text += (step > 0 ? " · " : "") + percent(caught[step], outcomes.size());
    }
    text += " | " + (sessions.empty()
                         ? std::string("–")
                         : std::to_string(static_cast<int>(sessions[sessions.size() / 2])));
    for (const auto& times : steps) text += " | " + median_and_worst(times);
    text += " |\n";
    std::cerr << row.name << std::endl;
  }
  return text;
}

std::string tables(int runs) {
  return std::to_string(runs) + " runs a row, seeds 1 to " + std::to_string(runs) +
         "; all signals together. One share for an hour:\n\n" + hour_table(runs) +
         "\nThe steps 5, 10, 25, 50 with their floors, until 100 or four hours in one step:\n\n" +
         ladder_table(runs);
}

// False: no such file, or no marker lines in it.
bool write_into(const char* path, const std::string& text) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream read;
  read << in.rdbuf();
  std::string whole = read.str();
  const size_t begin = whole.find(kBegin);
  const size_t end = whole.find(kEnd);
  if (!in || begin == std::string::npos || end == std::string::npos || end < begin) return false;
  const size_t from = begin + kBegin.size();
  whole.replace(from, end - from, "\n" + text + "\n");
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << whole;
  return static_cast<bool>(out.flush());
}

}  // namespace

int main(int count, char** words) {
  const int runs = count > 1 ? std::atoi(words[1]) : 2'000;
  if (runs < 1 || runs > 1'000'000 || count > 3) {
    std::cerr << "usage: judge_table [RUNS [FILE]]\n";
    return 2;
  }
  const std::string text = tables(runs);
  std::cout << text;
  if (count < 3 || write_into(words[2], text)) return 0;
  std::cerr << words[2] << ": cannot be written, or the marker lines are missing\n";
  return 1;
}

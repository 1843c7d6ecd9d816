// `shifter doctor`: looks at what goes wrong quietly (configuration, compose file, agent, disk,
// clock) and says what to do. The checks are functions from what was read to findings; reading is
// beside them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/base/clock.h"
#include "shifter/cli/arguments.h"
#include "shifter/cli/console.h"

namespace cli {

struct Finding {
  std::string check;  // of the closed list below
  std::string place;  // a file with its line, a socket, a color
  std::string found;
  std::string advice;  // what to do
};

struct Diagnosis {
  std::vector<std::string> checked;
  std::vector<Finding> not_checked;  // `found` says why; no fault
  std::vector<Finding> findings;
};

// What is set in the sidecar's config and other checks need.
struct DoctorFacts {
  std::string policy;  // file; empty: the defaults
  std::string state_file = "/var/lib/sidecar/state.json";
  std::string spool = "/var/tmp";
  int64_t spool_free_min = int64_t{1} << 30;
  std::vector<std::string> colors{"blue", "green"};
};
DoctorFacts read_doctor_facts(const std::string& config, Diagnosis& diagnosis);

// Odoo's limit_time_real and the time to write the answer: a stop that waits less cuts requests.
inline constexpr base::Millis kLongestRequest{130'000};

void check_policy(const std::string& file, Diagnosis& diagnosis);
void check_compose(const std::string& file, const std::vector<std::string>& colors,
                   Diagnosis& diagnosis);
// The daemon's answers to `status` and `actions`.
void check_status(std::string_view status, Diagnosis& diagnosis);
void check_agent(std::string_view actions, Diagnosis& diagnosis);
void check_disk(const std::string& check, const std::string& path, int64_t free_min,
                Diagnosis& diagnosis);
void check_clock(Diagnosis& diagnosis);
// Runs the sidecar's own --check.
void check_config(const std::string& config, Diagnosis& diagnosis);

std::string doctor_text(const Diagnosis& diagnosis);
std::string doctor_json(const Diagnosis& diagnosis);

// doctor [config=FILE] [compose=FILE] [policy=FILE]: 0 or 3.
int run_doctor(const Arguments& arguments, const Console& console);

}  // namespace cli

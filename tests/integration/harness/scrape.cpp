#include "tests/integration/harness/scrape.h"

#include <cstdlib>
#include <sstream>

#include "tests/integration/harness/raw_client.h"

namespace harness {

Scrape Scrape::of(uint16_t port) {
  const Answer answer = get(port, "/metrics");
  if (answer.status != 200) throw Failure("/metrics answered " + answer.head);
  return Scrape(answer.body);
}

Scrape::Scrape(std::string text) : text_(std::move(text)) {
  std::istringstream lines(text_);
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line[0] == '#') continue;
    const size_t space = line.rfind(' ');
    samples_[line.substr(0, space)] = std::atof(line.c_str() + space + 1);
  }
}

double Scrape::value(const std::string& series) const {
  const auto found = samples_.find(series);
  if (found == samples_.end()) throw Failure("no series " + series);
  return found->second;
}

double Scrape::sum(const std::string& name, const std::string& also,
                   const std::string& and_also) const {
  double sum = 0;
  for (auto it = samples_.lower_bound(name); it != samples_.end(); ++it) {
    const std::string& series = it->first;
    if (series.rfind(name, 0) != 0) break;
    if (series.size() > name.size() && series[name.size()] != '{') continue;
    if (series.find(also) == std::string::npos) continue;
    if (series.find(and_also) == std::string::npos) continue;
    sum += it->second;
  }
  return sum;
}

}  // namespace harness

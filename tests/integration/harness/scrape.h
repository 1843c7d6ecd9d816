// What /metrics said: every sample by its name and labels, as written there.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace harness {

class Scrape {
 public:
  static Scrape of(uint16_t port);  // one GET /metrics
  explicit Scrape(std::string text);

  const std::string& text() const { return text_; }
  bool has(const std::string& series) const { return samples_.count(series) > 0; }
  // The sample `name{label="value",…}`, labels in the order of the text; throws if it is not there.
  double value(const std::string& series) const;
  // The sum of all samples whose series begins so and holds every other word given.
  double sum(const std::string& name, const std::string& also = "",
             const std::string& and_also = "") const;
  const std::map<std::string, double>& samples() const { return samples_; }

 private:
  std::string text_;
  std::map<std::string, double> samples_;
};

}  // namespace harness

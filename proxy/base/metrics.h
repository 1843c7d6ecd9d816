// Prometheus text on a socket of its own: prometheus-cpp's Exposer behind our own plain families.
// The collect function runs on a scrape thread and must only read.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "proxy/base/address.h"
#include "proxy/base/result.h"

namespace base {

struct MetricSample {
  std::vector<std::pair<std::string, std::string>> labels;
  double value = 0;               // counters and gauges
  std::vector<uint64_t> buckets;  // histograms: cumulative, one per edge, then +Inf
  double sum = 0;                 // histograms
};

struct MetricFamily {
  enum class Type { counter, gauge, histogram };
  std::string name;
  std::string help;
  Type type = Type::counter;
  std::vector<double> edges;  // histograms, in the unit of the name
  std::vector<MetricSample> samples;
};

class MetricsServer {
 public:
  using Collect = std::function<std::vector<MetricFamily>()>;
  // Eight threads and a request time-out of 2 s: a half-sent scrape does not block the others.
  static Result<std::unique_ptr<MetricsServer>> start(const Address& at, Collect collect);
  ~MetricsServer();
  Address bound() const;  // with the port that the kernel chose

 private:
  struct Parts;
  explicit MetricsServer(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

// The same text without a server, for tests.
std::string metrics_text(const std::vector<MetricFamily>& families);

}  // namespace base

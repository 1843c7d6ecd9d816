#include "proxy/base/metrics.h"

#include <prometheus/collectable.h>
#include <prometheus/exposer.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <exception>
#include <limits>
#include <thread>

#include "proxy/base/clock.h"
#include "proxy/base/socket_address.h"

namespace base {
namespace {

prometheus::MetricType type_of(MetricFamily::Type type) {
  switch (type) {
    case MetricFamily::Type::counter:
      return prometheus::MetricType::Counter;
    case MetricFamily::Type::gauge:
      return prometheus::MetricType::Gauge;
    case MetricFamily::Type::histogram:
      return prometheus::MetricType::Histogram;
  }
  return prometheus::MetricType::Untyped;
}

prometheus::ClientMetric metric_of(const MetricFamily& family, const MetricSample& sample) {
  prometheus::ClientMetric metric;
  for (const auto& [name, value] : sample.labels) metric.label.push_back({name, value});
  switch (family.type) {
    case MetricFamily::Type::counter:
      metric.counter.value = sample.value;
      break;
    case MetricFamily::Type::gauge:
      metric.gauge.value = sample.value;
      break;
    case MetricFamily::Type::histogram:
      for (size_t i = 0; i < sample.buckets.size(); ++i) {
        const bool last = i >= family.edges.size();
        metric.histogram.bucket.push_back(
            {sample.buckets[i], last ? std::numeric_limits<double>::infinity() : family.edges[i]});
      }
      metric.histogram.sample_count = sample.buckets.empty() ? 0 : sample.buckets.back();
      metric.histogram.sample_sum = sample.sum;
      break;
  }
  return metric;
}

std::vector<prometheus::MetricFamily> convert(const std::vector<MetricFamily>& families) {
  std::vector<prometheus::MetricFamily> converted;
  converted.reserve(families.size());
  for (const MetricFamily& family : families) {
    prometheus::MetricFamily one;
    one.name = family.name;
    one.help = family.help;
    one.type = type_of(family.type);
    for (const MetricSample& sample : family.samples) {
      one.metric.push_back(metric_of(family, sample));
    }
    converted.push_back(std::move(one));
  }
  return converted;
}

class Source final : public prometheus::Collectable {
 public:
  explicit Source(MetricsServer::Collect collect) : collect_(std::move(collect)) {}
  std::vector<prometheus::MetricFamily> Collect() const override { return convert(collect_()); }

 private:
  MetricsServer::Collect collect_;
};

}  // namespace

struct MetricsServer::Parts {
  std::shared_ptr<Source> source;
  std::unique_ptr<prometheus::Exposer> exposer;
  Address bound;
};

Result<std::unique_ptr<MetricsServer>> MetricsServer::start(const Address& at, Collect collect) {
  auto parts = std::make_unique<Parts>();
  parts->source = std::make_shared<Source>(std::move(collect));
  try {
    parts->exposer = std::make_unique<prometheus::Exposer>(
        std::vector<std::string>{"listening_ports", at.text(), "num_threads", "8",
                                 "request_timeout_ms", "2000", "enable_keep_alive", "no"});
    parts->exposer->RegisterCollectable(parts->source, "/metrics");
    const std::vector<int> ports = parts->exposer->GetListeningPorts();
    parts->bound = at;
    if (!ports.empty()) parts->bound.port = static_cast<uint16_t>(ports.front());
  } catch (const std::exception& error) {
    return fail(ErrorCode::io_failed, Side::proxy, "metrics at " + at.text() + ": " + error.what());
  }
  return std::unique_ptr<MetricsServer>(new MetricsServer(std::move(parts)));
}

MetricsServer::MetricsServer(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

// The server looks whether it has to end when a connection comes, or every two seconds: so long an
// upgrade or a stop shall not wait.
MetricsServer::~MetricsServer() {
  std::atomic<bool> ended = false;
  std::thread knocker([&ended, at = to_socket_address(parts_->bound)] {
    while (!ended) {
      const int door = socket(at.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
      if (door >= 0) {
        connect(door, at.get(), at.size);
        close(door);
      }
      std::this_thread::sleep_for(Millis(5));
    }
  });
  parts_->exposer.reset();
  ended = true;
  knocker.join();
}

Address MetricsServer::bound() const { return parts_->bound; }

std::string metrics_text(const std::vector<MetricFamily>& families) {
  return prometheus::TextSerializer().Serialize(convert(families));
}

}  // namespace base

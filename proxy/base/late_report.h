// Something to say that must not be said from inside the call in which it became known. The loop
// says it when the turn ends; destroying the report withdraws it.
#pragma once

namespace base {

class LateReport {
 public:
  virtual void report() = 0;  // may destroy this object

 protected:
  virtual ~LateReport() { withdraw(); }
  void withdraw() {
    if (next_ == nullptr) return;
    next_->previous_ = previous_;
    previous_->next_ = next_;
    next_ = previous_ = nullptr;
  }

 private:
  friend class LateReports;
  LateReport* next_ = nullptr;
  LateReport* previous_ = nullptr;
};

// First in, first out. A report is listed at most once.
class LateReports {
 public:
  LateReports() { end_.next_ = end_.previous_ = &end_; }
  LateReports(const LateReports&) = delete;
  LateReports& operator=(const LateReports&) = delete;
  ~LateReports() {
    while (!is_empty()) end_.next_->withdraw();
    end_.next_ = nullptr;
  }

  bool is_empty() const { return end_.next_ == &end_; }
  void add(LateReport& report) {
    if (report.next_ != nullptr) return;
    report.next_ = &end_;
    report.previous_ = end_.previous_;
    end_.previous_->next_ = &report;
    end_.previous_ = &report;
  }
  // Also what is added meanwhile.
  void report_all() {
    while (!is_empty()) {
      LateReport& first = *end_.next_;
      first.withdraw();
      first.report();
    }
  }

 private:
  class End final : public LateReport {
    void report() override {}
  };
  End end_;
};

}  // namespace base

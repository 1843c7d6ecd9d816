// What is planned to be paid and was paid, and what waits to be filed while the tax authority's
// site is down.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "f29svc/store/database.h"
#include "f29svc/store/records.h"

namespace f29 {

enum class FlowState : uint8_t { none, planned, deferred, paid };
std::string_view flow_text(FlowState state);
FlowState parse_flow(std::string_view text);

struct FlowRecord {
  int64_t return_id = 0;
  Period period;
  int version = 0;
  FlowState state = FlowState::none;
  Pesos amount;  // due on `due`
  Date due;
  Pesos deferred_amount;  // due on `deferred_to`, beyond `amount`
  Date deferred_to;
  Date paid_on;
  Pesos paid_amount;
  std::string payment;
  struct Entry {
    FlowState state = FlowState::none;
    std::string actor;
    std::string note;
    std::string made_at;
  };
  std::vector<Entry> history;
};

// Of one return; `none` where nothing was planned.
base::Result<FlowRecord> read_flow(Database& database, const ReturnRecord& record, Period period);
// The newest return of each month of a company that has one, by period.
base::Result<std::vector<FlowRecord>> read_flows(Database& database, int64_t company_id,
                                                 Period from, Period to);
// Within a transaction; adds to the history.
base::Result<> write_flow(Database& database, const FlowRecord& flow, const std::string& actor,
                          const std::string& note);

struct OutageRecord {
  int64_t id = 0;  // 0: none is on
  std::string began_at;
  std::string began_by;
  std::string reason;
};
base::Result<OutageRecord> read_outage(Database& database);
// conflict "outage_on" / "outage_off" where it is so already.
base::Result<> begin_outage(Database& database, const std::string& reason,
                            const std::string& actor);
base::Result<> end_outage(Database& database, const std::string& actor);

struct QueuedReturn {
  Rut company;
  std::string name;
  Period period;
  int version = 0;
  Date due;
  Pesos to_pay;
  Declaration declaration = Declaration::normal;
  std::string digest;  // of the export that was made when it became ready
  std::string actor;
  std::string since;
};
// The most urgent first.
base::Result<std::vector<QueuedReturn>> read_queue(Database& database);

}  // namespace f29

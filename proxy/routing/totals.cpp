#include "proxy/routing/totals.h"

namespace routing {
namespace {

constexpr std::array<std::string_view, kCodeSlots> kCodeLabels = {
    "101", "200", "201", "204", "206", "301", "302", "303", "304",  "307",
    "308", "400", "401", "403", "404", "405", "408", "409", "413",  "414",
    "431", "499", "500", "501", "502", "503", "504", "508", "other"};

constexpr int number_of(std::string_view digits) {
  int number = 0;
  for (char digit : digits) number = number * 10 + (digit - '0');
  return number;
}

constexpr bool labels_agree_with_codes() {
  for (size_t i = 0; i < kCodes.size(); ++i) {
    if (number_of(kCodeLabels[i]) != kCodes[i]) return false;
    if (i > 0 && kCodes[i - 1] >= kCodes[i]) return false;
  }
  return true;
}
static_assert(labels_agree_with_codes());

constexpr std::array<std::string_view, kKinds> kKindTexts = {
    "queued", "http", "longpoll", "websocket", "mirror", "receiving", "held", "delivering"};
static_assert(static_cast<int>(Kind::delivering) == kKinds - 1);
static_assert(static_cast<int>(Kind::mirror) == kColorKinds - 1);

constexpr std::array<std::string_view, kTallies> kTallyTexts = {"connections_accepted",
                                                                "cookies_issued",
                                                                "cookies_rejected",
                                                                "cookies_void",
                                                                "affinity_moved_down",
                                                                "affinity_moved_redrawn",
                                                                "fallbacks",
                                                                "retries",
                                                                "retries_refused",
                                                                "queue_full",
                                                                "queue_timeouts",
                                                                "queue_cancelled",
                                                                "holds",
                                                                "hold_full",
                                                                "hold_timeouts",
                                                                "spooled_bytes",
                                                                "spool_full",
                                                                "connects",
                                                                "connects_reused",
                                                                "connect_failures",
                                                                "certificates_refused",
                                                                "underscored_fields_dropped",
                                                                "forced",
                                                                "asset_fallbacks",
                                                                "forces_rejected",
                                                                "own_answers",
                                                                "mirrors",
                                                                "mirrors_dropped",
                                                                "mirrors_failed"};
static_assert(!kTallyTexts.back().empty());

}  // namespace

std::string_view text_of(Kind kind) { return kKindTexts.at(static_cast<size_t>(kind)); }

int code_slot(int status) {
  for (size_t i = 0; i < kCodes.size(); ++i) {
    if (kCodes[i] == status) return static_cast<int>(i);
  }
  return kCodeSlots - 1;
}

std::string_view code_label(int slot) { return kCodeLabels.at(static_cast<size_t>(slot)); }

std::string_view text_of(Tally tally) { return kTallyTexts.at(static_cast<size_t>(tally)); }

void HistogramTotals::add(const base::Histogram& one) {
  for (size_t bucket = 0; bucket < counts.size(); ++bucket) counts[bucket] += one.count(bucket);
  sum_us += one.sum_us();
}

int64_t HistogramTotals::count() const {
  int64_t sum = 0;
  for (int64_t bucket : counts) sum += bucket;
  return sum;
}

}  // namespace routing

#include "shifter/control/joined_plane.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "proxy/base/check.h"
#include "shifter/control/plane_text.h"

namespace control {
namespace {

using Json = nlohmann::json;

constexpr base::Millis kSilenceMax{10'000};  // it reports ten times a second

}  // namespace

JoinedPlane::JoinedPlane(base::Loop& loop, routing::DataPlane& own)
    : loop_(loop),
      own_(own),
      silence_(loop.timers(), this, base::fires<&JoinedPlane::on_silence>) {}

void JoinedPlane::join(std::unique_ptr<base::Stream> link,
                       std::function<void(std::string_view)> parted) {
  CHECK(current_ != nullptr && link_ == nullptr);
  parted_ = std::move(parted);
  other_applied_ = 0;
  link_ = std::make_unique<LineLink>(
      loop_, std::move(link), [this](const std::string& line) { take(line); },
      [this](std::string_view why) { part(why); });
  silence_.start(kSilenceMax);
  send_table();
}

void JoinedPlane::publish(std::shared_ptr<const routing::RoutingTable> table,
                          std::function<void()> applied) {
  current_ = table;
  const uint64_t version = table->version;
  published_.push_back({version, std::move(applied), false});
  own_.publish(std::move(table), [this, version] {
    for (Published& one : published_) one.own_done = one.own_done || one.version == version;
    tell_applied();
  });
  send_table();
}

void JoinedPlane::send_table() {
  if (link_ == nullptr) return;
  link_->send(Json{{"table", write_decisions(*current_)}, {"version", current_->version}}.dump());
}

// In order; each callback may publish again.
void JoinedPlane::tell_applied() {
  while (!published_.empty() && published_.front().own_done &&
         (link_ == nullptr || published_.front().version <= other_applied_)) {
    const auto applied = std::move(published_.front().applied);
    published_.pop_front();
    if (applied) applied();
  }
}

uint64_t JoinedPlane::applied_version() const {
  const uint64_t own = own_.applied_version();
  return link_ == nullptr ? own : std::min(own, other_applied_);
}

routing::Totals JoinedPlane::totals() const {
  routing::Totals totals = own_.totals();
  const std::lock_guard guard(mutex_);
  add_totals(others_, totals);
  return totals;
}

void JoinedPlane::list(routing::ColorIndex color_or_none, size_t most,
                       std::function<void(std::vector<routing::InFlightEntry>)> done) {
  own_.list(
      color_or_none, most,
      [this, color_or_none, most, done = std::move(done)](std::vector<routing::InFlightEntry> own) {
        if (link_ == nullptr) return done(std::move(own));
        const uint64_t number = ++last_asked_;
        asked_[number] = {most, std::move(own), done};
        const bool all = color_or_none == routing::kNoColor;
        link_->send(Json{
            {"list", number},
            {"color", all ? std::string() : current_->colors[color_or_none].name},
            {"most",
             most}}.dump());
      });
}

void JoinedPlane::session_counts(uint64_t step,
                                 std::function<void(const routing::SessionCounts&)> done) {
  own_.session_counts(step, std::move(done));
}

void JoinedPlane::close_idle(routing::ColorIndex color) {
  own_.close_idle(color);
  if (link_) link_->send(Json{{"close_idle", current_->colors[color].name}}.dump());
}

void JoinedPlane::close_websockets(routing::ColorIndex color, base::Millis over) {
  own_.close_websockets(color, over);
  if (link_ == nullptr) return;
  const std::string& name = current_->colors[color].name;
  link_->send(Json{{"close_websockets", name}, {"over_ms", over.count()}}.dump());
}

void JoinedPlane::cut(routing::ColorIndex color) {
  own_.cut(color);
  if (link_) link_->send(Json{{"cut", current_->colors[color].name}}.dump());
}

void JoinedPlane::take(const std::string& line) {
  silence_.start(kSilenceMax);
  try {
    const Json json = Json::parse(line);
    if (json.contains("totals")) {
      routing::Totals read = read_totals(json.at("totals"), *current_);
      const std::lock_guard guard(mutex_);
      others_ = std::move(read);
    } else if (json.contains("applied")) {
      other_applied_ = json.at("applied").get<uint64_t>();
      tell_applied();
    } else if (json.contains("listed")) {
      const auto found = asked_.find(json.at("listed").get<uint64_t>());
      if (found == asked_.end()) return;
      Asked asked = std::move(found->second);
      asked_.erase(found);
      std::vector<routing::InFlightEntry> entries = std::move(asked.own);
      for (auto& entry : read_entries(json.at("entries"), *current_)) {
        entries.push_back(std::move(entry));
      }
      std::sort(entries.begin(), entries.end(),
                [](const auto& a, const auto& b) { return a.age > b.age; });
      if (entries.size() > asked.most) entries.resize(asked.most);
      asked.done(std::move(entries));
    }
  } catch (const std::exception& error) {
    part(error.what());
  }
}

// It has ended, or is of no more use: what it counted stays, nothing of it is in flight for us.
void JoinedPlane::part(std::string_view why) {
  if (link_ == nullptr) return;
  silence_.stop();
  link_->end();
  loop_.dispose(std::move(link_));
  {
    const std::lock_guard guard(mutex_);
    end_gauges(others_);
  }
  for (auto& [number, asked] : std::exchange(asked_, {})) asked.done(std::move(asked.own));
  tell_applied();
  const auto parted = std::exchange(parted_, nullptr);
  if (parted) parted(why);
}

}  // namespace control

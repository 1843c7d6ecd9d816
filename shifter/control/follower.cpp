#include "shifter/control/follower.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "shifter/control/plane_text.h"

namespace control {
namespace {

using Json = nlohmann::json;

constexpr base::Millis kReport{100};

}  // namespace

Follower::Follower(base::Loop& loop, routing::DataPlane& plane,
                   std::shared_ptr<const routing::RoutingTable> table,
                   std::unique_ptr<LineLink> link, std::function<void(std::string_view)> alone)
    : loop_(loop),
      plane_(plane),
      table_(std::move(table)),
      version_(table_->version),
      link_(std::move(link)),
      alone_(std::move(alone)),
      report_(loop.timers(), this, base::fires<&Follower::report>) {
  link_->set_handlers([this](const std::string& line) { take(line); },
                      [this](std::string_view why) { leave(why); });
  report();
}

void Follower::report() {
  send_totals();
  if (link_) report_.start(kReport);
}

void Follower::send_totals() {
  if (link_) link_->send(Json{{"totals", write_totals(plane_.totals(), *table_)}}.dump());
}

void Follower::finish() {
  report_.stop();
  send_totals();
}

// Our own table, with what the other process decided; its numbers go on here.
std::shared_ptr<const routing::RoutingTable> Follower::decided(const Json& decisions) {
  auto next = std::make_shared<routing::RoutingTable>(*table_);
  read_decisions(decisions, *next);
  next->version = ++version_;
  next->judge.reset();
  next->mirror.reset();
  for (routing::ColorEntry& color : next->colors) color.slots = kept_slots(color.slots);
  return next;
}

void Follower::take(const std::string& line) {
  try {
    const Json json = Json::parse(line);
    const auto color_of = [&](const char* key) {
      return table_->color_named(json.at(key).get<std::string>());
    };
    if (json.contains("table")) {
      const auto version = json.at("version").get<uint64_t>();
      plane_.publish(decided(json.at("table")), [this, version] {
        if (link_) link_->send(Json{{"applied", version}}.dump());
      });
    } else if (json.contains("close_idle")) {
      if (const auto color = color_of("close_idle")) plane_.close_idle(*color);
    } else if (json.contains("close_websockets")) {
      const base::Millis over{json.at("over_ms").get<int64_t>()};
      if (const auto color = color_of("close_websockets")) plane_.close_websockets(*color, over);
    } else if (json.contains("cut")) {
      if (const auto color = color_of("cut")) plane_.cut(*color);
    } else if (json.contains("list")) {
      const routing::ColorIndex color = color_of("color").value_or(routing::kNoColor);
      plane_.list(
          color, json.at("most").get<size_t>(),
          [this, number = json.at("list").get<uint64_t>()](const auto& entries) {
            if (link_ == nullptr) return;
            link_->send(
                Json{{"listed", number}, {"entries", write_entries(entries, *table_)}}.dump());
          });
    }
  } catch (const std::exception& error) {
    leave(error.what());
  }
}

void Follower::leave(std::string_view why) {
  if (link_ == nullptr) return;
  report_.stop();
  link_->end();
  loop_.dispose(std::move(link_));
  alone_(why);
}

}  // namespace control

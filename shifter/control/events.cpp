#include "shifter/control/events.h"

#include <algorithm>

namespace control {

std::string json_of(base::LogLine& line) {
  std::string_view text = line.text();
  text.remove_suffix(1);
  return std::string(text);
}

void Events::add(base::Level level, std::string_view event, base::LogLine fields) {
  base::LogLine line;
  line.add("time", base::timestamp()).add("event", event);
  std::string json = json_of(line);
  if (std::string more = json_of(fields); more.size() > 2) {  // {"a":1} joins {"time":…}
    json.back() = ',';
    json += more.substr(1);
  }
  log_.event(level, event, std::move(fields));
  std::erase_if(followers_, [](const auto& follower) { return follower->is_gone(); });
  const auto followers = followers_;  // a slow one is dropped while it is told
  for (const auto& follower : followers) follower->stream(json);
  kept_.push_back(std::move(json));
  if (kept_.size() > kKept) kept_.pop_front();
}

void Events::follow(std::shared_ptr<Reply> reply) {
  for (const std::string& json : kept_) reply->stream(json);
  if (!reply->is_gone()) followers_.push_back(std::move(reply));
}

}  // namespace control

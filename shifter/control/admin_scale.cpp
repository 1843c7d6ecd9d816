#include "shifter/control/admin_scale.h"

#include "proxy/base/yaml_values.h"

namespace control {
namespace {

using base::Millis;

constexpr Millis kTime{7'200'000};
constexpr Millis kTimeMax{30 * 86'400'000LL};

}  // namespace

Answer<ScaleAsk> read_scale_command(const Command& command, const Scaling& scaling) {
  const std::string& word = command.words.front();
  auto time = duration_of(command, "for", Millis{60'000}, kTimeMax);
  if (!time) return tl::unexpected(time.error());
  const std::string reason = command.find("reason").value_or("");
  const Millis length = time->value_or(kTime);
  ScaleAsk ask;
  if (word == "auto") {
    if (*time) return deny(AdminCode::usage, "for", "auto holds until something else is said");
    ask.next = scaling.ask_auto();
    ask.told.add("mode", "auto");
    return ask;
  }
  if (word == "freeze") {
    ask.next = scaling.ask_freeze(length, reason);
    ask.told.add("mode", "freeze").add("for", base::duration_text(length));
    return ask;
  }
  const auto number = base::parse_integer(word);
  if (!number || *number < 1 || *number > policy::kWorkersMax) {
    return deny(AdminCode::usage, word, "usage: scale N|auto|freeze [for=2h]");
  }
  auto next = scaling.ask_number(static_cast<int>(*number), length, reason);
  if (!next) return tl::unexpected(next.error());
  ask.next = std::move(*next);
  ask.told.add("mode", "number").add("number", *number).add("for", base::duration_text(length));
  return ask;
}

}  // namespace control

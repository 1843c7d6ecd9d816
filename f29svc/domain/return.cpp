#include "f29svc/domain/return.h"

#include <array>

namespace f29 {
namespace {

using enum ReturnState;

constexpr std::array<std::string_view, 6> kStates = {"draft", "computed", "validated",
                                                     "sent",  "paid",     "rectified"};

struct Move {
  ReturnState from;
  ReturnState to;
};
//   draft → computed → validated → sent → paid
//              ↑___________|         ↓       ↓
//                                 rectified
constexpr Move kMoves[] = {
    {draft, computed}, {computed, computed}, {computed, validated}, {validated, computed},
    {validated, sent}, {sent, paid},         {sent, rectified},     {paid, rectified},
};

}  // namespace

std::string_view state_text(ReturnState state) { return kStates[static_cast<size_t>(state)]; }

std::optional<ReturnState> parse_state(std::string_view text) {
  for (size_t i = 0; i < kStates.size(); ++i) {
    if (kStates[i] == text) return static_cast<ReturnState>(i);
  }
  return std::nullopt;
}

bool is_closed(ReturnState state) { return state == sent || state == paid || state == rectified; }

bool can_move(ReturnState from, ReturnState to) {
  for (Move move : kMoves) {
    if (move.from == from && move.to == to) return true;
  }
  return false;
}

bool Return::has_errors() const {
  for (const Finding& finding : findings) {
    if (finding.severity == Severity::error) return true;
  }
  return false;
}

}  // namespace f29

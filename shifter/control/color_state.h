// How a color moves between its states. What is not in the table cannot happen.
//
//            drain_asked            holders_quiet,
//                                   deadline_passed          emptied
//   ready ────────────────► draining ──────────────► closing ────────► maint
//     │  ▲                    │                        ▲  │              │
//     │  └────────────────────┴────── ready_asked ─────┼──┴──────────────┘
//     └───────────── maint_asked (also from draining) ─┘
//
// draining waits for its holders under the drain's deadline; closing waits for running work, which
// every exchange bounds by its own deadlines.
#pragma once

#include <optional>

#include "proxy/routing/backend_id.h"

namespace control {

using routing::ColorState;

enum class ColorEvent {
  drain_asked,
  holders_quiet,
  deadline_passed,
  emptied,
  ready_asked,
  maint_asked,
};

struct ColorMove {
  ColorState from;
  ColorEvent event;
  ColorState to;
};

inline constexpr ColorMove kColorMoves[] = {
    {ColorState::ready, ColorEvent::drain_asked, ColorState::draining},
    {ColorState::ready, ColorEvent::maint_asked, ColorState::closing},
    {ColorState::ready, ColorEvent::ready_asked, ColorState::ready},
    {ColorState::draining, ColorEvent::drain_asked, ColorState::draining},
    {ColorState::draining, ColorEvent::holders_quiet, ColorState::closing},
    {ColorState::draining, ColorEvent::deadline_passed, ColorState::closing},
    {ColorState::draining, ColorEvent::maint_asked, ColorState::closing},
    {ColorState::draining, ColorEvent::ready_asked, ColorState::ready},
    {ColorState::closing, ColorEvent::drain_asked, ColorState::closing},
    {ColorState::closing, ColorEvent::maint_asked, ColorState::closing},
    {ColorState::closing, ColorEvent::emptied, ColorState::maint},
    {ColorState::closing, ColorEvent::ready_asked, ColorState::ready},
    {ColorState::maint, ColorEvent::drain_asked, ColorState::maint},
    {ColorState::maint, ColorEvent::maint_asked, ColorState::maint},
    {ColorState::maint, ColorEvent::ready_asked, ColorState::ready},
};

constexpr std::optional<ColorState> next_state(ColorState from, ColorEvent event) {
  for (const ColorMove& move : kColorMoves) {
    if (move.from == from && move.event == event) return move.to;
  }
  return std::nullopt;
}

static_assert(next_state(ColorState::ready, ColorEvent::drain_asked) == ColorState::draining);
static_assert(next_state(ColorState::draining, ColorEvent::deadline_passed) == ColorState::closing);
static_assert(next_state(ColorState::closing, ColorEvent::emptied) == ColorState::maint);
static_assert(!next_state(ColorState::ready, ColorEvent::emptied));
static_assert(!next_state(ColorState::draining, ColorEvent::emptied));

}  // namespace control

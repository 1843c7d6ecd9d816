// What all workers of this process share: the config, and the few parts that are made for any
// thread. Outlives every worker.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <string>

#include "proxy/base/log.h"
#include "proxy/base/spool.h"
#include "proxy/relay/config.h"
#include "proxy/relay/overload.h"
#include "proxy/relay/session_sample.h"
#include "proxy/relay/slot_pool.h"

namespace relay {

struct RelayCore {
  RelayCore(const RelayConfig& relay_config, base::Log* access)
      : config(relay_config), spool(relay_config.spool), access_log(access) {}

  // Any thread; workers are told apart (Worker::on_overload).
  void set_overload(Overload step) {
    overload.store(step);
    spool.forbid_memory(step != Overload::none);
  }

  const RelayConfig config;
  base::SpoolBudget spool;
  base::Log* const access_log;  // nullptr: off
  base::Log* events = nullptr;  // what happens, for an operator; nullptr: nobody is told
  std::string instance;         // our name in Via, unique for this process
  std::array<std::unique_ptr<SlotPool>, routing::kColorsMax> slots;  // by color
  SessionFilter sessions;  // who is in the judge's sample
  std::atomic<int> held{0};            // exchanges that wait for a color, over all workers
  std::atomic<int> mirrors{0};         // under way, over all workers
  std::atomic<Overload> overload{Overload::none};
  std::atomic<bool> lame_duck{false};  // the health page says no
};

}  // namespace relay

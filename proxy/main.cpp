// The sidecar: reads its config, starts the workers and the control plane, and ends when it is
// told to. Wiring only.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <memory>

#include "proxy/base/descriptors.h"
#include "proxy/base/files.h"
#include "proxy/base/log.h"
#include "proxy/base/uv_loop.h"
#include "proxy/config.h"
#include "proxy/relay/workers.h"
#include "shifter/control/control.h"

namespace {

constexpr const char* kVersion = SIDECAR_VERSION;
constexpr base::Millis kMemoryLook{250};

int print_faults(const sidecar::LoadedConfig& loaded) {
  for (const base::ConfigFault& fault : loaded.faults) {
    std::fprintf(stderr, "%s\n", fault.text().c_str());
  }
  return loaded.faults.empty() ? 0 : 2;
}

int fail(base::Log& log, std::string_view what, const base::Error& error) {
  log.event(base::Level::error, what, std::move(base::LogLine().add("detail", error.detail)));
  log.flush();
  std::fprintf(stderr, "sidecar: %.*s: %s\n", static_cast<int>(what.size()), what.data(),
               error.detail.c_str());
  return 1;
}

// What the control plane needs to know of the rest of the process.
control::Host host_of(const std::string& path, const sidecar::LoadedConfig& loaded,
                      const std::string& bound) {
  control::Host host;
  auto running = std::make_shared<sidecar::SidecarConfig>(loaded.config);
  host.reload = [path, running] {
    sidecar::LoadedConfig fresh = sidecar::load_config(path);
    control::ReloadedConfig reloaded;
    for (const base::ConfigFault& fault : fresh.faults) reloaded.faults.push_back(fault.text());
    reloaded.needs_restart = sidecar::needs_restart(*running, fresh.config);
    reloaded.control = fresh.config.control;
    reloaded.routing = fresh.config.routing;
    reloaded.hash = fresh.hash;
    reloaded.policy_failed = fresh.policy_failed;
    reloaded.taken = [running, taken = fresh.config] { sidecar::take_over(*running, taken); };
    return reloaded;
  };
  host.describe_config = [running] { return sidecar::describe_config(*running); };
  host.listening = [bound] { return std::vector<std::string>{bound}; };
  host.config_hash = loaded.hash;
  host.version = kVersion;
  return host;
}

// Listening sockets that were there before this process.
struct Sockets {
  std::optional<control::Inheritance> inherited;  // from the process that is replaced
  std::vector<base::Descriptor> listening;        // from a supervisor
};

// The whole life of the daemon. Ends when a signal has emptied it, or at once on a second one.
class Daemon {
 public:
  Daemon(std::string path, const sidecar::LoadedConfig& loaded, base::Log& log,
         base::Log* access_log, Sockets sockets)
      : path_(std::move(path)),
        sockets_(std::move(sockets)),
        loaded_(loaded),
        log_(log),
        workers_(loaded.config.relay, loop_.share_mailbox(), access_log, &log),
        memory_limit_(loaded.config.relay.memory_max > 0 ? loaded.config.relay.memory_max
                                                         : relay::automatic_memory_limit()),
        memory_look_(loop_.timers(), this, base::fires<&Daemon::look_at_memory>),
        lame_duck_(loop_.timers(), this, base::fires<&Daemon::stop_accepting>),
        finish_(loop_.timers(), this, base::fires<&Daemon::stop_now>) {}

  int run() {
    bound_ = std::make_shared<std::string>();
    control::Host host = host_of(path_, loaded_, "");
    host.listening = [bound = bound_] { return std::vector<std::string>{*bound}; };
    host.listening_sockets = [this] { return workers_.listening(); };
    host.moved = [this] { on_moved(); };
    control_ = std::make_unique<control::Control>(loop_, workers_, loaded_.config.control,
                                                  loaded_.config.routing, log_, std::move(host));
    const bool takes_over = sockets_.inherited.has_value();
    if (takes_over) {
      sockets_.listening = std::move(sockets_.inherited->listening);
      control_->inherit(std::move(*sockets_.inherited));
    }
    if (base::Result<> started = control_->start(); !started) {
      return fail(log_, "start_failed", started.error());
    }
    const base::Result<base::Address> bound = sockets_.listening.empty()
                                                  ? workers_.listen()
                                                  : workers_.serve(std::move(sockets_.listening));
    if (!bound) return fail(log_, "listen_failed", bound.error());
    if (takes_over) {
      if (base::Result<> taken = control_->take_over(); !taken) {
        return fail(log_, "take_over_failed", taken.error());
      }
    }
    base::tell_supervisor("READY=1\nMAINPID=" + std::to_string(::getpid()));
    *bound_ = bound->text();
    base::LogLine line;
    line.add("address", bound->text()).add("workers", workers_.count()).add("version", kVersion);
    if (auto metrics = control_->metrics_bound()) line.add("metrics", metrics->text());
    log_.event(base::Level::info, "listening", std::move(line));
    for (int number : {SIGTERM, SIGINT}) {
      loop_.on_signal(number, [this](int) { on_stop_signal(); });
    }
    loop_.on_signal(SIGHUP, [this](int) {
      log_.reopen();
      control_->reopen_logs();
      if (const base::Result<> renewed = control_->renew_tls(); !renewed) {
        base::LogLine why;
        why.add("detail", renewed.error().detail);
        log_.event(base::Level::error, "certificate_kept", std::move(why));
      }
    });
    look_at_memory();
    loop_.run();
    control_.reset();
    return 0;
  }

 private:
  void look_at_memory() {
    memory_look_.start(kMemoryLook);
    const base::Result<int64_t> resident = relay::resident_bytes();
    if (!resident) return;
    const relay::Overload next = relay::next_overload(overload_, *resident, memory_limit_);
    if (next == std::exchange(overload_, next)) return;
    workers_.set_overload(next);
    base::LogLine line;
    line.add("step", static_cast<int>(next)).add("resident_bytes", *resident);
    line.add("limit_bytes", memory_limit_);
    log_.event(base::Level::warning, "overload", std::move(line));
  }
  // Another process serves: what is left here ends by itself, or by a stop.
  void on_moved() {
    const relay::RelayConfig& relay = loaded_.config.relay;
    workers_.hand_over(relay.upgrade_idle, relay.upgrade_grace, [this] { stop_now(); });
  }
  void on_stop_signal() {
    if (std::exchange(leaving_, true)) {
      stop_now();
      return;
    }
    workers_.begin_lame_duck();
    control_->begin_lame_duck();
    lame_duck_.start(loaded_.config.relay.lame_duck);
  }
  void stop_accepting() {
    log_.event(base::Level::info, "stops_accepting");
    finish_.start(loaded_.config.relay.shutdown);
    workers_.leave([this] { stop_now(); });
  }
  void stop_now() {
    if (std::exchange(stopped_, true)) return;
    control_->shut_down();
    log_.event(base::Level::info, "stopped");
    loop_.stop();
  }

  std::string path_;
  Sockets sockets_;
  const sidecar::LoadedConfig& loaded_;
  base::Log& log_;
  base::UvLoop loop_;
  relay::Workers workers_;
  std::unique_ptr<control::Control> control_;
  std::shared_ptr<std::string> bound_;
  const int64_t memory_limit_;
  relay::Overload overload_ = relay::Overload::none;
  base::Timer memory_look_;
  base::Timer lame_duck_;
  base::Timer finish_;
  bool leaving_ = false;
  bool stopped_ = false;
};

int run_daemon(const std::string& path, const sidecar::LoadedConfig& loaded, bool takeover) {
  std::signal(SIGPIPE, SIG_IGN);
  base::raise_file_limit();
  base::Result<std::unique_ptr<base::Log>> log = base::Log::open(loaded.config.control.log);
  if (!log) {
    std::fprintf(stderr, "sidecar: log: %s\n", log.error().detail.c_str());
    return 1;
  }
  std::unique_ptr<base::Log> access_log;
  if (loaded.config.relay.access_log != "off") {
    base::Result<std::unique_ptr<base::Log>> opened =
        base::Log::open(loaded.config.relay.access_log);
    if (!opened) return fail(**log, "access_log", opened.error());
    access_log = std::move(*opened);
  }
  Sockets sockets;
  sockets.listening = base::activated_sockets();
  if (takeover) {
    auto inherited =
        control::take_over(loaded.config.control.admin.socket, [&](const std::string& why) {
          (*log)->event(base::Level::info, "waits_to_take_over",
                        std::move(base::LogLine().add("detail", why)));
        });
    if (!inherited) return fail(**log, "take_over_failed", inherited.error());
    sockets.inherited = std::move(*inherited);
  }
  return Daemon(path, loaded, **log, access_log.get(), std::move(sockets)).run();
}

}  // namespace

int main(int count, char** words) {
  CLI::App app{"Splits users between two colors of Odoo, counts what is in flight, drains."};
  std::string path = "/etc/sidecar/sidecar.yaml";
  bool check = false;
  bool takeover = false;
  app.add_option("--config", path, "the configuration file")->capture_default_str();
  app.add_flag("--check", check, "read the configuration, print every fault, exit 0 or 2");
  app.add_flag("--takeover", takeover,
               "take over from the running process without a gap; start as usual if none runs");
  app.set_version_flag("--version", kVersion);
  try {
    app.parse(count, words);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? 0 : 2;
  }
  const sidecar::LoadedConfig loaded = sidecar::load_config(path);
  if (const int code = print_faults(loaded); code != 0) return code;
  if (check) {
    std::printf("%s: no faults\n", path.c_str());
    return 0;
  }
  return run_daemon(path, loaded, takeover);
}

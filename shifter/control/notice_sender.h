// Sends notices out: a webhook by HTTP, and the agent's command `notify`. This process starts no
// programs itself. At most eight webhooks are under way; what fails is counted, never sent again.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <string>

#include "proxy/base/resolver.h"
#include "proxy/base/uv_loop.h"
#include "proxy/http/client.h"
#include "shifter/control/actions.h"
#include "shifter/control/events.h"
#include "shifter/control/notifier.h"
#include "shifter/control/rollout_config.h"

namespace control {

class NoticeSender final : public Notifier {
 public:
  static constexpr size_t kUnderWayMax = 8;

  NoticeSender(base::UvLoop& loop, base::Resolver& resolver, Events& events,
               std::function<const NotifyConfig&()> config, std::function<Actions&()> actions)
      : loop_(loop),
        resolver_(resolver),
        events_(events),
        config_(std::move(config)),
        actions_(std::move(actions)) {}

  void notify(const Notice& notice) override;
  int64_t failures() const override { return failures_; }
  size_t under_way() const { return sends_.size(); }

 private:
  struct Send {
    http::ClientRequest request;
    std::unique_ptr<http::Client> client;
    bool over = false;
  };
  void send(const std::string& webhook, const Notice& notice);
  void connect(Send& send, const base::Address& to);
  void end(Send& send, const std::string& fault);
  void fail(const std::string& fault);

  base::UvLoop& loop_;
  base::Resolver& resolver_;
  Events& events_;
  std::function<const NotifyConfig&()> config_;
  std::function<Actions&()> actions_;
  std::list<std::shared_ptr<Send>> sends_;
  int64_t failures_ = 0;
};

}  // namespace control

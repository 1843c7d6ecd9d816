#include "shifter/control/notice_sender.h"

#include <utility>

namespace control {
namespace {

using base::LogLine;

constexpr std::string_view kScheme = "http://";

struct Target {
  base::HostPort host;
  std::string named;  // with its port
  std::string authority;
  std::string path;
};

base::Result<Target> target_of(std::string_view webhook) {
  webhook.remove_prefix(std::min(webhook.size(), kScheme.size()));
  const size_t slash = std::min(webhook.find('/'), webhook.size());
  Target target;
  target.authority = webhook.substr(0, slash);
  target.path = slash < webhook.size() ? webhook.substr(slash) : std::string_view("/");
  target.named = target.authority;
  if (target.named.find(':') == std::string::npos) target.named += ":80";
  auto host = base::parse_host_port(target.named);
  if (!host) return tl::unexpected(host.error());
  target.host = *std::move(host);
  return target;
}

std::string body_of(const Notice& notice) {
  LogLine line;
  line.add("kind", notice.kind).add("summary", notice.summary).add_raw("rollout", notice.json);
  return json_of(line);
}

}  // namespace

void NoticeSender::notify(const Notice& notice) {
  const NotifyConfig& config = config_();
  if (config.exec && !actions_().has_agent()) {
    fail("no agent is there to run the command notify");
  } else if (config.exec) {
    ActionAsk ask;
    ask.kind = ActionKind::custom;
    ask.color = notice.color;
    ask.arguments["hook"] = "notify";
    ask.arguments["kind"] = notice.kind;
    ask.arguments["summary"] = notice.summary;
    ask.deadline = config.timeout;
    (void)actions_().ask(std::move(ask));
  }
  if (!config.webhook.empty()) send(config.webhook, notice);
}

void NoticeSender::send(const std::string& webhook, const Notice& notice) {
  sends_.remove_if([](const auto& one) { return one->over; });
  if (sends_.size() >= kUnderWayMax) return fail("too many notices are under way");
  auto target = target_of(webhook);
  if (!target) return fail(target.error().detail);
  auto send = std::make_shared<Send>();
  send->request.host = target->authority;
  send->request.path = target->path;
  send->request.deadline = config_().timeout;
  send->request.json = body_of(notice);
  sends_.push_back(send);
  if (const auto literal = base::parse_address(target->named)) return connect(*send, *literal);
  const std::weak_ptr<Send> waiting = send;
  resolver_.resolve(target->host.host, [this, waiting, port = target->host.port](auto answer) {
    const auto found = waiting.lock();
    if (!found) return;
    if (!answer) return end(*found, answer.error().detail);
    base::Address to = answer->front();
    to.port = port;
    connect(*found, to);
  });
}

void NoticeSender::connect(Send& send, const base::Address& to) {
  send.request.to = to;
  send.client = std::make_unique<http::Client>(
      loop_, send.request, [this, &send](base::Result<http::ClientAnswer> answer) {
        if (!answer) return end(send, answer.error().detail);
        const bool taken = answer->status >= 200 && answer->status < 300;
        end(send, taken ? "" : "it was answered " + std::to_string(answer->status));
      });
}

// Its client is dropped with the next notice: this may run under its callback.
void NoticeSender::end(Send& send, const std::string& fault) {
  send.over = true;
  if (!fault.empty()) fail(fault);
}

void NoticeSender::fail(const std::string& fault) {
  ++failures_;
  events_.add(base::Level::error, "notice_failed", LogLine().add("detail", fault));
}

}  // namespace control

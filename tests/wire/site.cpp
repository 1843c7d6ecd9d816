#include "tests/wire/site.h"

#include "tests/wire/read_watch.h"

namespace wire {
namespace {

harness::SidecarSetup sidecar_setup(const SiteSetup& setup, const Recorder& recorder) {
  harness::SidecarSetup result;
  result.colors = {recorder.as_color(setup.slots)};
  result.colors.front().reuse = setup.reuse;
  result.keys = setup.keys;
  return result;
}

}  // namespace

std::string Seen::statuses() const {
  std::string text;
  for (const Message& one : answers.whole) {
    text += (text.empty() ? "" : " ") + std::to_string(one.status());
  }
  return text;
}

const Message& Seen::answer(size_t at) const {
  if (at >= answers.whole.size()) throw harness::Failure("no such answer: " + visible(received));
  return answers.whole[at];
}

const Message& Seen::request(size_t at) const {
  if (at >= requests.size()) throw harness::Failure("the backend got no such request");
  return requests[at];
}

Site::Site(SiteSetup setup) : sidecar_(sidecar_setup(setup, recorder_)) {
  sidecar_.wait_until_up({"blue"});
}

std::string Site::new_client(Script script) {
  const std::string client = loopback_address(++clients_);
  if (!script.pieces.empty() || script.resets) recorder_.set_script(client, std::move(script));
  return client;
}

Seen Site::talk(const std::string& bytes, Script script, const std::vector<bool>& heads) {
  return talk(std::vector{bytes}, std::move(script), heads);
}

Seen Site::talk(const std::vector<std::string>& pieces, Script script,
                const std::vector<bool>& heads) {
  const std::string client = new_client(std::move(script));
  harness::Socket socket = connect_from(client, port());
  send_one_by_one(socket, pieces);
  socket.finish();
  Seen seen;
  int got = 1;
  while (got > 0) {
    got = socket.receive(seen.received, 65536, harness::Millis{20'000} * harness::kSlowness);
  }
  if (got == -2) throw harness::Failure("no end; so far: " + visible(seen.received));
  seen.answers = read_answers(seen.received, heads, true);
  look_at_backend(client, seen);
  return seen;
}

void Site::look_at_backend(const std::string& client, Seen& seen) {
  harness::await("nothing to be in flight",
                 [this] { return sidecar_.scrape().sum("odoo_active_requests") == 0; });
  recorder_.settle();
  seen.records = recorder_.records_of(client, 0);
  for (const std::string& raw : seen.records) {
    Message message;
    const std::string fault = read_forwarded(raw, message);
    if (!fault.empty()) seen.faults.push_back(fault);
    seen.requests.push_back(std::move(message));
  }
}

std::string raw_case(const std::string& id) {
  for (const RawCase& one : read_corpus()) {
    if (one.id == id) return one.bytes;
  }
  throw harness::Failure("no raw case " + id);
}

}  // namespace wire

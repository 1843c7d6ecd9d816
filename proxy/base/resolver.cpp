#include "proxy/base/resolver.h"

#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <thread>

#include "proxy/base/mailbox.h"
#include "proxy/base/socket_address.h"
#include "proxy/base/uv_loop.h"

namespace base {
namespace {

constexpr size_t kWaitingMax = 256;

Result<std::vector<Address>> look_up(const std::string& name) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(name.c_str(), nullptr, &hints, &found);
  if (error != 0) {
    return fail(ErrorCode::not_found, Side::proxy, "resolve " + name + ": " + gai_strerror(error));
  }
  std::vector<Address> addresses;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    SocketAddress from;
    std::memcpy(&from.storage, one->ai_addr, one->ai_addrlen);
    from.size = one->ai_addrlen;
    const Address address = to_address(from);
    if (std::find(addresses.begin(), addresses.end(), address) == addresses.end()) {
      addresses.push_back(address);
    }
  }
  freeaddrinfo(found);
  if (addresses.empty()) {
    return fail(ErrorCode::not_found, Side::proxy, "resolve " + name + ": no address");
  }
  return addresses;
}

}  // namespace

struct Resolver::Shared {
  struct Question {
    std::string name;
    Done done;
  };
  std::mutex mutex;
  std::condition_variable wake;
  std::deque<Question> questions;
  bool stopping = false;  // the resolver is gone; its callbacks must not be called
  std::shared_ptr<Mailbox> mailbox;

  static void run(const std::shared_ptr<Shared>& shared);
  static void answer(const std::shared_ptr<Shared>& shared, Done done,
                     Result<std::vector<Address>> result);
};

// On the loop's thread, unless the resolver has gone meanwhile.
void Resolver::Shared::answer(const std::shared_ptr<Shared>& shared, Done done,
                              Result<std::vector<Address>> result) {
  shared->mailbox->post([shared, done = std::move(done), result = std::move(result)] {
    {
      std::lock_guard lock(shared->mutex);
      if (shared->stopping) return;
    }
    done(result);
  });
}

void Resolver::Shared::run(const std::shared_ptr<Shared>& shared) {
  for (;;) {
    Question question;
    {
      std::unique_lock lock(shared->mutex);
      shared->wake.wait(lock, [&] { return shared->stopping || !shared->questions.empty(); });
      if (shared->stopping) return;
      question = std::move(shared->questions.front());
      shared->questions.pop_front();
    }
    answer(shared, std::move(question.done), look_up(question.name));
  }
}

Resolver::Resolver(UvLoop& loop) : shared_(std::make_shared<Shared>()) {
  shared_->mailbox = loop.share_mailbox();
  std::thread([shared = shared_] { Shared::run(shared); }).detach();
}

Resolver::~Resolver() {
  std::lock_guard lock(shared_->mutex);
  shared_->stopping = true;
  shared_->questions.clear();
  shared_->wake.notify_all();
}

void Resolver::resolve(const std::string& name, Done done) {
  {
    std::lock_guard lock(shared_->mutex);
    if (shared_->questions.size() < kWaitingMax) {
      shared_->questions.push_back({name, std::move(done)});
      shared_->wake.notify_one();
      return;
    }
  }
  Shared::answer(shared_, std::move(done),
                 fail(ErrorCode::io_failed, Side::proxy, "too many names wait to be resolved"));
}

}  // namespace base

#include "proxy/relay/workers.h"

#include <algorithm>
#include <array>
#include <future>
#include <thread>

#include "proxy/base/check.h"
#include "proxy/base/mac.h"
#include "proxy/base/socket.h"
#include "proxy/base/uv_loop.h"
#include "proxy/relay/worker.h"

namespace relay {
namespace {

std::string unique_name() {
  std::array<uint8_t, 6> bytes{};
  base::random_bytes(bytes);
  std::string name = "sidecar-";
  for (uint8_t byte : bytes) {
    name += "0123456789abcdef"[byte >> 4];
    name += "0123456789abcdef"[byte & 0xf];
  }
  return name;
}

}  // namespace

struct Workers::Thread {
  base::UvLoop loop;
  std::thread thread;
};

Workers::Workers(const RelayConfig& config, std::shared_ptr<base::Mailbox> main,
                 base::Log* access_log, base::Log* events)
    : at_(config.listen), plane_(config, std::move(main), unique_name(), access_log, events) {
  const auto cores = static_cast<int>(std::thread::hardware_concurrency());
  const int count = config.workers > 0 ? config.workers : std::clamp(cores, 1, 64);
  for (int i = 0; i < count; ++i) {
    threads_.push_back(std::make_unique<Thread>());
    base::UvLoop& loop = threads_.back()->loop;
    plane_.add_worker(loop, loop.mailbox());
  }
  for (auto& thread : threads_) {
    thread->thread = std::thread([raw = thread.get()] { raw->loop.run(); });
  }
}

Workers::~Workers() {
  for (size_t i = 0; i < threads_.size(); ++i) {
    base::UvLoop& loop = threads_[i]->loop;
    loop.mailbox().post([this, &loop, i] {
      plane_.end_worker(i);
      loop.stop();
    });
  }
  for (auto& thread : threads_) thread->thread.join();
}

base::Result<base::Address> Workers::listen() {
  base::Address at = at_;
  for (size_t i = 0; i < threads_.size(); ++i) {
    std::promise<base::Result<base::Address>> bound;
    threads_[i]->loop.mailbox().post([&] { bound.set_value(plane_.worker(i).listen(at)); });
    base::Result<base::Address> result = bound.get_future().get();
    if (!result) return result;
    at = *result;
  }
  return at;
}

base::Result<base::Address> Workers::serve(std::vector<base::Descriptor> sockets) {
  CHECK(!sockets.empty());
  const size_t given = sockets.size();
  for (size_t i = given; i < threads_.size(); ++i) {
    base::Result<base::Descriptor> another = sockets[i % given].duplicate();
    if (!another) return base::fail(another.error());
    sockets.push_back(std::move(*another));
  }
  base::Result<base::Address> at = at_;
  for (size_t i = 0; i < sockets.size() && at; ++i) {
    const size_t index = i % threads_.size();
    base::UvLoop& loop = threads_[index]->loop;
    std::promise<base::Result<base::Address>> bound;
    loop.mailbox().post([&] {
      Worker& worker = plane_.worker(index);
      auto listener = loop.adopt_listener(sockets[i].release(), worker.acceptor());
      if (!listener) return bound.set_value(base::fail(listener.error()));
      const base::Address address = (*listener)->bound();
      worker.serve(std::move(*listener));
      bound.set_value(address);
    });
    at = bound.get_future().get();
  }
  return at;
}

std::vector<int> Workers::listening() {
  std::vector<int> all;
  for (size_t i = 0; i < threads_.size(); ++i) {
    std::promise<std::vector<int>> found;
    threads_[i]->loop.mailbox().post([&] {
      std::vector<int> own;
      for (const auto& one : plane_.worker(i).listeners()) own.push_back(base::descriptor_of(*one));
      found.set_value(std::move(own));
    });
    for (const int descriptor : found.get_future().get()) all.push_back(descriptor);
  }
  return all;
}

}  // namespace relay

// Host names to addresses, off the loop: getaddrinfo on a thread of its own. A name server that
// hangs stops nothing but the answers; the thread is left to itself when this object goes.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "proxy/base/address.h"
#include "proxy/base/result.h"

namespace base {

class UvLoop;

class Resolver {
 public:
  // Port 0 in every address; at least one, each once, in the order of the answer.
  using Done = std::function<void(Result<std::vector<Address>>)>;
  explicit Resolver(UvLoop& loop);
  ~Resolver();  // answers that are still to come are dropped

  // `done` is called later, on the loop. At most 256 names may wait: then it is io_failed.
  void resolve(const std::string& name, Done done);

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;
};

}  // namespace base

// Why something was not done, in words that a client may read.
#pragma once

#include <string>
#include <vector>

#include "proxy/base/result.h"

namespace f29 {

struct Refusal {
  int status = 500;
  std::string code;                 // stable: "period_closed"
  std::string message;              // one sentence
  std::vector<std::string> faults;  // what is wrong with what was given, one line each
};

template <class T = void>
using Outcome = tl::expected<T, Refusal>;

inline tl::unexpected<Refusal> refuse(int status, std::string code, std::string message,
                                      std::vector<std::string> faults = {}) {
  return tl::unexpected<Refusal>(
      Refusal{status, std::move(code), std::move(message), std::move(faults)});
}
inline tl::unexpected<Refusal> refuse(Refusal refusal) {
  return tl::unexpected<Refusal>(std::move(refusal));
}

// An error of the store or of Odoo as a client may see it: no text of a database or a server.
Refusal refusal_of(const base::Error& error);

}  // namespace f29

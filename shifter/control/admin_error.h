// Why a command was not done, as the admin socket says it: a code from a closed set, a sentence,
// and the argument that is meant.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace control {

enum class AdminCode {
  usage,             // not the grammar, or a value out of range
  conflict,          // another actor was faster (`if-epoch`)
  refused,           // a rule
  state_unwritable,  // the state file could not be saved; nothing was changed
  bad_config,        // the config file has a fault
  not_found,
  forbidden,  // this uid may not command
  busy,       // too many clients
  shutting_down,
  moved,  // another process takes over: it answers on the same path soon
};
std::string_view text_of(AdminCode code);

struct AdminError {
  AdminCode code = AdminCode::usage;
  std::string message;
  std::string field;  // may be empty
};

template <class T>
using Answer = tl::expected<T, AdminError>;

inline tl::unexpected<AdminError> deny(AdminCode code, std::string field, std::string message) {
  return tl::unexpected<AdminError>(AdminError{code, std::move(message), std::move(field)});
}

// By a rule, whoever asks.
inline tl::unexpected<AdminError> refuse(std::string message, std::string field = {}) {
  return deny(AdminCode::refused, std::move(field), std::move(message));
}

// {"ok":false,"error":{"code":…,"message":…,"field":…}}, without a line feed.
std::string error_json(const AdminError& error);

}  // namespace control

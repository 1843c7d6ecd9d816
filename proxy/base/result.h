// Result<T>: a value or an Error. Never ignored.
#pragma once

#include <tl/expected.hpp>

#include "proxy/base/error.h"

namespace base {

template <class T = void>
using Result = tl::expected<T, Error>;

inline tl::unexpected<Error> fail(ErrorCode code, Side side, std::string detail = {}) {
  return tl::unexpected<Error>(Error{code, side, std::move(detail)});
}
inline tl::unexpected<Error> fail(Error error) { return tl::unexpected<Error>(std::move(error)); }

}  // namespace base

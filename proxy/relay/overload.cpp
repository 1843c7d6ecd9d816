#include "proxy/relay/overload.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>

#include "proxy/base/files.h"

namespace relay {
namespace {

constexpr size_t kFileMax = 4 << 10;

// The first number of a file; nothing: no such file, or a word ("max").
std::optional<int64_t> number_in(const std::string& path, int skip = 0) {
  const base::Result<std::string> text = base::read_file(path, kFileMax);
  if (!text) return std::nullopt;
  std::string_view rest = *text;
  for (; skip > 0; --skip) {
    const size_t space = rest.find(' ');
    if (space == std::string_view::npos) return std::nullopt;
    rest.remove_prefix(space + 1);
  }
  int64_t value = 0;
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
  if (error != std::errc() || value <= 0) return std::nullopt;
  return value;
}

}  // namespace

Overload next_overload(Overload now, int64_t resident_bytes, int64_t limit_bytes) {
  const auto from = [&](int64_t percent) { return resident_bytes >= limit_bytes / 100 * percent; };
  if (from(now == Overload::no_accepts ? 90 : 95)) return Overload::no_accepts;
  if (from(now == Overload::none ? 80 : 75)) return Overload::spools_to_disk;
  return Overload::none;
}

base::Result<int64_t> resident_bytes() {
  const std::optional<int64_t> pages = number_in("/proc/self/statm", 1);
  if (!pages)
    return base::fail(base::ErrorCode::internal, base::Side::proxy, "no /proc/self/statm");
  return *pages * ::sysconf(_SC_PAGESIZE);
}

int64_t automatic_memory_limit() {
  int64_t bytes = int64_t{::sysconf(_SC_PHYS_PAGES)} * ::sysconf(_SC_PAGESIZE);
  for (const char* file :
       {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
    bytes = std::min(bytes, number_in(file).value_or(bytes));
  }
  return bytes / 5 * 4;
}

}  // namespace relay

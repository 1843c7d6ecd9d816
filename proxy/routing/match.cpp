#include "proxy/routing/match.h"

#include <array>

namespace routing {
namespace {

// Which encoded bytes count as a slash in the copy. A backend may decode one and not the other.
struct Slashes {
  bool slash = false;      // %2f
  bool backslash = false;  // %5c
};

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// The byte that "%XY" at `at` stands for, or -1.
int encoded_byte(std::string_view path, size_t at) {
  if (path[at] != '%' || path.size() - at < 3) return -1;
  const int high = hex_digit(path[at + 1]);
  const int low = hex_digit(path[at + 2]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

// Drops the last segment of `out`, which ends in its slash: "/a/b/" → "/a/"; "/" stays.
void drop_segment(std::string& out) {
  if (out.size() <= 1) return;
  out.pop_back();
  out.resize(out.rfind('/') + 1);
}

// The segment since the last slash of `out` is complete: "." and ".." are resolved. True if it was
// one of them; `out` then ends in the slash before.
bool resolve_dots(std::string& out) {
  const size_t slash = out.rfind('/');
  const std::string_view segment = std::string_view(out).substr(slash + 1);
  if (segment == ".") {
    out.resize(slash + 1);
    return true;
  }
  if (segment == "..") {
    out.resize(slash + 1);
    drop_segment(out);
    return true;
  }
  return false;
}

void normalise(std::string_view path, Slashes slashes, std::string& out) {
  out.clear();
  out.push_back('/');
  for (size_t i = 0; i < path.size(); ++i) {
    char c = path[i];
    bool is_slash = c == '/';
    size_t length = 1;
    const int byte = c == '%' ? encoded_byte(path, i) : -1;
    if (byte == '/' || byte == '\\') {
      is_slash = byte == '/' ? slashes.slash : slashes.backslash;
      if (!is_slash) {
        out.append(path.substr(i, 3));
        i += 2;
        continue;
      }
      length = 3;
    } else if (byte >= 0) {
      c = static_cast<char>(byte);
      length = 3;
    }
    i += length - 1;
    if (!is_slash) {
      out.push_back(c);
    } else if (out.back() != '/' && !resolve_dots(out)) {
      out.push_back('/');
    }
  }
  resolve_dots(out);
}

// Nothing to decode, merge or resolve. A dot that begins a segment is looked at closely elsewhere.
bool is_normal(std::string_view path) {
  char before = 0;
  for (char c : path) {
    if (c == '%' || (before == '/' && (c == '/' || c == '.'))) return false;
    before = c;
  }
  return true;
}

bool has_encoded_slash(std::string_view path) {
  for (size_t i = path.find('%'); i != std::string_view::npos; i = path.find('%', i + 1)) {
    const int byte = encoded_byte(path, i);
    if (byte == '/' || byte == '\\') return true;
  }
  return false;
}

bool is_under(std::string_view path, std::string_view prefix) {
  if (!path.starts_with(prefix)) return false;
  return path.size() == prefix.size() || prefix.back() == '/' || path[prefix.size()] == '/';
}

const Route* first_match(const RoutingTable& table, std::string_view normal) {
  for (const Route& route : table.routes) {
    for (const std::string& prefix : route.prefixes) {
      if (!prefix.empty() && is_under(normal, prefix)) return &route;
    }
  }
  return nullptr;
}

bool hides_access_rule(const RoutingTable& table, std::string_view path, std::string& scratch) {
  constexpr std::array<Slashes, 3> kReadings = {Slashes{true, true}, Slashes{true, false},
                                                Slashes{false, true}};
  for (const Slashes& reading : kReadings) {
    normalise(path, reading, scratch);
    const Route* route = first_match(table, scratch);
    if (route != nullptr && route->has_access_rule()) return true;
  }
  return false;
}

}  // namespace

void normalise_path(std::string_view path, bool encoded_slash_is_slash, std::string& out) {
  normalise(path, {encoded_slash_is_slash, encoded_slash_is_slash}, out);
}

Match match_route(const RoutingTable& table, std::string_view path, std::string& scratch) {
  if (path == "*") path = "/";  // OPTIONS * is about the server as a whole
  if (!path.starts_with('/')) return {};
  if (is_normal(path)) return {Match::Result::route, first_match(table, path)};
  if (has_encoded_slash(path) && hides_access_rule(table, path, scratch)) {
    return {Match::Result::ambiguous, nullptr};
  }
  normalise(path, {}, scratch);
  return {Match::Result::route, first_match(table, scratch)};
}

bool is_allowed(const Route& route, const base::Address& client) {
  if (route.deny_all) return false;
  if (route.allow.empty()) return true;
  for (const base::Cidr& block : route.allow) {
    if (block.contains(client)) return true;
  }
  return false;
}

}  // namespace routing

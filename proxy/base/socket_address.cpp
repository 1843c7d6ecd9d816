#include "proxy/base/socket_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <cstring>

namespace base {

SocketAddress to_socket_address(const Address& address) {
  SocketAddress result;
  if (address.is_v4()) {
    auto* v4 = reinterpret_cast<sockaddr_in*>(&result.storage);
    v4->sin_family = AF_INET;
    v4->sin_port = htons(address.port);
    std::memcpy(&v4->sin_addr, address.ip.data() + 12, 4);
    result.size = sizeof *v4;
  } else {
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&result.storage);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(address.port);
    std::memcpy(&v6->sin6_addr, address.ip.data(), 16);
    result.size = sizeof *v6;
  }
  return result;
}

Result<SocketAddress> to_socket_address(const std::string& unix_path) {
  SocketAddress result;
  auto* un = reinterpret_cast<sockaddr_un*>(&result.storage);
  if (unix_path.empty() || unix_path.size() >= sizeof un->sun_path) {
    return fail(ErrorCode::bad_input, Side::proxy,
                "\"" + unix_path + "\": the path of a socket has 1 to 107 bytes");
  }
  un->sun_family = AF_UNIX;
  std::memcpy(un->sun_path, unix_path.c_str(), unix_path.size() + 1);
  result.size = sizeof *un;
  return result;
}

Address to_address(const SocketAddress& from) {
  Address address;
  if (from.family() == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(&from.storage);
    address.port = ntohs(v4->sin_port);
    address.ip[10] = address.ip[11] = 0xff;
    std::memcpy(address.ip.data() + 12, &v4->sin_addr, 4);
  } else if (from.family() == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&from.storage);
    address.port = ntohs(v6->sin6_port);
    std::memcpy(address.ip.data(), &v6->sin6_addr, 16);
  }
  return address;
}

}  // namespace base

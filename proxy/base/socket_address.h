// Address and file name to and from the kernel's socket addresses.
#pragma once

#include <sys/socket.h>

#include <string>

#include "proxy/base/address.h"

namespace base {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = sizeof(sockaddr_storage);
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  int family() const { return storage.ss_family; }
};

SocketAddress to_socket_address(const Address& address);
// Needs: shorter than the kernel's 108 bytes, else bad_input.
Result<SocketAddress> to_socket_address(const std::string& unix_path);
// All zeros for families other than IPv4 and IPv6.
Address to_address(const SocketAddress& from);

}  // namespace base

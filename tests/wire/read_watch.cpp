#include "tests/wire/read_watch.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

namespace wire {
namespace {

constexpr harness::Millis kPatience{50};  // a peer that has enough does not read on

struct Question {
  nlmsghdr header;
  inet_diag_req_v2 request;
};

}  // namespace

ReadWatch::ReadWatch()
    : descriptor_(::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG)) {}

ReadWatch::~ReadWatch() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void ReadWatch::await(const harness::Socket& socket) {
  const harness::Deadline deadline(kPatience);
  do {
    ::sched_yield();
  } while (works() && unread_at_peer(socket) > 0 && !deadline.passed());
}

long ReadWatch::unread_at_peer(const harness::Socket& socket) {
  sockaddr_in here{};
  sockaddr_in there{};
  socklen_t size = sizeof here;
  ::getsockname(socket.descriptor(), reinterpret_cast<sockaddr*>(&here), &size);
  ::getpeername(socket.descriptor(), reinterpret_cast<sockaddr*>(&there), &size);
  Question question{};
  question.header.nlmsg_len = sizeof question;
  question.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  question.header.nlmsg_flags = NLM_F_REQUEST;
  question.request.sdiag_family = AF_INET;
  question.request.sdiag_protocol = IPPROTO_TCP;
  question.request.idiag_states = ~0U;
  inet_diag_sockid& id = question.request.id;  // as the peer sees it
  id.idiag_sport = there.sin_port;
  id.idiag_dport = here.sin_port;
  id.idiag_src[0] = there.sin_addr.s_addr;
  id.idiag_dst[0] = here.sin_addr.s_addr;
  id.idiag_cookie[0] = id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
  if (::send(descriptor_, &question, sizeof question, 0) < 0) return -1;
  alignas(nlmsghdr) char answer[8192];
  const ssize_t got = ::recv(descriptor_, answer, sizeof answer, 0);
  nlmsghdr header{};
  inet_diag_msg message{};
  if (got < static_cast<ssize_t>(NLMSG_HDRLEN + sizeof message)) return -1;
  std::memcpy(&header, answer, sizeof header);
  if (header.nlmsg_type != SOCK_DIAG_BY_FAMILY) return -1;
  std::memcpy(&message, answer + NLMSG_HDRLEN, sizeof message);
  return static_cast<long>(message.idiag_rqueue);
}

bool send_one_by_one(harness::Socket& socket, const std::vector<std::string>& pieces) {
  thread_local ReadWatch watch;
  for (const std::string& piece : pieces) {
    if (piece.empty()) continue;
    if (!socket.send(piece)) return false;
    if (pieces.size() > 1) watch.await(socket);
  }
  return true;
}

}  // namespace wire

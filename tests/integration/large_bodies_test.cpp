// Bodies far larger than the memory that the sidecar may take, and a disk that is full. Hashes are
// taken piece by piece, so that the test itself stays small. 256 MiB each way here; `./dev large`
// runs the same with LARGE_BODY_BYTES at 2 GiB and prints what it took.
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <sstream>

#include "tests/integration/harness/gatekeeper.h"
#include "tests/integration/harness/scripted_backend.h"
#include "tests/integration/harness/sidecar_process.h"

namespace {

using namespace harness;

constexpr size_t kPiece = 64 << 10;

size_t large_bytes() {
  const char* asked = std::getenv("LARGE_BODY_BYTES");
  return asked != nullptr ? std::strtoull(asked, nullptr, 10) : size_t{256} << 20;
}

// Depends on every byte and on its place.
class Hash {
 public:
  void add(std::string_view bytes) {
    for (; bytes.size() >= 8; bytes.remove_prefix(8)) {
      uint64_t word = 0;
      std::memcpy(&word, bytes.data(), 8);
      mix(word);
    }
    for (const char byte : bytes) mix(static_cast<unsigned char>(byte));
  }
  uint64_t value() const { return value_; }

 private:
  void mix(uint64_t word) {
    value_ = (value_ ^ word) * 0x9e3779b97f4a7c15u;
    value_ ^= value_ >> 29;
  }
  uint64_t value_ = 1;
};

// The pieces of a body of so many bytes, no two alike; false from `send` ends it.
template <class Send>
uint64_t make_body(size_t bytes, Send send) {
  Hash hash;
  std::string piece(kPiece, 0);
  uint64_t word = bytes;
  for (size_t at = 0; at < bytes; at += kPiece) {
    for (size_t i = 0; i < kPiece; i += 8) {
      word += 0x9e3779b97f4a7c15u;
      std::memcpy(piece.data() + i, &word, 8);
    }
    const std::string_view part = std::string_view(piece).substr(0, std::min(kPiece, bytes - at));
    hash.add(part);
    if (!send(part)) break;
  }
  return hash.value();
}

uint64_t hash_of(size_t bytes) {
  return make_body(bytes, [](std::string_view) { return true; });
}

// What a peer or client sends of a body, hashed as it comes; 0: it was cut short.
uint64_t read_hash(size_t bytes, const std::function<std::string(size_t)>& read) {
  Hash hash;
  for (size_t left = bytes; left > 0;) {
    const std::string piece = read(std::min(left, kPiece));
    if (piece.empty()) return 0;
    hash.add(piece);
    left -= piece.size();
  }
  return hash.value();
}

size_t length_in(const std::string& head) {
  const size_t at = head.find("Content-Length: ");
  return at == std::string::npos ? 0 : std::strtoull(head.c_str() + at + 16, nullptr, 10);
}

// Answers an upload with the hash of what came.
void answer_hash(Peer& peer, const std::string& head) {
  const uint64_t hash =
      read_hash(length_in(head), [&](size_t most) { return peer.read_body(most); });
  peer.send_last(plain_answer(200, std::to_string(hash)));
}

void answer_body(Peer& peer, size_t bytes) {
  peer.send("HTTP/1.0 200 OK\r\nConnection: close\r\nContent-Length: " + std::to_string(bytes) +
            "\r\n\r\n");
  make_body(bytes,
            [&](std::string_view piece) { return peer.socket().send(piece, Millis{120'000}); });
}

std::string head_of_post(const std::string& target, size_t bytes) {
  return "POST " + target + " HTTP/1.1\r\nHost: t\r\nContent-Length: " + std::to_string(bytes) +
         "\r\n\r\n";
}

// Sends as much as is taken: who is refused in the middle is told so and closed.
uint64_t upload(RawClient& client, const std::string& target, size_t bytes) {
  client.send(head_of_post(target, bytes));
  return make_body(bytes, [&](std::string_view piece) {
    return client.socket().send(piece, Millis{120'000});
  });
}

std::string read_head(RawClient& client) {
  std::string head;
  while (head.find("\r\n\r\n") == std::string::npos) head += client.read_exactly(1);
  return head;
}

// KiB, the most that the process ever held.
long high_water_kib(pid_t pid) {
  const std::string text = read_text("/proc/" + std::to_string(pid) + "/status");
  const size_t at = text.find("VmHWM:");
  return at == std::string::npos ? -1 : std::atol(text.c_str() + at + 6);
}

SidecarSetup setup_of(const std::string& address, const std::string& spool) {
  SidecarSetup setup;
  setup.colors = {{"blue", 1, {address}, {address}, "8", false}};
  setup.keys["limits"] = "{ body: 8GiB }";
  setup.keys["spool"] = spool;
  setup.keys["timeouts"] = "{ send_idle: 600s }";
  return setup;
}


TEST(LargeBodiesAlone, AreCarriedWholeBothWaysInLittleMemory) {
  const size_t bytes = large_bytes();
  struct statvfs disk {};
  const TempFolder spool;
  ASSERT_EQ(::statvfs(spool.path().c_str(), &disk), 0);
  ASSERT_GE(disk.f_bavail * disk.f_frsize, bytes + (size_t{256} << 20))
      << "not enough room in " << spool.path();
  std::atomic<bool> sent{false};
  const ScriptedBackend backend([&](Peer& peer, const std::string& head) {
    if (head.rfind("POST", 0) == 0) return answer_hash(peer, head);
    answer_body(peer, bytes);
    sent = true;
  });
  SidecarSetup setup = setup_of(backend.address(), "{ dir: " + spool.path() +
                                                       ", memory: 16MiB, disk: 8GiB, min_free: "
                                                       "16MiB, answer_max: 8GiB }");
  SidecarProcess sidecar(setup);
  sidecar.wait_until_up({"blue"});
  const auto began = SteadyClock::now();

  RawClient client(sidecar.port(), Millis{120'000});
  const uint64_t sent_hash = upload(client, "/up", bytes);
  const Answer answer = client.read_answer();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, std::to_string(sent_hash));

  // Nothing is read until the backend has given everything: the answer waits on disk.
  RawClient reader(sidecar.port(), Millis{120'000});
  reader.send("GET /down HTTP/1.1\r\nHost: t\r\n\r\n");
  await("the backend to be done with its answer", [&] { return sent.load(); }, Millis{120'000});
  EXPECT_EQ(length_in(read_head(reader)), bytes);
  EXPECT_EQ(read_hash(bytes, [&](size_t most) { return reader.read_exactly(most); }),
            hash_of(bytes));

  const std::chrono::duration<double> took = SteadyClock::now() - began;
  const long high_water = high_water_kib(sidecar.pid());
  std::cout << (bytes >> 20) << " MiB up and down: " << took.count() << " s, VmHWM "
            << high_water / 1024 << " MiB\n";
  if (kSlowness == 1) {  // sanitizers keep what was freed
    EXPECT_LE(high_water, 256 << 10);
    // What does not depend on the size must not need the whole of it.
    EXPECT_LE(high_water, 96 << 10);
  }
  await("nothing to be in flight",
        [&] { return sidecar.scrape().sum("odoo_active_requests") == 0; });
}

// A file system of so many MiB at the folder, seen by this thread and its children only. Empty, or
// why not.
std::string mount_small_disk(const std::string& folder, int mib) {
  const auto failed = [](const char* what) {
    return std::string(what) + ": " + std::strerror(errno);
  };
  if (::unshare(CLONE_NEWNS) != 0) return failed("a mount namespace of our own");
  if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return failed("private");
  const std::string size = "size=" + std::to_string(mib) + "m";
  if (::mount("tmpfs", folder.c_str(), "tmpfs", 0, size.c_str()) != 0) return failed("tmpfs");
  return "";
}

size_t free_mib(const std::string& folder) {
  struct statvfs disk {};
  ::statvfs(folder.c_str(), &disk);
  return disk.f_bavail * disk.f_frsize >> 20;
}

// min_free is 0: the limit is the kernel's own ENOSPC. Who may not mount gets a limit of ours.
TEST(LargeBodies, AFullDiskRefusesOneUploadLosesNothingElseAndRecovers) {
  constexpr size_t kHeld = size_t{8} << 20, kTooMuch = size_t{32} << 20;
  const TempFolder spool;
  const std::string fault = mount_small_disk(spool.path(), 24);
  if (!fault.empty()) std::cout << "a limit instead of a small disk: " << fault << "\n";
  Gatekeeper gate;
  const ScriptedBackend backend([&](Peer& peer, const std::string& head) {
    if (head.rfind("POST /held", 0) == 0) gate.wait_for_turn();
    if (head.rfind("POST", 0) == 0) return answer_hash(peer, head);
    if (head.rfind("GET /large", 0) == 0) return answer_body(peer, kTooMuch);
    peer.send_last(plain_answer(200, "ok"));
  });
  SidecarProcess sidecar(setup_of(backend.address(), "{ dir: " + spool.path() +
                                                         ", memory: 1MiB, min_free: 0, disk: " +
                                                         (fault.empty() ? "1GiB" : "24MiB") +
                                                         ", memory_each: 64KiB }"));
  sidecar.wait_until_up({"blue"});
  const auto on_disk_mib = [&] {
    return sidecar.scrape().sum("sidecar_spool_disk_bytes") / (1 << 20);
  };

  RawClient held(sidecar.port(), Millis{60'000});
  const uint64_t held_hash = upload(held, "/held", kHeld);
  await("the held upload to be at the backend", [&] { return backend.heads().size() == 1; });
  EXPECT_GE(on_disk_mib(), 3) << "what the sockets do not hold waits on the disk";

  RawClient refused(sidecar.port(), Millis{60'000});
  upload(refused, "/refused", kTooMuch);
  EXPECT_EQ(refused.read_answer().status, 503);
  EXPECT_EQ(get(sidecar.port(), "/while-full").status, 200);

  // An answer larger than the disk to a client that does not read yet: the backend is slowed down.
  RawClient slow(sidecar.port(), Millis{60'000}, 4096);
  slow.send("GET /large HTTP/1.1\r\nHost: t\r\n\r\n");
  await("the disk to be full", [&] { return on_disk_mib() >= 23; });
  if (fault.empty()) {
    EXPECT_LE(free_mib(spool.path()), 1u);
  }
  RawClient second(sidecar.port(), Millis{60'000});
  upload(second, "/refused", size_t{4} << 20);
  EXPECT_EQ(second.read_answer().status, 503);
  EXPECT_EQ(get(sidecar.port(), "/while-full").status, 200);
  EXPECT_EQ(length_in(read_head(slow)), kTooMuch);
  EXPECT_EQ(read_hash(kTooMuch, [&](size_t most) { return slow.read_exactly(most); }),
            hash_of(kTooMuch));

  gate.open();
  const Answer answer = held.read_answer();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, std::to_string(held_hash)) << "it waited on the full disk, whole";

  await("the disk to be free again", [&] { return on_disk_mib() == 0; });
  RawClient after(sidecar.port(), Millis{60'000});
  const uint64_t after_hash = upload(after, "/after", kHeld * 2);
  EXPECT_EQ(after.read_answer().body, std::to_string(after_hash));
  await("nothing to be in flight",
        [&] { return sidecar.scrape().sum("odoo_active_requests") == 0; });
}

}  // namespace

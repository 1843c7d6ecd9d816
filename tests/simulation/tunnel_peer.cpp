#include "tests/simulation/tunnel_peer.h"

#include <algorithm>

namespace simulation {

TunnelPeer::TunnelPeer(World& world, SimLoop& loop, Request& request, bool is_client,
                       SimStream& stream, bool may_break, std::function<void(bool)> end)
    : world_(world),
      loop_(loop),
      request_(request),
      is_client_(is_client),
      stream_(stream),
      end_(std::move(end)),
      frames_left_(static_cast<int>(world.random.below(8))),
      gap_(world.some(std::chrono::seconds(3))) {
  Random& random = world.random;
  const auto roll = random.below(10);
  ending_ = roll < 4 ? Ending::close_frame : roll < 6 ? Ending::fin : Ending::waits;
  if (may_break && random.percent(30)) ending_ = Ending::reset;
  leaves_frame_open_ = may_break && random.percent(10);
  if (world.mood.read_max > 1'000 && random.percent(8)) {  // as much as it can
    pours_ = true;
    frames_left_ = 12;
    gap_ = std::chrono::milliseconds(2);
  }
  pauses_ = random.percent(20);
}

void TunnelPeer::start() {
  loop_.after(world_.some(gap_), [this] { talk(); });
}

void TunnelPeer::talk() {
  if (over_ || mine().finished || mine().close_sent) return;
  if (stream_.pending() > 0) {
    loop_.after(gap_ / 4 + nanoseconds(1'000'000), [this] { talk(); });
    return;
  }
  if (frames_left_-- > 0) {
    say_frame();
    loop_.after(world_.some(gap_), [this] { talk(); });
    return;
  }
  finish_ending();
}

std::string make_frame(World& world, Request& request, bool is_client, int opcode, size_t size) {
  TunnelSide& side = is_client ? request.client_side : request.backend_side;
  std::string frame;
  frame += static_cast<char>(0x80 | opcode);
  const char mask_bit = static_cast<char>(is_client ? 0x80 : 0);
  if (size < 126) {
    frame += static_cast<char>(mask_bit | static_cast<char>(size));
  } else if (size < 65'536) {
    frame += static_cast<char>(mask_bit | 126);
    frame += static_cast<char>(size >> 8);
    frame += static_cast<char>(size & 0xff);
  } else {
    frame += static_cast<char>(mask_bit | 127);
    for (int shift = 56; shift >= 0; shift -= 8) frame += static_cast<char>(size >> shift);
  }
  std::array<char, 4> key{};
  if (is_client) {
    for (char& byte : key) frame += byte = static_cast<char>(world.random.next());
  }
  const size_t at = frame.size();
  append_pattern(request.id, is_client ? Salt::to_backend : Salt::to_client, side.payload_sent,
                 size, frame);
  if (is_client) {
    for (size_t i = at; i < frame.size(); ++i) frame[i] ^= key[(i - at) % 4];
  }
  side.payload_sent += size;
  return frame;
}

void TunnelPeer::say_frame() {
  Random& random = world_.random;
  constexpr std::array<int, 4> kOpcodes = {1, 2, 9, 10};
  const int opcode = kOpcodes[random.below(kOpcodes.size())];
  size_t size = random.skewed(300);
  if (opcode >= 8) size = std::min<size_t>(size, 125);
  const bool large = pours_ || (world_.mood.read_max > 64 && random.percent(5));
  if (opcode < 8 && large) size = 70'000;
  std::string frame = make_frame(world_, request_, is_client_, opcode, size);
  if (leaves_frame_open_ && frames_left_ == 0 && frame.size() > 2) {
    frame.resize(random.size_between(1, frame.size() - 1));
    mine().broken = true;
    ending_ = Ending::waits;
  }
  stream_.write(frame);
}

void TunnelPeer::say_close(int code) {
  if (mine().close_sent || mine().finished || mine().broken) return;
  std::string frame = "\x88";
  frame += static_cast<char>(is_client_ ? 0x82 : 0x02);
  if (is_client_) frame.append(4, '\0');
  frame += static_cast<char>(code >> 8);
  frame += static_cast<char>(code & 0xff);
  mine().close_sent = true;
  stream_.write(frame);
}

void TunnelPeer::finish_ending() {
  switch (ending_) {
    case Ending::close_frame:
      say_close(1000);
      // Whoever gets no answer goes after a while.
      loop_.after(std::chrono::seconds(5), [this] { hang_up(); });
      return;
    case Ending::fin:
      if (mine().finished) return;
      finish_sending();
      loop_.after(std::chrono::seconds(30), [this] { hang_up(); });
      return;
    case Ending::reset:
      mine().broken = true;
      over_ = true;
      end_(true);
      return;
    case Ending::waits:  // until the other side, the proxy or its idle deadline ends it
      return;
  }
}

// The other side hears of it soon after the last byte, unless it went first.
void TunnelPeer::finish_sending() {
  mine().finished = true;
  stream_.finish_writing();
  expect_end();
}

void TunnelPeer::expect_end() {
  const uint64_t got = theirs().payload_got;
  loop_.after(std::chrono::seconds(9), [this, got] {
    if (!request_.complete) return;  // the user does not read
    if (theirs().over || theirs().broken || theirs().finished || mine().broken) return;
    if (theirs().payload_got != got) return expect_end();
    world_.fail("r%u: the end of the %s was not passed on", request_.id,
                is_client_ ? "client" : "backend");
  });
}

void TunnelPeer::hang_up() {
  if (over_) return;
  over_ = true;
  if (!mine().finished) mine().broken = true;  // the other side may still talk
  end_(false);
}

void TunnelPeer::on_bytes(std::string_view bytes) {
  const Salt salt = is_client_ ? Salt::to_client : Salt::to_backend;
  if (pauses_ && world_.random.percent(30)) {
    pauses_ = false;
    stream_.pause_reading();
    loop_.after(world_.some(std::chrono::seconds(4)), [this] {
      if (!over_) stream_.resume_reading();
    });
  }
  while (!bytes.empty()) {
    if (mine().close_got || mine().goodbye_got) {
      world_.fail("r%u: bytes behind a close frame", request_.id);
    }
    if (left_ == 0 && length_ == 0) {
      header_ += bytes.front();
      bytes.remove_prefix(1);
      take_frame_header();
      continue;
    }
    const size_t take = static_cast<size_t>(std::min<uint64_t>(left_, bytes.size()));
    std::string piece(bytes.substr(0, take));
    if (masked_) {
      const uint64_t done = length_ - left_;
      for (size_t i = 0; i < piece.size(); ++i) {
        piece[i] = static_cast<char>(piece[i] ^ static_cast<char>(mask_[(done + i) % 4]));
      }
    }
    bytes.remove_prefix(take);
    left_ -= take;
    if (opcode_ == 8) {
      control_ += piece;
    } else {
      if (find_wrong(request_.id, salt, mine().payload_got, piece) != std::string_view::npos) {
        world_.fail("r%u: a wrong byte in a frame behind %llu", request_.id,
                    static_cast<unsigned long long>(mine().payload_got));
      }
      mine().payload_got += piece.size();
    }
    if (left_ == 0) {
      length_ = 0;
      if (opcode_ == 8) {
        take_close();
        if (over_) return;
      }
    }
  }
}

void TunnelPeer::take_frame_header() {
  if (header_.size() < 2) return;
  const auto byte = [this](size_t i) { return static_cast<uint8_t>(header_[i]); };
  masked_ = (byte(1) & 0x80) != 0;
  const size_t code = byte(1) & 0x7f;
  const size_t extended = code == 126 ? 2 : code == 127 ? 8 : 0;
  if (header_.size() < 2 + extended + (masked_ ? 4 : 0)) return;
  opcode_ = byte(0) & 0x0f;
  if (masked_ == is_client_) world_.fail("r%u: a frame is masked the wrong way", request_.id);
  if ((byte(0) & 0x70) != 0 || (opcode_ != 1 && opcode_ != 2 && opcode_ < 8)) {
    world_.fail("r%u: a frame that nobody said: 0x%02x", request_.id, byte(0));
  }
  length_ = extended == 0 ? code : 0;
  for (size_t i = 0; i < extended; ++i) length_ = length_ << 8 | byte(2 + i);
  if (masked_) {
    for (size_t i = 0; i < 4; ++i) mask_[i] = byte(2 + extended + i);
  }
  left_ = length_;
  header_.clear();
  control_.clear();
  if (length_ == 0 && opcode_ == 8) take_close();
}

void TunnelPeer::take_close() {
  const int code = control_.size() >= 2
                       ? static_cast<uint8_t>(control_[0]) << 8 | static_cast<uint8_t>(control_[1])
                       : 0;
  if (code == 1012 || code == 1001) {
    mine().goodbye_got = true;
  } else if (theirs().close_sent) {
    mine().close_got = true;
  } else {
    world_.fail("r%u: a close frame with %d that nobody said", request_.id, code);
  }
  say_close(code == 0 ? 1000 : code);
  if (mine().finished || mine().broken) return;
  finish_sending();
  loop_.after(std::chrono::seconds(20), [this] { hang_up(); });
}

void TunnelPeer::on_end() {
  mine().over = true;
  if (stream_.pending() > 0) mine().broken = true;  // goes with the socket
  const bool excused = world_.cut_ordered || mine().goodbye_got || theirs().broken ||
                       mine().broken || request_.client_side.goodbye_got ||
                       request_.backend_side.goodbye_got;
  const bool said_all = theirs().finished || theirs().close_sent;
  if (!excused && said_all && mine().payload_got != theirs().payload_sent) {
    world_.fail("r%u: the %s got %llu bytes of %llu before the end", request_.id,
                is_client_ ? "client" : "backend",
                static_cast<unsigned long long>(mine().payload_got),
                static_cast<unsigned long long>(theirs().payload_sent));
  }
  if (over_) return;
  if (!mine().finished) finish_sending();
  over_ = true;
  // What is still under way gets there before the socket goes.
  end_(false);
}

void TunnelPeer::on_broken() {
  mine().over = true;
  mine().broken = true;
  if (over_) return;
  over_ = true;
  end_(false);
}

}  // namespace simulation

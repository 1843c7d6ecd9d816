// Websocket frames as the stand-in needs them: masked ones in, plain ones out, echoed one by one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tests/support/standin/request.h"

namespace standin {

bool is_upgrade(const Request& request);
// 0, or the status that refuses this handshake.
int handshake_fault(const Request& request);
std::string accept_key(std::string_view key);

std::string frame(uint8_t first_byte, std::string_view payload);
std::string close_frame(uint16_t code);
inline constexpr uint8_t kPingFrame = 0x89;

// Takes the whole frames off `in` and appends what is said to them. False: close when that is
// written.
bool take_frames(std::string& in, std::string& out);

}  // namespace standin

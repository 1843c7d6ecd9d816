// Who asked a command of the admin socket, in tests: keeps the one answer, parsed.
#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "shifter/control/admin_server.h"

namespace control {

class JsonReply final : public Reply {
 public:
  explicit JsonReply(uint32_t uid = 0) : caller_{uid, 4711} {}
  const Caller& caller() const override { return caller_; }
  bool is_gone() const override { return gone; }
  void stream(std::string) override {}
  void finish(std::string json) override {
    EXPECT_FALSE(answer.has_value()) << "answered twice";
    answer = nlohmann::json::parse(json);
  }
  bool gone = false;
  std::optional<nlohmann::json> answer;

 private:
  Caller caller_;
};

}  // namespace control

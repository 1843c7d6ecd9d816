// Runs stored inputs, and some mutants of them, through fuzz targets. A broken promise ends the
// process. For test programs: include once, then instantiate FuzzReplay with the targets.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "tests/fuzz/target.h"

namespace fuzz {

inline std::vector<std::string> inputs_of(const FuzzTarget& target) {
  std::vector<std::string> inputs;
  const auto folder = std::filesystem::path(target.corpus) / target.name;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ifstream file(entry.path(), std::ios::binary);
    inputs.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return inputs;
}

inline void run(const FuzzTarget& target, const std::string& input) {
  // A block of exactly that size, so that a read beyond it is seen.
  const std::vector<uint8_t> bytes(input.begin(), input.end());
  target.one(bytes.data(), bytes.size());
}

// Bytes that mean something, or any.
inline char some_byte(std::mt19937& random) {
  constexpr char kTelling[] = "\r\n\t :,;=\"\\/0159afAF_-\x7f\x80\xff";
  if (random() % 4 == 0) return static_cast<char>(random());
  return kTelling[random() % (sizeof kTelling)];
}

inline std::string mutated(std::string input, std::mt19937& random) {
  for (unsigned i = 0; i <= random() % 4; ++i) {
    const size_t at = random() % (input.size() + 1);
    switch (random() % 4) {
      case 0:
        input.insert(at, 1, some_byte(random));
        break;
      case 1:
        input.erase(at, 1 + random() % 3);
        break;
      case 2:
        if (at < input.size()) input[at] = some_byte(random);
        break;
      default:
        input.insert(at, input.substr(random() % (input.size() + 1), random() % 24));
        break;
    }
  }
  return input;
}

inline std::string name_of(const testing::TestParamInfo<FuzzTarget>& target) {
  return target.param.name;
}

}  // namespace fuzz

class FuzzReplay : public testing::TestWithParam<FuzzTarget> {};

TEST_P(FuzzReplay, KeepsItsPromisesOnStoredInputs) {
  const std::vector<std::string> inputs = fuzz::inputs_of(GetParam());
  ASSERT_FALSE(inputs.empty()) << "no corpus";
  for (const std::string& input : inputs) fuzz::run(GetParam(), input);
  fuzz::run(GetParam(), "");
}

TEST_P(FuzzReplay, KeepsItsPromisesOnMutants) {
  const unsigned seed = 7;
  std::printf("seed %u\n", seed);
  std::mt19937 random(seed);
  for (const std::string& input : fuzz::inputs_of(GetParam())) {
    for (int i = 0; i < GetParam().mutants; ++i)
      fuzz::run(GetParam(), fuzz::mutated(input, random));
  }
}

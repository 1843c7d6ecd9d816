#include "tests/fuzz/replay.h"

#include "tests/fuzz/targets.h"

INSTANTIATE_TEST_SUITE_P(Targets, FuzzReplay, testing::ValuesIn(kFuzzTargets), fuzz::name_of);

// The tax service's fuzz targets: see tests/fuzz/target.h.
#pragma once

#include "tests/fuzz/target.h"

int rcv_one(const uint8_t* data, size_t size);
int json_one(const uint8_t* data, size_t size);
int formula_one(const uint8_t* data, size_t size);

inline constexpr const char* kCorpora = "tests/f29/fuzz/corpus";

inline constexpr FuzzTarget kFuzzTargets[] = {
    {kCorpora, "rcv", rcv_one, 20},
    {kCorpora, "json", json_one, 20},
    {kCorpora, "formula", formula_one, 20},
};

// Documents and returns with everything that the store must give back, out of a seed.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "f29svc/domain/document.h"
#include "f29svc/domain/return.h"

namespace f29test {

f29::Document random_document(std::mt19937_64& random);
f29::Return random_return(std::mt19937_64& random);

// Every field as text: equal texts, equal values.
std::string describe(const f29::Document& document);
std::string describe(const f29::Return& tax_return);

}  // namespace f29test

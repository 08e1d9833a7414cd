// What this code computes, as JSON: the numbers that weights must have been trained with, and channels of
// tokens.
#pragma once

#include <string>

namespace mizzle {

// As `mizzle.model.weights.code()`.
std::string settings();

}  // namespace mizzle

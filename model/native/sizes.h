// The sizes of a sample, which say how far each of the other statistics may be trusted.
#pragma once

#include "sample.h"

namespace mizzle {
namespace sizes {

constexpr int LOGS = 3, RATIOS = 3;

// Log n and the logs of the smaller and larger side: the same for all tokens.
void tokens(const Sample&, int count, float* tokens, int stride);

// Sizes as logs and as the ratios that sampling noise depends on.
void pool(const Sample&, float* overall);

}  // namespace sizes
}  // namespace mizzle

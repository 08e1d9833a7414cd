// Dependence of a column on the other side and on its own side.
#pragma once

#include <vector>

#include "moments.h"
#include "sample.h"

namespace mizzle {
namespace columns {

constexpr int CHANNELS = 3 * moments::CROSS + 2 * 2 + 2 * moments::PARTIAL_COUNT + 2 * moments::WITHIN + 2;

// Channels of column tokens: those of X, then those of Y.
void tokens(const Sample&, const Linear&, const Pairs&, const std::vector<float>& binned, float* tokens,
            int stride);

// Total, mean and largest over the columns of both sides.
void pool(const Sample&, const float* tokens, int stride, float* overall);

}  // namespace columns
}  // namespace mizzle

#include "sizes.h"

#include <algorithm>
#include <cmath>

namespace mizzle {
namespace sizes {

void tokens(const Sample& sample, int count, float* tokens, int stride) {
    const float logs[] = {std::log(float(sample.n)), std::log(float(sample.smaller())),
                          std::log(float(sample.larger()))};
    for (int t = 0; t < count; ++t) std::copy_n(logs, LOGS, tokens + t * stride);
}

void pool(const Sample& sample, float* overall) {
    const double n = sample.n, low = sample.smaller(), high = sample.larger();
    const double values[] = {std::log(n),      std::log(low),  std::log(high),
                             (low + high) / n, low * high / n, 1 / n};
    for (double value : values) *overall++ = float(value);
}

}  // namespace sizes
}  // namespace mizzle

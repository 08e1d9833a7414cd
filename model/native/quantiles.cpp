#include "quantiles.h"

#include <algorithm>
#include <cmath>

#include "layers.h"

namespace mizzle {

void increasing(float* raw) {
    float down = 0.0f, up = 0.0f;
    for (int q = MIDDLE - 1; q >= 0; --q) raw[q] = raw[MIDDLE] - (down += softplus(raw[q]));
    for (int q = MIDDLE + 1; q < QUANTILES; ++q) raw[q] = raw[MIDDLE] + (up += softplus(raw[q]));
}

void to_nats(const float* values, const double* ceiling, double* nats) {
    for (int q = 0; q < QUANTILES; ++q)
        nats[q] = std::min(std::expm1(std::max(double(values[q]), 0.0)), ceiling[q]);
}

double posterior_mean(const double* nats) {
    double sum = nats[0] * LEVELS[0] + nats[QUANTILES - 1] * (1.0 - LEVELS[QUANTILES - 1]);
    for (int q = 1; q < QUANTILES; ++q) sum += 0.5 * (nats[q - 1] + nats[q]) * (LEVELS[q] - LEVELS[q - 1]);
    return sum;
}

}  // namespace mizzle

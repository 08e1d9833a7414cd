// The answer's form: quantiles of log(1 + I), increasing by construction, zero where the data say zero.
#pragma once

namespace mizzle {

constexpr int QUANTILES = 25;
constexpr double LEVELS[QUANTILES] = {0.005, 0.01, 0.025, 0.05, 0.1,   0.15, 0.2,  0.25, 0.3,
                                      0.35,  0.4,  0.45,  0.5,  0.55,  0.6,  0.65, 0.7,  0.75,
                                      0.8,   0.85, 0.9,   0.95, 0.975, 0.99, 0.995};
constexpr int MIDDLE = 12;

// Non-decreasing values, in place: the median is free, softplus steps lead away from it on both sides.
void increasing(float* raw);

// From log(1 + I) to I, within 0 and a ceiling a quantile.
void to_nats(const float* values, const double* ceiling, double* nats);

// Posterior mean: the integral of the quantile function, flat beyond the outermost levels.
double posterior_mean(const double* nats);

}  // namespace mizzle

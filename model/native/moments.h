// Second-order statistics of the normal scores and of three functions of them.
//
// Only quantities without a sign leave this file: absolute or squared correlations, spectra, norms.
#pragma once

#include <vector>

#include "functions.h"
#include "sample.h"

namespace mizzle {

namespace moments {
constexpr double RIDGES[] = {0.03, 0.1, 0.3, 1.0, 3.0};
constexpr int NORM_RIDGE = 1;  // index into RIDGES used for the whitened norms of rows
constexpr double PARTIAL_RIDGES[] = {0.1, 1.0};
constexpr int RIDGE_COUNT = 5, PARTIAL_COUNT = 2;
constexpr int CROSS = 6;   // z, z^2, tanh 3z, z^3 - 3z, z with z^2, z^2 with z
constexpr int WITHIN = 2;  // z, z^2
constexpr int TOP = 3;     // canonical correlations that enter the global token by themselves
constexpr int SPECTRA = 2 * RIDGE_COUNT;
}  // namespace moments

// What the joint correlation matrix of the normal scores says; matrices are stored column by column.
struct Linear {
    std::vector<double> canonical;  // canonical correlations [r * smaller + j] at each ridge, falling with j
    std::vector<double> robust;     // the same of rows divided by their whitened length
    std::vector<double> norms;      // whitened squared length of every row, [s * n + row]
    std::vector<double> partial;    // |partial correlations| across, [(p * dy + y) * dx + x]
    std::vector<double> explained;  // share of the variance explained by all others: columns of X, then of Y
    std::vector<double> unit[2];    // standardised columns, [c * n + row]
    std::vector<double> within[2];  // correlations inside a side
    std::vector<double> cross;      // and across, [y * dx + x]
    std::vector<double> whiten[2];  // see canonical.h; at NORM_RIDGE
};

// Absolute correlations of functions of two columns.
struct Pairs {
    std::vector<float> cross;      // [(e * dy + y) * dx + x], e as in moments::CROSS
    std::vector<float> within[2];  // [(e * d + j) * d + i], e as in moments::WITHIN
};

// -1/2 log(1 - r^2): the mutual information in nats of a bivariate normal with correlation r.
float information(float correlation);

Linear linear(const Sample&);
Pairs correlations_of_pairs(const Functions&, const Linear&);

// Log of the whitened squared norm per column of a side, [s * n + row].
std::vector<float> log_norms(const Sample&, const Linear&);

namespace moments {
// Channels of spectrum tokens, and of the global token.
void spectrum(const Sample&, const Linear&, float* tokens, int stride);
void pool_spectrum(const Sample&, const Linear&, float* overall);
void pool_coupling(const Sample&, const Linear&, const std::vector<float>& log_norms, float* overall);
}  // namespace moments

}  // namespace mizzle

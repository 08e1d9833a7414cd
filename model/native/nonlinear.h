// Nonlinear canonical correlations: those of functions of the columns, where columns alone may show little.
//
// Each column enters with functions of two families. The additive ones (Lancaster 1958) undo what pushes one
// column by a curve of another; the radial ones, the column times waves of the length of its row, undo
// rotations that depend on the length. Each family contains the column itself, so where nothing is bent all
// of them say what `moments.h` does, and where they tell more, something is.
#pragma once

#include <vector>

#include "functions.h"
#include "sample.h"

namespace mizzle {

namespace nonlinear {
constexpr int FUNCTIONS = COLUMN_FUNCTIONS;  // of each column
constexpr int WIDE_FUNCTIONS = 2;            // of these, where a side has more than `WIDE` columns
constexpr int WIDE = 8;
constexpr double FUNCTION_RIDGES[] = {0.1, 1.0};  // in units of (functions of x + functions of y) / n
constexpr int FAMILIES = 2, RIDGES = 2;
constexpr int SPECTRA = FAMILIES * RIDGES;
constexpr int SUMS = 4, TOP = 3;  // of each spectrum, in the global token
}  // namespace nonlinear

// Canonical correlations between functions of X and functions of Y, by family and ridge.
struct Nonlinear {
    struct Spectrum {
        std::vector<double> squared;  // corrected for the number of functions, falling
        double excess;                // what their uncorrected sum has beyond its mean under independence
    };
    Spectrum spectra[nonlinear::SPECTRA];  // [family * RIDGES + ridge]
};

Nonlinear nonlinear_correlations(const Functions&);

namespace nonlinear {
// Channels of spectrum tokens: the j-th correlation of each family and ridge, and its nats.
void spectrum(const Sample&, const Nonlinear&, float* tokens, int stride);

// Channels of the global token: nats of all, of as many as there are columns, sums, and the largest.
void pool(const Sample&, const Nonlinear&, float* overall);
}  // namespace nonlinear

}  // namespace mizzle

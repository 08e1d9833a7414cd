// Canonical variates: each side's columns rotated so that the best correlated combinations come first.
//
// They carry dependence that is spread thinly over many columns into a few, where curves and products can be
// looked for as if the problem were small.
#pragma once

#include <vector>

#include "moments.h"
#include "sample.h"

namespace mizzle {

constexpr int VARIATES = 5;  // a side

struct Variates {
    int count;  // VARIATES
    std::vector<double>
        values[2];           // whitened combinations of a side's columns, [v * n + row]; 0 where not used
    std::vector<bool> used;  // which pairs exist: no more than the smaller side has columns, without copies
};

// The first canonical variates of the normal scores, of unit variance (Hotelling 1936).
Variates variates(const Sample&, const Linear&);

// Centred ranks of one variate: rows below minus rows above. It is rounded first, which hides the order of
// summation, so that equal combinations stay equal.
std::vector<Rank> variate_ranks(const double* values, int n);

}  // namespace mizzle

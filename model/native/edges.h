// Edges: the cross pairs of columns that depend most, and pairs of canonical variates, each in fine bins.
//
// What two columns share is a problem of its own, and for one column against one the whole of it. A histogram
// of equally filled bins at several widths tells it as precisely as the sample can: a table of 4 x 4 cells
// has next to no bias and misses what is narrow, one of 32 x 32 misses little and is biased by known amounts.
#pragma once

#include <vector>

#include "bins.h"
#include "moments.h"
#include "sample.h"
#include "variates.h"

namespace mizzle {

// Chosen cross pairs of columns, in falling order of their binned information.
struct Edges {
    std::vector<int> x, y;

    int count() const { return int(x.size()); }
};

namespace edges {

constexpr int EDGES = 12;  // pairs of columns
constexpr int CHANNELS = bins::FINE_COUNT + moments::CROSS + moments::PARTIAL_COUNT + 2;

// The strongest pairs; of equally strong ones those of larger correlations.
Edges strongest(const Sample&, const Linear&, const Pairs&, const std::vector<float>& binned);

// How many tokens there are: pairs of columns, then pairs of variates.
int count(const Edges&, const Variates&);

// A pair's information in fine bins, its correlations, kind and place.
void tokens(const Sample&, const Linear&, const Pairs&, const std::vector<Ends> (&ends)[2], const Edges&,
            const Variates&, float* tokens, int stride);

// Fine information: largest and total over columns, total and largest over variates, first of columns.
void pool(const Edges&, const Variates&, const float* tokens, int stride, float* overall);

}  // namespace edges
}  // namespace mizzle

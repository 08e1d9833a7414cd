// One ranked problem: what every statistic starts from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace mizzle {

using Rank = std::int64_t;

// Axes, here and in all files: s side (0 is X, 1 is Y), n row, c column of a side.
struct Sample {
    int n;                         // rows
    int dims[2];                   // columns of X and of Y, 1 to 64 each; constant ones are left out
    const Rank* ranks[2];          // centred double ranks, column by column: ranks[s][c * n + row]; not owned
    std::vector<float> scores[2];  // normal scores in the same order

    int total() const { return dims[0] + dims[1]; }
    int smaller() const { return dims[0] < dims[1] ? dims[0] : dims[1]; }
    int larger() const { return dims[0] < dims[1] ? dims[1] : dims[0]; }
    const float* score(int s, int c) const { return scores[s].data() + std::size_t(c) * std::size_t(n); }
    const Rank* rank(int s, int c) const { return ranks[s] + std::size_t(c) * std::size_t(n); }
};

// The sample of centred ranks x, shape (dx, n), and y, shape (dy, n), which must outlive it.
Sample make_sample(int n, int dx, int dy, const Rank* x, const Rank* y);

// Phi^-1(1/2 + share / 2), exactly odd in -1 < share < 1.
double normal_score(double share);

}  // namespace mizzle

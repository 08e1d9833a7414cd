#pragma once
// One problem, ranked, in the shape that all statistics start from.

#include <cstddef>
#include <cstdint>
#include <vector>

namespace mizzle {

using Rank = std::int64_t;

struct Sample {                   // constant columns are already left out
    int n;                        // rows
    int dims[2];                  // columns of x and of y, 1..64 each
    const Rank* ranks[2];         // centred double ranks, column by column: ranks[s][c * n + i]
    std::vector<float> scores[2]; // normal scores sqrt(2) erfinv(rank / n), column by column
    int total() const { return dims[0] + dims[1]; }
    const float* score(int s, int c) const { return scores[s].data() + std::size_t(c) * std::size_t(n); }
};

Sample make_sample(int n, int dx, int dy, const Rank* x, const Rank* y);

} // namespace mizzle

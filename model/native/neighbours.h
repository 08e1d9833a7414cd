#pragma once
// Neighbour counts in normal-score space: the ingredients of the KSG estimator, row by row.
//
// Kraskov, Stoegbauer, Grassberger (2004), algorithm 1, with the Euclidean norm inside a side and the larger
// of the two across; where the k-th neighbour lies at distance 0 the counts follow Gao et al. (2017).

#include "windows.h"

namespace mizzle {

constexpr int NEIGHBOURS[] = {1, 3, 10};
constexpr int PLANE = 2;  // pairs of canonical variates among which neighbours are counted
constexpr int NEIGHBOUR_CHANNELS =
    11;  // local information, asymmetry, radius at each k; norms and their asymmetry
constexpr int PLANE_CHANNELS = 3 + 2 * PLANE;

// Per query row and k, k running fastest: local information and the asymmetry of the marginal counts, in
// nats.
struct Neighbours {
    explicit Neighbours(int queries);
    void put(int query, const Terms& terms);
    std::vector<float> local, gap, squared_radius;
};

// k of `NEIGHBOURS`, below n.
struct Ks {
    explicit Ks(int n);
    int k[3];
};

// Neighbours of query rows among at most `DIRECT` columns a side.
Neighbours count_neighbours(const Direct& columns, const std::vector<int>& queries, const double* psi,
                            Windows& windows);

// Channels of query rows, `NEIGHBOUR_CHANNELS` each; `rows` are their rows of the sample, `log_norms` as [s *
// n + i].
std::vector<float> neighbour_channels(const Neighbours& neighbours, const std::vector<int>& rows,
                                      const float* log_norms, int n);

}  // namespace mizzle

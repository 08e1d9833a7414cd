#include "neighbours.h"

#include <algorithm>
#include <cmath>

namespace mizzle {

Neighbours::Neighbours(int queries)
    : local(static_cast<std::size_t>(3 * queries)), gap(local.size()), squared_radius(local.size()) {}

void Neighbours::put(int query, const Terms& terms) {
    for (int i = 0; i < 3; ++i) {
        const auto place = static_cast<std::size_t>(3 * query + i);
        local[place] = static_cast<float>(terms.local[i]);
        gap[place] = static_cast<float>(terms.gap[i]);
        squared_radius[place] = terms.radius[i];
    }
}

Ks::Ks(int n) {
    for (int i = 0; i < 3; ++i) k[i] = std::min(NEIGHBOURS[i], n - 1);
}

Neighbours count_neighbours(const Direct& columns, const std::vector<int>& queries, const double* psi,
                            Windows& windows) {
    Neighbours all(static_cast<int>(queries.size()));
    const Ks ks(columns.n);
    Distances distances(columns.n);
    Nearest nearest;
    for (std::size_t q = 0; q < queries.size(); ++q) {
        const auto among = windows.around(columns, queries[q], ks.k[2]);
        among.rows.measure(among.query, distances);
        nearest.find(distances.joint, ks.k[2], among.places);
        all.put(static_cast<int>(q), local_terms(distances, nearest, ks.k, columns.n, psi));
    }
    return all;
}

std::vector<float> neighbour_channels(const Neighbours& neighbours, const std::vector<int>& rows,
                                      const float* log_norms, int n) {
    std::vector<float> channels;
    channels.reserve(rows.size() * NEIGHBOUR_CHANNELS);
    for (std::size_t q = 0; q < rows.size(); ++q) {
        for (std::size_t i = 3 * q; i < 3 * q + 3; ++i) channels.push_back(neighbours.local[i]);
        for (std::size_t i = 3 * q; i < 3 * q + 3; ++i) channels.push_back(neighbours.gap[i]);
        for (std::size_t i = 3 * q; i < 3 * q + 3; ++i)
            channels.push_back(std::log(std::clamp(neighbours.squared_radius[i], 1e-8f, 1e8f)) / 2);
        const float x = log_norms[rows[q]], y = log_norms[n + rows[q]];
        channels.push_back(x + y);
        channels.push_back(std::fabs(x - y));
    }
    return channels;
}

}  // namespace mizzle

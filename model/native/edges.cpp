#include "edges.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace mizzle {
namespace edges {
namespace {

// Steps to a nat, in which binned information is compared. Rounding errs by some 1e-6 nats and sampling noise
// by more than a thousandth, so a step hides the one and loses nothing to the other.
constexpr double STEPS = 1000;
constexpr double TIE_BREAK = 0.9;  // of a step at the utmost for what decides between equals

void fine_information(const Ends& x, const Ends& y, int n, float* out) {
    BinTable table(x, y, n, bins::FINEST);
    for (int k = 0; k < bins::FINE_COUNT; ++k) {
        if (k) table.coarsen();
        out[k] = float(table.information());
    }
}

// Plain correlations, larger and smaller of the mixed ones, partial ones.
void correlations(const Sample& sample, const Linear& linear, const Pairs& pairs, int place, float* out) {
    const int all = sample.dims[0] * sample.dims[1], mixed = moments::CROSS - 2;
    const auto cross = [&](int e) { return pairs.cross[e * all + place]; };
    for (int e = 0; e < mixed; ++e) out[e] = cross(e);
    out[mixed] = std::max(cross(mixed), cross(mixed + 1));
    out[mixed + 1] = std::min(cross(mixed), cross(mixed + 1));
    for (int p = 0; p < moments::PARTIAL_COUNT; ++p)
        out[moments::CROSS + p] = float(linear.partial[p * all + place]);
}

void label(bool variate, int place, float* token) {
    token[CHANNELS - 2] = variate ? 1.F : 0.F;
    token[CHANNELS - 1] = float(place) / 10;
}

Ends variate_ends(const Variates& variates, int s, int v, int n) {
    return bin_ends(variate_ranks(variates.values[s].data() + std::ptrdiff_t(v) * n, n).data(), n);
}

}  // namespace

Edges strongest(const Sample& sample, const Linear& linear, const Pairs& pairs,
                const std::vector<float>& binned) {
    const int dx = sample.dims[0], all = dx * sample.dims[1], count = std::min(EDGES, all);
    std::vector<double> score(all);
    for (int i = 0; i < all; ++i) {
        const double tie = (double(pairs.cross[i]) + linear.partial[i]) / 2;
        score[i] = std::nearbyint(double(binned[i]) * STEPS) + TIE_BREAK * tie;
    }
    std::vector<int> order(all);
    std::iota(order.begin(), order.end(), 0);
    std::partial_sort(order.begin(), order.begin() + count, order.end(), [&score](int i, int j) {
        return score[i] > score[j] || (score[i] == score[j] && i < j);
    });
    Edges edges;
    for (int k = 0; k < count; ++k) {
        edges.x.push_back(order[k] % dx);
        edges.y.push_back(order[k] / dx);
    }
    return edges;
}

int count(const Edges& edges, const Variates& variates) {
    return edges.count() + int(std::count(variates.used.begin(), variates.used.end(), true));
}

void tokens(const Sample& sample, const Linear& linear, const Pairs& pairs,
            const std::vector<Ends> (&ends)[2], const Edges& edges, const Variates& variates, float* tokens,
            int stride) {
    for (int k = 0; k < edges.count(); ++k, tokens += stride) {
        fine_information(ends[0][edges.x[k]], ends[1][edges.y[k]], sample.n, tokens);
        correlations(sample, linear, pairs, edges.y[k] * sample.dims[0] + edges.x[k],
                     tokens + bins::FINE_COUNT);
        label(false, k, tokens);
    }
    for (int v = 0; v < variates.count; ++v) {
        if (!variates.used[v]) continue;
        std::fill_n(tokens, CHANNELS, 0.F);
        fine_information(variate_ends(variates, 0, v, sample.n), variate_ends(variates, 1, v, sample.n),
                         sample.n, tokens);
        label(true, v, tokens);
        tokens += stride;
    }
}

void pool(const Edges& edges, const Variates& variates, const float* tokens, int stride, float* overall) {
    const int all = count(edges, variates);
    for (int k = 0; k < bins::FINE_COUNT; ++k) {
        double total[2] = {};
        float largest[2] = {};
        for (int t = 0; t < all; ++t) {
            const int kind = t >= edges.count();
            total[kind] += double(tokens[t * stride + k]);
            largest[kind] = std::max(largest[kind], tokens[t * stride + k]);
        }
        const float values[] = {largest[0], float(total[0]), float(total[1]), largest[1], tokens[k]};
        for (int group = 0; group < 5; ++group) overall[group * bins::FINE_COUNT + k] = values[group];
    }
}

}  // namespace edges
}  // namespace mizzle

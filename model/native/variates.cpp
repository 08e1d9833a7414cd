#include "variates.h"

#include <algorithm>
#include <cmath>

#include "algebra.h"
#include "canonical.h"
#include "ranks.h"

namespace mizzle {
namespace {

constexpr double LEAST = 1e-6;       // variance of a variate that exists; copies of a column leave less
constexpr double STEPS = 16777216.;  // 2^24, to a standard deviation, in which variates are compared

// The first left singular vectors of a matrix of d x others, as columns.
std::vector<double> left_vectors(const std::vector<double>& core, int d, int others, int count) {
    std::vector<double> flipped(core.size()), gram(d * d), values(d), vectors(d * d), first;
    transpose(core.data(), d, others, flipped.data());
    own_products(flipped.data(), d, others, gram.data());
    symmetric_eigen(gram.data(), d, values.data(), vectors.data());
    for (int v = 0; v < count; ++v) {
        const double* column = vectors.data() + (d - 1 - v) * d;
        first.insert(first.end(), column, column + d);
    }
    return first;
}

// Combinations of the standardised columns, times sqrt(n); `weights` has a column for each.
std::vector<double> combine(const std::vector<double>& unit, int d, int n, const std::vector<double>& weights,
                            int count) {
    std::vector<double> values(std::size_t(VARIATES) * n);
    multiply(unit.data(), weights.data(), n, d, count, values.data());
    const double scale = std::sqrt(double(n));
    for (double& value : values) value *= scale;
    return values;
}

// Whole steps above the lowest, of every row.
std::vector<Keyed> steps_of(const double* values, int n) {
    std::vector<Keyed> items(n);
    const double lowest = *std::min_element(values, values + n);
    const long long first = std::llrint(lowest * STEPS);
    for (int i = 0; i < n; ++i) {
        const long long steps = std::llrint(values[i] * STEPS) - first;
        items[i] = {std::uint64_t(steps), std::uint32_t(i)};
    }
    return items;
}

}  // namespace

Variates variates(const Sample& sample, const Linear& own) {
    const int n = sample.n, dx = sample.dims[0], dy = sample.dims[1],
              count = std::min(VARIATES, sample.smaller());
    const auto core = whitened(own.whiten[0], dx, own.whiten[1], dy, own.cross);
    std::vector<double> flipped(core.size());
    transpose(core.data(), dx, dy, flipped.data());
    Variates out{VARIATES, {}, std::vector<bool>(VARIATES)};
    for (int s = 0; s < 2; ++s) {
        const int d = sample.dims[s];
        const auto vectors = left_vectors(s ? flipped : core, d, sample.dims[1 - s], count);
        std::vector<double> directions(vectors.size());
        multiply(own.whiten[s].data(), vectors.data(), d, d, count, directions.data());
        out.values[s] = combine(own.unit[s], d, n, directions, count);
    }
    for (int v = 0; v < VARIATES; ++v) {
        double *x = out.values[0].data() + std::ptrdiff_t(v) * n,
               *y = out.values[1].data() + std::ptrdiff_t(v) * n;
        out.used[v] = v < count && std::min(dot(x, x, n), dot(y, y, n)) > LEAST * n;
        if (!out.used[v]) std::fill_n(x, n, 0.0), std::fill_n(y, n, 0.0);
    }
    return out;
}

std::vector<Rank> variate_ranks(const double* values, int n) {
    std::vector<Keyed> items = steps_of(values, n), spare;
    radix_sort(items, spare);
    std::vector<Rank> ranks(n);
    for (int start = 0, end; start < n; start = end) {
        for (end = start + 1; end < n && items[end].key == items[start].key;) ++end;
        for (int i = start; i < end; ++i) ranks[items[i].row] = start + end - n;
    }
    return ranks;
}

}  // namespace mizzle

#include "variates.h"

#include <algorithm>
#include <cmath>

#include "algebra.h"
#include "canonical.h"
#include "queries.h"
#include "ranks.h"

namespace mizzle {
namespace {

constexpr double LEAST = 1e-6;       // variance of a variate that exists; copies of a column leave less
constexpr double STEPS = 16777216.;  // 2^24, to a standard deviation, in which variates are compared
constexpr double TIED = 1e-8;  // difference of squared correlations below which rounding chooses directions
constexpr double LONG = 0.41;  // share of the longest row's squared length, from which on a row may choose

// Left singular vectors of a matrix of d x others, as columns, and their squared singular values, all
// falling.
struct Singular {
    std::vector<double> squared, vectors;
};

Singular left_vectors(const std::vector<double>& core, int d, int others) {
    std::vector<double> flipped(core.size()), gram(d * d), values(d), vectors(d * d);
    transpose(core.data(), d, others, flipped.data());
    own_products(flipped.data(), d, others, gram.data());
    symmetric_eigen(gram.data(), d, values.data(), vectors.data());
    Singular out;
    for (int v = d - 1; v >= 0; --v) {
        out.squared.push_back(values[v]);
        out.vectors.insert(out.vectors.end(), vectors.begin() + v * d, vectors.begin() + (v + 1) * d);
    }
    return out;
}

// Combinations of the standardised columns, times sqrt(n); `weights` has a column for each.
std::vector<double> combine(const std::vector<double>& unit, int d, int n, const std::vector<double>& weights,
                            int count) {
    std::vector<double> values(std::size_t(std::max(VARIATES, count)) * n);
    multiply(unit.data(), weights.data(), n, d, count, values.data());
    const double scale = std::sqrt(double(n));
    for (double& value : values) value *= scale;
    return values;
}

// A basis that does not depend on the one that rows come in: each direction is the first long row's, of what
// earlier directions leave of the rows, which stand in `order`; 0 where they leave nothing.
std::vector<double> chosen_by_rows(std::vector<double> rows, int m, const std::vector<int>& order) {
    const std::size_t n = order.size();
    std::vector<double> basis(std::size_t(m) * m), squared(n), along(n);
    for (double* own = basis.data(); own < basis.data() + std::min(VARIATES, m) * m; own += m) {
        std::fill(squared.begin(), squared.end(), 0.0);
        for (std::size_t at = 0; at < rows.size(); ++at) squared[at % n] += rows[at] * rows[at];
        const double longest = *std::max_element(squared.begin(), squared.end());
        if (longest <= LEAST) break;
        const auto is_long = [&](int i) { return squared[i] > LONG * longest; };
        const int row = *std::find_if(order.begin(), order.end(), is_long);
        for (int c = 0; c < m; ++c) own[c] = rows[c * n + row] / std::sqrt(squared[row]);
        multiply(rows.data(), own, int(n), m, 1, along.data());
        for (std::size_t at = 0; at < rows.size(); ++at) rows[at] -= along[at % n] * own[at / n];
    }
    return basis;
}

// The first `count` directions of a side. Among those that tie rounding would choose: the rows do.
std::vector<double> directions_of(const Sample& sample, const Linear& own, int s, const Singular& singular,
                                  int count) {
    const int d = sample.dims[s];
    std::vector<double> directions(std::size_t(d) * d);
    multiply(own.whiten[s].data(), singular.vectors.data(), d, d, d, directions.data());
    for (int first = 0, last; first < count; first = last) {
        for (last = first + 1; last < d && singular.squared[last - 1] - singular.squared[last] < TIED;) ++last;
        if (last - first == 1) continue;
        const int m = last - first;
        const std::vector<double> tied(directions.begin() + first * d, directions.begin() + last * d);
        std::vector<double> rows = combine(own.unit[s], d, sample.n, tied, m);
        rows.resize(std::size_t(m) * sample.n);
        const auto basis = chosen_by_rows(std::move(rows), m, content_order(sample));
        multiply(tied.data(), basis.data(), d, m, m, directions.data() + first * d);
    }
    directions.resize(std::size_t(count) * d);
    return directions;
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
        const Singular singular = left_vectors(s ? flipped : core, d, sample.dims[1 - s]);
        out.values[s] =
            combine(own.unit[s], d, n, directions_of(sample, own, s, singular, count), count);
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

#include "directions.h"

#include <algorithm>
#include <cmath>

#include "algebra.h"
#include "gram.h"

namespace mizzle {
namespace {

constexpr double LEAST = 1e-12;  // mean variance
constexpr double TELLS =
    1 + 1e-9;  // variance, over that which the other side leaves open, of a direction it tells about

std::size_t size(int rows, int columns) { return std::size_t(rows) * std::size_t(columns); }

// rows of b less what earlier ones explain: L^-1 b, with L lower and column-major, b row by row in whole
// lanes.
void solve_rows(const double* lower, int d, double* b, int width) {
    for (int start = 0; start < width; start += GRAM_COLUMNS)
        for (int i = 0; i < d; ++i) {
            constexpr int BLOCKS = GRAM_COLUMNS / LANES;
            Lanes sums[BLOCKS];
            for (int k = 0; k < BLOCKS; ++k) sums[k] = load(b + size(i, width) + start + k * LANES);
            for (int j = 0; j < i; ++j) {
                const Lanes factor = spread(-lower[size(j, d) + std::size_t(i)]);
                for (int k = 0; k < BLOCKS; ++k)
                    sums[k] = multiply_add(factor, load(b + size(j, width) + start + k * LANES), sums[k]);
            }
            const Lanes inverse = spread(1 / lower[size(i, d) + std::size_t(i)]);
            for (int k = 0; k < BLOCKS; ++k) store(b + size(i, width) + start + k * LANES, sums[k] * inverse);
        }
}

// L'^-1 b of one column.
void solve_transposed(const double* lower, int d, double* b) {
    for (int i = d - 1; i >= 0; --i) {
        for (int j = i + 1; j < d; ++j) b[i] -= lower[size(i, d) + std::size_t(j)] * b[j];
        b[i] /= lower[size(i, d) + std::size_t(i)];
    }
}

// Generalised eigenvectors v of a v = lambda b v with v' b v = 1, largest lambda first: the first `WIDE`,
// column by column, and zero where lambda is 1: the other side tells nothing along all of these, and no few
// of them are the first.
std::vector<double> generalised(std::vector<double> a, std::vector<double> b, int d) {
    std::vector<double> core(size(d, d)), values(static_cast<std::size_t>(d)), vectors(size(d, d));
    cholesky(b.data(), d);
    solve_lower(b.data(), d, a.data(), d);
    for (int i = 0; i < d; ++i)
        for (int j = 0; j < d; ++j) core[size(j, d) + std::size_t(i)] = a[size(i, d) + std::size_t(j)];
    solve_lower(b.data(), d, core.data(), d);
    for (int i = 0; i < d; ++i)
        for (int j = 0; j < i; ++j) {
            double &upper = core[size(i, d) + std::size_t(j)], &lower = core[size(j, d) + std::size_t(i)];
            upper = lower = (upper + lower) / 2;
        }
    symmetric_eigen(core.data(), d, values.data(), vectors.data());
    std::vector<double> first(size(WIDE, d));
    for (int v = 0; v < WIDE && values[std::size_t(d - 1 - v)] > TELLS; ++v) {
        std::copy_n(vectors.begin() + std::ptrdiff_t(size(d - 1 - v, d)), d, first.data() + size(v, d));
        solve_transposed(b.data(), d, first.data() + size(v, d));
    }
    return first;
}

// Combinations of a side's columns, with weights column by column.
void project(const Points& from, int s, const std::vector<double>& weights, Points& to) {
    const int d = from.dims[s], rows = padded(from.n);
    for (int row = 0; row < rows; row += LANES) {
        Lanes sums[WIDE];
        for (Lanes& total : sums) total = spread(0);
        for (int c = 0; c < d; ++c) {
            const Lanes z = load(from.column(s, c) + row);
            for (int v = 0; v < WIDE; ++v)
                sums[v] = multiply_add(spread(weights[size(v, d) + std::size_t(c)]), z, sums[v]);
        }
        for (int v = 0; v < WIDE; ++v) store(to.column(s, v) + row, sums[v]);
    }
}

}  // namespace

LocalCovariances::LocalCovariances(const Points& points)
    : points_(points), width_(gram_width(points.total())), gram_(size(width_, width_)) {
    for (int s = 0; s < 2; ++s)
        if (points.dims[s] > WIDE) {
            varies_[s].resize(size(points.dims[s], points.dims[s]));
            explained_[s].resize(size(gram_width(points.dims[s]), gram_width(points.dims[s])));
        }
}

void LocalCovariances::add(const int* nearest, int k) {
    const int total = points_.total();
    rows_.assign(size(k, width_), 0);
    for (int s = 0; s < 2; ++s)
        for (int c = 0; c < points_.dims[s]; ++c) {
            const double* z = points_.column(s, c);
            double mean = 0, *to = rows_.data() + c + s * points_.dims[0];
            for (int h = 0; h < k; ++h) mean += z[nearest[h]];
            mean /= k;
            for (int h = 0; h < k; ++h) to[size(h, width_)] = z[nearest[h]] - mean;
        }
    std::fill(gram_.begin(), gram_.end(), 0);
    add_gram(rows_.data(), k, total, gram_.data());
    for (double& value : gram_) value /= std::max(k - 1, 1);
    double variance = 0;
    for (int s = 0; s < 2; ++s) {
        const int first = s * points_.dims[0], last = first + points_.dims[s];
        double trace = 0, squares = 0;
        for (int i = first; i < last; ++i) {
            trace += covariance(i, i);
            for (int j = first; j < last; ++j) squares += covariance(i, j) * covariance(i, j);
        }
        log_participation[s] += std::log(participation(trace, squares));
        variance += trace;
    }
    const double scale = 1 / std::max(variance / total, LEAST),
                 ridge = METRIC_RIDGE * variance * scale / total;
    for (int s = 0; s < 2; ++s)
        if (points_.dims[s] > WIDE) add_side(s, scale, ridge + double(TINY));
    ++count;
}

void LocalCovariances::add_side(int s, double scale, double ridge) {
    const int own = points_.dims[s], other = points_.dims[1 - s], width = gram_width(own);
    const int first = s * points_.dims[0], others = (1 - s) * points_.dims[0];
    for (int i = 0; i < own; ++i)
        for (int j = 0; j < own; ++j)
            varies_[s][size(i, own) + std::size_t(j)] +=
                covariance(first + i, first + j) * scale + ridge * (i == j);
    root_.resize(size(other, other));
    half_.assign(size(other, width), 0);
    for (int i = 0; i < other; ++i) {
        for (int j = 0; j < other; ++j)
            root_[size(i, other) + std::size_t(j)] =
                covariance(others + i, others + j) * scale + ridge * (i == j);
        for (int j = 0; j < own; ++j)
            half_[size(i, width) + std::size_t(j)] = covariance(others + i, first + j) * scale;
    }
    cholesky(root_.data(), other);
    solve_rows(root_.data(), other, half_.data(), width);
    add_gram(half_.data(), other, own, explained_[s].data());
}

std::vector<double> LocalCovariances::directions(int s) const {
    const int d = points_.dims[s], width = gram_width(d);
    std::vector<double> varies = varies_[s], open(varies.size());
    for (int i = 0; i < d; ++i)
        for (int j = 0; j < d; ++j) {
            const std::size_t place = size(i, d) + std::size_t(j);
            varies[place] /= count;
            open[place] = varies[place] -
                          explained_[s][size(std::min(i, j), width) + std::size_t(std::max(i, j))] / count;
        }
    return generalised(std::move(varies), std::move(open), d);
}

Points LocalCovariances::projected() const {
    Points to(points_.n, std::min(points_.dims[0], WIDE), std::min(points_.dims[1], WIDE));
    for (int s = 0; s < 2; ++s) {
        if (points_.dims[s] > WIDE)
            project(points_, s, directions(s), to);
        else
            to.values[s] = points_.values[s];
    }
    to.measure_lengths();
    return to;
}

}  // namespace mizzle

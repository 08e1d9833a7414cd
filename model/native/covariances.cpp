#include "covariances.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace mizzle {
namespace {

constexpr int TILE = 4;  // columns whose products with another stay in registers

constexpr int tiles(int columns) { return (columns + TILE - 1) / TILE * TILE; }

// Add the products of column i with `TILE` columns from j on, over rows that are `width` apart.
void add_products(const Lanes* rows, int width, int count, int i, int j, Lanes (&sums)[TILE]) {
    for (int h = 0; h < count; ++h, rows += width) {
        const Lanes own = rows[i];
        for (int t = 0; t < TILE; ++t) sums[t] = multiply_add(own, rows[j + t], sums[t]);
    }
}

// Products of k rows become their covariance.
void centre(LaneMatrix& products, const Lanes* sums, int columns, int k) {
    const Lanes share = spread(1.0 / std::max(k - 1, 1)), mean = spread(-1.0 / k);
    for (int i = 0; i < columns; ++i)
        for (int j = 0; j <= i; ++j)
            products.at(i, j) = multiply_add(sums[i] * mean, sums[j], products.at(i, j)) * share;
}

// a becomes L, and its diagonal the pivots, of a = L diag(pivots) L'; L has ones on its diagonal.
void eliminate(LaneMatrix& a, int columns) {
    Lanes pivots[MOST_JOINT];
    for (int j = 0; j < columns; ++j) {
        const Lanes inverse = spread(1) / a.at(j, j);
        for (int i = j + 1; i < columns; ++i) {
            pivots[i] = a.at(i, j);
            a.at(i, j) = pivots[i] * inverse;
            const Lanes factor = spread(0) - a.at(i, j);
            for (int m = j + 1; m <= i; ++m) a.at(i, m) = multiply_add(factor, pivots[m], a.at(i, m));
        }
    }
}

// A common scale of about 1: only the ratio of metrics matters to who is near, but distances of copies must
// stay rounding.
void rescale(int dx, int dy, Metric& metric) {
    const int dims[] = {dx, dy};
    double trace = 0;
    for (int s = 0; s < 2; ++s)
        for (int i = 0; i < dims[s]; ++i)
            for (int j = 0; j <= i; ++j) trace += std::pow(metric.triangle[s][i * MOST_OWN + j], 2);
    const double scale = std::sqrt((dx + dy) / trace);
    for (int s = 0; s < 2; ++s)
        for (int i = 0; i < dims[s]; ++i)
            for (int j = 0; j <= i; ++j) metric.triangle[s][i * MOST_OWN + j] *= scale;
}

LaneMatrix block(const LaneMatrix& matrix, int first, int columns) {
    LaneMatrix out;
    Lanes* to = out.values;
    for (int i = 0; i < columns; ++i)
        for (int j = 0; j <= i; ++j) *to++ = matrix.at(first + i, first + j);
    return out;
}

Lanes determinant(const LaneMatrix& eliminated, int first, int columns) {
    Lanes product = eliminated.at(first, first);  // of at most 8 pivots of at least 1e-9
    for (int i = first + 1; i < first + columns; ++i) product = product * eliminated.at(i, i);
    return product;
}

// The inverse of L, from column `first` on.
void invert(const LaneMatrix& lower, int first, int columns, LaneMatrix& to) {
    for (int j = 0; j < columns; ++j) {
        to.at(j, j) = spread(1);
        for (int i = j + 1; i < columns; ++i) {
            Lanes sum = lower.at(first + i, first + j);
            for (int m = j + 1; m < i; ++m)
                sum = multiply_add(lower.at(first + i, first + m), to.at(m, j), sum);
            to.at(i, j) = spread(0) - sum;
        }
    }
}

}  // namespace

NeighbourhoodRows::NeighbourhoodRows(const Points& points) : columns_(points.total()) {
    const auto total = static_cast<std::size_t>(columns_);
    rows_.resize(static_cast<std::size_t>(points.n) * total);
    for (int s = 0; s < 2; ++s)
        for (int c = 0; c < points.dims[s]; ++c) {
            const double* z = points.column(s, c);
            double* to = rows_.data() + c + s * points.dims[0];
            for (int i = 0; i < points.n; ++i) to[std::size_t(i) * total] = z[i];
        }
}

void NeighbourhoodRows::collect(const int* const (&nearest)[LANES], int count) {
    const int width = tiles(columns_);
    centred_.resize(static_cast<std::size_t>(count * width), spread(0));
    const auto row = [&](int lane, int h) {
        return rows_.data() + std::size_t(nearest[lane][h]) * std::size_t(columns_);
    };
    for (int lane = 0; lane < LANES; ++lane) {
        const double* origin = row(lane, 0);  // or digits would cancel
        Lanes* to = centred_.data();
        for (int h = 0; h < count; ++h, to += width)
            for (int c = 0; c < columns_; ++c) to[c][lane] = row(lane, h)[c] - origin[c];
    }
}

void NeighbourhoodRows::covariances(const int* k, int sizes, LaneMatrix* to) const {
    const int width = tiles(columns_);
    for (int i = 0; i < columns_; ++i)
        for (int j = 0; j <= i; j += TILE) {
            Lanes products[TILE];
            for (Lanes& product : products) product = spread(0);
            for (int size = 0, start = 0; size < sizes; start = k[size++]) {
                add_products(centred_.data() + start * width, width, k[size] - start, i, j, products);
                for (int t = 0; t < TILE && j + t <= i; ++t) to[size].at(i, j + t) = products[t];
            }
        }
    Lanes sums[MOST_JOINT];
    std::fill_n(sums, columns_, spread(0));
    const Lanes* row = centred_.data();
    for (int size = 0, h = 0; size < sizes; ++size) {
        for (; h < k[size]; ++h, row += width)
            for (int c = 0; c < columns_; ++c) sums[c] = sums[c] + row[c];
        centre(to[size], sums, columns_, k[size]);
    }
}

LaneMatrix with_ridge(const LaneMatrix& covariance, int columns, double ridge) {
    LaneMatrix ridged;
    std::copy_n(covariance.values, triangle(columns, 0), ridged.values);
    Lanes trace = spread(0);
    for (int i = 0; i < columns; ++i) trace = trace + covariance.at(i, i);
    const Lanes added = multiply_add(trace, spread(ridge / columns), spread(double(TINY)));
    for (int i = 0; i < columns; ++i) ridged.at(i, i) = ridged.at(i, i) + added;
    return ridged;
}

Lanes dependence(const LaneMatrix& covariance, int dx, int dy, double ridge) {
    LaneMatrix joint = with_ridge(covariance, dx + dy, ridge), alone = block(joint, dx, dy);
    eliminate(alone, dy);
    eliminate(joint, dx + dy);
    return determinant(alone, 0, dy) / determinant(joint, dx, dy);
}

void metrics(const LaneMatrix& covariance, int dx, int dy, Metric* to) {
    const int total = dx + dy, dims[] = {dx, dy};
    for (int s = 0; s < 2; ++s) {
        const int d = dims[s], others = total - d, first = s ? 0 : dx;  // the other side's columns come first
        LaneMatrix ordered, inverse;
        for (int i = 0; i < total; ++i)
            for (int j = 0; j <= i; ++j)
                ordered.at(i, j) = std::as_const(covariance).at((i + first) % total, (j + first) % total);
        eliminate(ordered, total);
        invert(ordered, others, d, inverse);
        for (int i = 0; i < d; ++i)
            for (int lane = 0; lane < LANES; ++lane) {
                const double scale = 1 / std::sqrt(ordered.at(others + i, others + i)[lane]);
                for (int j = 0; j <= i; ++j)
                    to[lane].triangle[s][i * MOST_OWN + j] = inverse.at(i, j)[lane] * scale;
            }
    }
    for (int lane = 0; lane < LANES; ++lane) rescale(dx, dy, to[lane]);
}

void trace_and_squares(const LaneMatrix& covariance, int first, int columns, Lanes& trace, Lanes& squares) {
    trace = squares = spread(0);
    for (int i = first; i < first + columns; ++i) {
        trace = trace + covariance.at(i, i);
        squares = multiply_add(covariance.at(i, i), covariance.at(i, i), squares);
        for (int j = first; j < i; ++j)
            squares = multiply_add(spread(2) * covariance.at(i, j), covariance.at(i, j), squares);
    }
}

}  // namespace mizzle

#include "points.h"

#include <algorithm>
#include <utility>

#include "lanes.h"

namespace mizzle {
namespace {

// Distances within a side; with those within the second, the larger of both.
void put(int s, int row, const HalfLanes& distances, Distances& to) {
    store(to.side[s].data() + row, distances);
    if (s) store(to.joint.data() + row, larger(distances, load_as<HalfLanes>(to.side[0].data() + row)));
}

// |z_q|^2 - 2 z_q z + |z|^2 of `Q` query rows at once, so that every row is loaded once for all of them.
template <int Q>
void expanded(const Points& points, int s, const int* queries, std::vector<Distances>& to) {
    constexpr int BLOCKS = 2;
    const int d = points.dims[s], rows = padded(points.n);
    const double* lengths = points.lengths[s].data();
    double own[Q];
    std::vector<double> factors(static_cast<std::size_t>(Q * d));
    for (int q = 0; q < Q; ++q) {
        own[q] = lengths[queries[q]];
        for (int c = 0; c < d; ++c) factors[std::size_t(c * Q + q)] = -2 * points.column(s, c)[queries[q]];
    }
    for (int row = 0; row < rows; row += BLOCKS * LANES) {
        Lanes sums[Q][BLOCKS];
        for (int b = 0; b < BLOCKS; ++b) {
            const Lanes length = load(lengths + row + b * LANES);
            for (int q = 0; q < Q; ++q) sums[q][b] = length + spread(own[q]);
        }
        const double* z = points.column(s, 0) + row;
        for (int c = 0; c < d; ++c, z += rows) {
            Lanes values[BLOCKS];
            for (int b = 0; b < BLOCKS; ++b) values[b] = load(z + b * LANES);
            for (int q = 0; q < Q; ++q) {
                const Lanes factor = spread(factors[std::size_t(c * Q + q)]);
                for (int b = 0; b < BLOCKS; ++b) sums[q][b] = multiply_add(factor, values[b], sums[q][b]);
            }
        }
        for (int q = 0; q < Q; ++q)
            for (int b = 0; b < BLOCKS; ++b)
                put(s, row + b * LANES, rounded(larger(sums[q][b], spread(0))), to[std::size_t(q)]);
    }
}

// What column J adds to T z of `B` lanes of rows. Its number is a constant, or compilers keep the sums in
// memory.
template <int J, int D, int B>
void add_column(const double* triangle, const double* z, std::size_t stride, Lanes (&to)[D][B]) {
    Lanes values[B];
    for (int b = 0; b < B; ++b) values[b] = load(z + std::size_t(J) * stride + std::size_t(b * LANES));
    for (int i = J; i < D; ++i) {
        const Lanes factor = spread(triangle[i * MOST_OWN + J]);
        for (int b = 0; b < B; ++b)
            to[i][b] = J ? multiply_add(factor, values[b], to[i][b]) : factor * values[b];
    }
}

// T z, of which copies of the query row give the same up to rounding.
template <int D, int B, int... J>
void transform(std::integer_sequence<int, J...>, const double* triangle, const double* z, std::size_t stride,
               Lanes (&to)[D][B]) {
    (add_column<J>(triangle, z, stride, to), ...);
}

template <int D>
void with_metric(const Points& points, int s, int query, const double* triangle, Distances& to) {
    constexpr int B = LANES == 8 ? 2 : 1;  // what the registers hold
    const std::size_t rows = to.joint.size();
    const double* z = points.column(s, 0);
    double copy[D * LANES];
    for (int i = 0; i < D * LANES; ++i) copy[i] = z[std::size_t(i / LANES) * rows + std::size_t(query)];
    Lanes own[D][1];
    transform(std::make_integer_sequence<int, D>(), triangle, copy, LANES, own);
    for (std::size_t row = 0; row < rows; row += B * LANES) {
        Lanes image[D][B];
        transform(std::make_integer_sequence<int, D>(), triangle, z + row, rows, image);
        for (int b = 0; b < B; ++b) {
            Lanes total = image[0][b] - own[0][0];
            total = total * total;
            for (int j = 1; j < D; ++j) {
                const Lanes apart = image[j][b] - own[j][0];
                total = multiply_add(apart, apart, total);
            }
            put(s, int(row) + b * LANES, rounded(total), to);
        }
    }
    for (Row* row : {&to.side[s], &to.joint}) std::fill(row->begin() + points.n, row->end(), FAR);
}

template <int... D>
void with_metric_of(int d, std::integer_sequence<int, D...>, const Points& points, int s, int query,
                    const double* triangle, Distances& to) {
    (void)((d == D + 1 && (with_metric<D + 1>(points, s, query, triangle, to), true)) || ...);
}

}  // namespace

Points::Points(int rows, int dx, int dy) : dims{dx, dy} { resize(rows); }

void Points::resize(int rows) {
    n = rows;
    for (int s = 0; s < 2; ++s) {
        values[s].assign(std::size_t(dims[s]) * std::size_t(padded(n)), 0);
        lengths[s].assign(std::size_t(padded(n)), 0);
    }
}

void Points::measure_lengths() {
    for (int s = 0; s < 2; ++s) {
        auto& length = lengths[s];
        for (int c = 0; c < dims[s]; ++c)
            for (std::size_t i = 0; i < length.size(); ++i) length[i] += column(s, c)[i] * column(s, c)[i];
        for (std::size_t i = std::size_t(n); i < length.size(); ++i) length[i] = double(FAR);
    }
}

void Points::measure(const int* queries, int count, std::vector<Distances>& to) const {
    for (int q = 0; q < count; ++q) to[std::size_t(q)].resize(n);
    for (int s = 0; s < 2; ++s) {
        if (count == AT_ONCE)
            expanded<AT_ONCE>(*this, s, queries, to);
        else
            for (int q = 0; q < count; ++q) {
                std::swap(to[0], to[std::size_t(q)]);
                expanded<1>(*this, s, queries + q, to);
                std::swap(to[0], to[std::size_t(q)]);
            }
    }
    for (int q = 0; q < count; ++q) to[std::size_t(q)].exclude(queries[q]);
}

void Points::measure(int query, const Metric& metric, Distances& to) const {
    to.resize(n);
    for (int s = 0; s < 2; ++s)
        with_metric_of(dims[s], std::make_integer_sequence<int, MOST_OWN>(), *this, s, query,
                       metric.triangle[s], to);
    to.exclude(query);
}

}  // namespace mizzle

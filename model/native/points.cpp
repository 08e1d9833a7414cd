#include "points.h"

#include "lanes.h"

#include <utility>

namespace mizzle {
namespace {

constexpr float FAR_COLUMN = 1e15f; // whose square is `FAR`

// A side of `Direct`, and where the query row lies in it.
struct Column {
    Column(const Direct& all, int s, int query)
        : first(all.values[s].data()), second(first + (all.dims[s] - 1) * padded(all.n)), own{first[query], second[query]} {}
    // never fused, or equal distances would differ by the order of columns
    template <int D> float squared_distance(std::size_t i) const {
        const float a = own[0] - first[i], b = own[1] - second[i];
        return D == 1 ? a * a : a * a + b * b;
    }

    const float *first, *second;
    float own[2];
};

template <int DX, int DY> void measure_both(const Column& x, const Column& y, Distances& to) {
    float *of_x = to.side[0].data(), *of_y = to.side[1].data(), *joint = to.joint.data();
    for (std::size_t i = 0; i < to.joint.size(); ++i) {
        const float apart_x = x.squared_distance<DX>(i), apart_y = y.squared_distance<DY>(i);
        of_x[i] = apart_x;
        of_y[i] = apart_y;
        joint[i] = apart_x > apart_y ? apart_x : apart_y;
    }
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
                store_single(to[std::size_t(q)].side[s].data() + row + b * LANES, sums[q][b]);
    }
}

// T z, of which copies of the query row give the same to the last bit.
template <int D> void transform(const double* triangle, const double* z, std::size_t stride, Lanes (&to)[D]) {
    for (int j = 0; j < D; ++j) {
        const Lanes value = load(z + std::size_t(j) * stride);
        to[j] = j ? multiply_add(spread(triangle[j * MOST_OWN + j]), value, to[j]) : spread(triangle[0]) * value;
        for (int i = j + 1; i < D; ++i) {
            const Lanes factor = spread(triangle[i * MOST_OWN + j]);
            to[i] = j ? multiply_add(factor, value, to[i]) : factor * value;
        }
    }
}

template <int D>
void with_metric(const Points& points, int s, int query, const double* triangle, Row& to) {
    const std::size_t rows = to.size();
    const double* z = points.column(s, 0);
    Lanes own[D];
    double copy[D * LANES];
    for (int j = 0; j < D; ++j)
        for (int i = 0; i < LANES; ++i) copy[j * LANES + i] = z[std::size_t(j) * rows + std::size_t(query)];
    transform<D>(triangle, copy, LANES, own);
    for (std::size_t row = 0; row < rows; row += LANES) {
        Lanes image[D];
        transform<D>(triangle, z + row, rows, image);
        Lanes total = image[0] - own[0];
        total = total * total;
        for (int j = 1; j < D; ++j) {
            const Lanes apart = image[j] - own[j];
            total = multiply_add(apart, apart, total);
        }
        store_single(&to[row], total);
    }
    for (std::size_t row = std::size_t(points.n); row < rows; ++row) to[row] = FAR;
}

template <int... D>
void with_metric_of(int d, std::integer_sequence<int, D...>, const Points& points, int s, int query,
                    const double* triangle, Row& to) {
    (void)((d == D + 1 && (with_metric<D + 1>(points, s, query, triangle, to), true)) || ...);
}

} // namespace

Direct::Direct(int n, int dx, int dy) : n(n), dims{dx, dy} {
    for (int s = 0; s < 2; ++s) values[s].assign(std::size_t(dims[s]) * std::size_t(padded(n)), FAR_COLUMN);
}

void Direct::measure(int query, Distances& to) const {
    const Column x(*this, 0, query), y(*this, 1, query);
    if (dims[0] == 1 && dims[1] == 1) measure_both<1, 1>(x, y, to);
    if (dims[0] == 1 && dims[1] == 2) measure_both<1, 2>(x, y, to);
    if (dims[0] == 2 && dims[1] == 1) measure_both<2, 1>(x, y, to);
    if (dims[0] == 2 && dims[1] == 2) measure_both<2, 2>(x, y, to);
    to.exclude(query);
}

Points::Points(int n, int dx, int dy) : n(n), dims{dx, dy} {
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
    for (int q = 0; q < count; ++q) {
        to[std::size_t(q)].join();
        to[std::size_t(q)].exclude(queries[q]);
    }
}

void Points::measure(int query, const Metric& metric, Distances& to) const {
    for (int s = 0; s < 2; ++s)
        with_metric_of(dims[s], std::make_integer_sequence<int, MOST_OWN>(), *this, s, query, metric.triangle[s],
                       to.side[s]);
    to.join();
    to.exclude(query);
}

} // namespace mizzle

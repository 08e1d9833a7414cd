#pragma once
// What distances are measured among, and how: rows stand in the order of their content, so that ties among
// distances are broken by what rows hold.

#include "nearest.h"
#include "queries.h"

namespace mizzle {

// Up to two columns a side, in single precision: differences are squared one by one, so that copies come out
// at 0.
struct Direct {
    Direct(int rows, int dx, int dy);
    void resize(int rows);  // to rows that are not set
    float* column(int s, int c) { return values[s].data() + std::size_t(c) * std::size_t(padded(n)); }
    const float* column(int s, int c) const {
        return values[s].data() + std::size_t(c) * std::size_t(padded(n));
    }
    void measure(int query, Distances& to) const;

    int n, dims[2];
    Row values[2];  // column by column; padding lies far away
};

constexpr int DIRECT = 2;    // columns a side up to which this is done
constexpr int AT_ONCE = 4;   // query rows that are measured together
constexpr int MOST_OWN = 8;  // columns a side up to which rows may have a metric of their own

// A metric of one query row: of side s, |T (z - z_q)|^2 with the lower triangle T, of which row i starts at i
// * MOST_OWN.
struct Metric {
    double triangle[2][MOST_OWN * MOST_OWN];
};

// Any number of columns, in double precision: the rounding to single afterwards hides the order of summation,
// and equal rows come out far below the distance of any two different ones.
struct Points {
    Points(int rows, int dx, int dy);
    void resize(int rows);  // to rows that are not set
    double* column(int s, int c) { return values[s].data() + std::size_t(c) * std::size_t(padded(n)); }
    const double* column(int s, int c) const {
        return values[s].data() + std::size_t(c) * std::size_t(padded(n));
    }
    int total() const { return dims[0] + dims[1]; }
    void measure_lengths();  // once all columns are there

    // |z - z_q|^2 of `count` query rows, 1 to `AT_ONCE`.
    void measure(const int* queries, int count, std::vector<Distances>& to) const;
    void measure(int query, const Metric& metric, Distances& to) const;

    int n, dims[2];
    Aligned<double> values[2];   // column by column, 0 on padding
    Aligned<double> lengths[2];  // |z|^2; of padding `FAR`
};

}  // namespace mizzle

#pragma once
// Covariances of neighbourhoods, of as many query rows at once as there are lanes, and what is read from
// them.
//
// Matrices are lower triangles of the columns of x, then of y: row i starts at i (i + 1) / 2.

#include "lanes.h"
#include "points.h"

namespace mizzle {

constexpr int MOST_JOINT = 2 * MOST_OWN;

constexpr int triangle(int i, int j) { return i * (i + 1) / 2 + j; }

struct LaneMatrix {
    Lanes values[triangle(MOST_JOINT, 0)];
    Lanes& at(int i, int j) { return values[triangle(i, j)]; }
    const Lanes& at(int i, int j) const { return i < j ? values[triangle(j, i)] : values[triangle(i, j)]; }
};

// The rows of neighbourhoods, and their covariances.
class NeighbourhoodRows {
public:
    explicit NeighbourhoodRows(const Points& points);

    // Take `count` nearest rows of every query row.
    void collect(const int* const (&nearest)[LANES], int count);

    // Covariances among the first k[i] of them, about their own mean; k rises.
    void covariances(const int* k, int sizes, LaneMatrix* to) const;

private:
    int columns_;
    std::vector<double> rows_;    // all columns of every row side by side
    std::vector<Lanes> centred_;  // of each row of the neighbourhoods the columns, less those of the nearest
};

// With a ridge relative to the mean variance.
LaneMatrix with_ridge(const LaneMatrix& covariance, int columns, double ridge);

// With a ridge: det of y alone, over det of y after x; e to the power of twice their information.
Lanes dependence(const LaneMatrix& covariance, int dx, int dy, double ridge);

// For every lane Cov(own | other)^-1 of both sides on a common scale, as the triangle of `Metric`.
void metrics(const LaneMatrix& covariance, int dx, int dy, Metric* to);

// Trace of the columns from `first` on, and sum of their squared covariances.
void trace_and_squares(const LaneMatrix& covariance, int first, int columns, Lanes& trace, Lanes& squares);

}  // namespace mizzle

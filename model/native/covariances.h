#pragma once
// Covariances of neighbourhoods, of as many query rows at once as there are lanes, and what is read from them.
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

// All columns of every row side by side, as the rows of a neighbourhood are collected.
std::vector<double> by_rows(const Points& points);

// Covariances among the first k[i] of every query row's nearest rows, about their own mean; k rises.
void covariances(const std::vector<double>& rows, int columns, const int* const* nearest, const int* k, int sizes,
                 LaneMatrix* to);

// With a ridge relative to the mean variance.
LaneMatrix with_ridge(const LaneMatrix& covariance, int columns, double ridge);

// det of the last columns alone, over det of them after all others: e to the power of twice the dependence.
Lanes dependence(const LaneMatrix& covariance, int dx, int dy);

// For every lane Cov(own | other)^-1 as the triangle of `Metric`, of both sides.
void metrics(const LaneMatrix& covariance, int dx, int dy, Metric* to);

// Trace of the columns from `first` on, and sum of their squared covariances.
void trace_and_squares(const LaneMatrix& covariance, int first, int columns, Lanes& trace, Lanes& squares);

} // namespace mizzle

// Canonical correlations from covariances (Hotelling 1936), at a ridge.
#pragma once

#include <vector>

namespace mizzle {

// Combinations of columns, as columns of W, whose covariance with the ridge is the identity:
// W' (within + level) W = 1, with W upper triangular.
//
// Any such W gives the same correlations and the same variates; this one is a triangular factor's inverse.
std::vector<double> whitening(const std::vector<double>& within, int d, double level);

// W_x' cross W_y, dx x dy.
std::vector<double> whitened(const std::vector<double>& wx, int dx, const std::vector<double>& wy, int dy,
                             const std::vector<double>& cross);

// Squares of the singular values of a matrix of dx x dy, as many as its smaller side, in falling order.
std::vector<double> squared_singular(const std::vector<double>& core, int dx, int dy);

}  // namespace mizzle

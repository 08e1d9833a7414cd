#pragma once
// Local information in each query row's own metric: right on manifolds and behind bends, unlike spectra.
//
// Around a query row the nearest rows are nearly jointly normal. Their covariance C says how much of the
// dependence lies within the neighbourhood, as in LNC (Gao, Ver Steeg and Galstyan 2015), and the counts of
// Kraskov et al. (2004) say the rest. A second round measures distance in units of what the other side leaves
// open, with Cov(x | y)^-1 and Cov(y | x)^-1 of the neighbourhood.

#include "covariances.h"
#include "directions.h"

namespace mizzle {

constexpr double RIDGES[] = {
    0.001, 0.03};  // of the mean variance: apart on manifolds, whose covariances are singular
constexpr int LOCAL_CHANNELS = 11;  // counted 4, with Gaussian term 6, own metric at `SMALL` 1

// Channels of all query rows, from the first round among at most `WIDE` columns a side.
std::vector<float> local_terms_of(const Points& points, const std::vector<int>& queries,
                                  const Neighbourhoods& first, const double* psi, Windows& windows,
                                  double (&log_participation)[2]);

}  // namespace mizzle

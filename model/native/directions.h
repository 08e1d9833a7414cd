#pragma once
// Sides of many columns, projected on the directions that the other side tells something about.

#include "neighbourhoods.h"

namespace mizzle {

constexpr int WIDE =
    MOST_OWN;  // columns of a side up to which all are looked at, and directions of a wider one
constexpr double METRIC_RIDGE = 0.01;  // of the mean variance: manifolds have singular covariances

// What the covariances of all columns among the nearest rows of some query rows say, summed over these.
class LocalCovariances {
public:
    explicit LocalCovariances(const Points& points);
    void add(const int* nearest, int k);

    double log_participation[2] = {};  // sums; of either side
    int count = 0;

    // `points`, with wide sides replaced by the directions along which they vary most in units of what the
    // other side leaves open: generalised eigenvectors of the mean of C_xx and of Cov(x | y), on one scale.
    Points projected() const;

private:
    void add_side(int s, double scale, double ridge);
    double covariance(int i, int j) const {
        return gram_[std::size_t(std::min(i, j)) * std::size_t(width_) + std::size_t(std::max(i, j))];
    }
    std::vector<double> directions(int s) const;

    const Points& points_;
    int width_;
    std::vector<double> rows_, gram_;  // of one neighbourhood
    std::vector<double> varies_[2],
        explained_[2];  // sums of C_xx and of of its part that y explains, for wide sides
    std::vector<double> root_, half_;
};

}  // namespace mizzle

#include "local_information.h"

#include <algorithm>
#include <cmath>

#include "digamma.h"

namespace mizzle {
namespace {

// Mean of the Gaussian term under independence, from those of log-Wishart determinants; 0 for k <= D.
double bias(int dx, int dy, int k) {
    const int total = dx + dy;
    if (k <= total) return 0;
    double x = 0, y = 0, both = 0;
    for (int i = 0; i < total; ++i) {
        const double term = digamma(std::max((k - 1 - i) / 2.0, 0.25));
        both += term;
        if (i < dx) x += term;
        if (i < dy) y += term;
    }
    return (x + y - both) / 2;
}

// `LANES` query rows at once; where fewer are left the last stands in for those that are missing.
class Rounds {
public:
    Rounds(const Points& points, const std::vector<int>& queries, const Neighbourhoods& first,
           const double* psi, Windows& windows)
        : points_(points),
          queries_(queries),
          first_(first),
          psi_(psi),
          windows_(windows),
          rows_(points),
          second_(LANES, first.reach),
          distances_(0) {
        const int *k = first.reach.k, ks[] = {k[1], k[0], k[1]};
        for (int i = 0; i < 3; ++i) bias_[i] = bias(points.dims[0], points.dims[1], ks[i]);
    }
    void run(int start, float* channels, double (&log_participation)[2]);

private:
    int query(int start, int lane) const { return std::min(start + lane, int(queries_.size()) - 1); }
    void first_covariance(int start);
    void second_round(int start, int count);
    void participations(int start, int count, double (&log_participation)[2]) const;
    void put(int start, int count, float* channels) const;

    const Points& points_;
    const std::vector<int>& queries_;
    const Neighbourhoods& first_;
    const double* psi_;
    Windows& windows_;
    NeighbourhoodRows rows_;
    Neighbourhoods second_;
    Distances distances_;
    Nearest nearest_;
    LaneMatrix covariances_[3];  // of the first round at D + `BEYOND[1]`, of the second at both numbers
    double bias_[3];
};

void Rounds::run(int start, float* channels, double (&log_participation)[2]) {
    const int count = std::min(LANES, int(queries_.size()) - start);
    first_covariance(start);
    participations(start, count, log_participation);
    second_round(start, count);
    put(start, count, channels);
}

void Rounds::first_covariance(int start) {
    const int* nearest[LANES];
    for (int lane = 0; lane < LANES; ++lane) nearest[lane] = first_.nearest(query(start, lane));
    rows_.collect(nearest, first_.reach.k[1]);
    rows_.covariances(&first_.reach.k[1], 1, covariances_);
}

void Rounds::second_round(int start, int count) {
    const int dx = points_.dims[0], dy = points_.dims[1];
    Metric metric[LANES];
    metrics(with_ridge(covariances_[0], dx + dy, METRIC_RIDGE), dx, dy, metric);
    const int* nearest[LANES];
    for (int lane = 0; lane < LANES; ++lane) nearest[lane] = second_.nearest(std::min(lane, count - 1));
    for (int lane = 0; lane < count; ++lane) {
        const Metric& own = metric[lane];
        const int query = queries_[std::size_t(start + lane)];
        const auto among = windows_.around(points_, query, second_.reach.largest(),
                                           {own.triangle[0][0], own.triangle[1][0]});
        among.rows.measure(among.query, own, distances_);
        nearest_.find(distances_.joint, second_.reach.largest(), among.places);
        second_.put(lane, local_terms(distances_, nearest_, second_.reach.k, points_.n, psi_), nearest_);
    }
    rows_.collect(nearest, second_.reach.k[1]);
    rows_.covariances(second_.reach.k, 2, covariances_ + 1);
}

void Rounds::participations(int start, int count, double (&log_participation)[2]) const {
    for (int s = 0; s < 2; ++s) {
        Lanes trace, squares;
        trace_and_squares(covariances_[0], s * points_.dims[0], points_.dims[s], trace, squares);
        for (int lane = 0; lane < count; ++lane)
            if ((start + lane) % EVERY == 0)
                log_participation[s] += std::log(participation(trace[lane], squares[lane]));
    }
}

void Rounds::put(int start, int count, float* channels) const {
    Lanes gaussian[3][2];
    for (int i = 0; i < 3; ++i)
        for (int r = 0; r < 2; ++r)
            gaussian[i][r] = dependence(covariances_[i], points_.dims[0], points_.dims[1], RIDGES[r]);
    for (int lane = 0; lane < count; ++lane, channels += LOCAL_CHANNELS) {
        const double *first = &first_.counted[std::size_t(3 * (start + lane))],
                     *second = &second_.counted[std::size_t(3 * lane)];
        const double counted[] = {first[0], first[1], second[0], second[1]};
        float* to = std::transform(counted, counted + 4, channels, [](double nats) { return float(nats); });
        for (int i = 0; i < 3; ++i)
            for (int r = 0; r < 2; ++r)
                *to++ = static_cast<float>(counted[i + 1] + std::log(gaussian[i][r][lane]) / 2 - bias_[i]);
        *to = static_cast<float>(second[2]);
    }
}

}  // namespace

std::vector<float> local_terms_of(const Points& points, const std::vector<int>& queries,
                                  const Neighbourhoods& first, const double* psi, Windows& windows,
                                  double (&log_participation)[2]) {
    std::vector<float> channels(queries.size() * LOCAL_CHANNELS);
    Rounds rounds(points, queries, first, psi, windows);
    for (int start = 0; start < int(queries.size()); start += LANES)
        rounds.run(start, channels.data() + std::size_t(start) * LOCAL_CHANNELS, log_participation);
    return channels;
}

}  // namespace mizzle

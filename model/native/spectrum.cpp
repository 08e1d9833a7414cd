// Channels of the canonical correlations and of the lengths of rows; see moments.h.

#include <cmath>

#include "algebra.h"
#include "moments.h"

namespace mizzle {
namespace moments {
namespace {

constexpr double TINY = 1e-12;

// The j-th correlation at a ridge, first plain, then robust.
float correlation(const Linear& own, int smaller, int r, int j) {
    const auto& rho = r < RIDGE_COUNT ? own.canonical : own.robust;
    return float(rho[(r % RIDGE_COUNT) * smaller + j]);
}

// Less their means over the rows.
std::vector<double> centred(const double* values, int n) {
    const double mean = sum(values, n) / n;
    std::vector<double> out(values, values + n);
    for (double& value : out) value -= mean;
    return out;
}

// Variances of x and of y over the rows, and their correlation.
struct Rows {
    double variance[2], correlation;
};

Rows rows(const double* x, const double* y, int n) {
    const auto u = centred(x, n), v = centred(y, n);
    const double xx = dot(u.data(), u.data(), n) / n, yy = dot(v.data(), v.data(), n) / n;
    return {{xx, yy}, dot(u.data(), v.data(), n) / n / std::sqrt(xx * yy + TINY)};
}

}  // namespace

void spectrum(const Sample& sample, const Linear& own, float* tokens, int stride) {
    const int smaller = sample.smaller();
    for (int j = 0; j < smaller; ++j, tokens += stride) {
        for (int r = 0; r < SPECTRA; ++r) {
            tokens[r] = correlation(own, smaller, r, j);
            tokens[SPECTRA + r] = information(tokens[r]);
        }
        tokens[2 * SPECTRA] = float(j) / float(smaller);
    }
}

void pool_spectrum(const Sample& sample, const Linear& own, float* overall) {
    const int smaller = sample.smaller();
    for (int r = 0; r < SPECTRA; ++r) {
        double nats = 0, squares = 0;
        for (int j = 0; j < smaller; ++j) {
            const float rho = correlation(own, smaller, r, j);
            nats += double(information(rho));
            squares += double(rho) * double(rho);
        }
        overall[r] = float(nats);
        overall[SPECTRA + r] = float(squares);
        for (int j = 0; j < TOP; ++j)
            overall[2 * SPECTRA + r * TOP + j] = j < smaller ? correlation(own, smaller, r, j) : 0;
    }
}

void pool_coupling(const Sample& sample, const Linear& own, const std::vector<float>& log_norms,
                   float* overall) {
    const int n = sample.n;
    const std::vector<double> logs(log_norms.begin(), log_norms.end());
    const Rows of_logs = rows(logs.data(), logs.data() + n, n);
    const Rows of_norms = rows(own.norms.data(), own.norms.data() + n, n);
    const double spread[2] = {of_logs.variance[0] * sample.dims[0] / 2,  // 1 for normal rows, large d
                              of_logs.variance[1] * sample.dims[1] / 2};
    overall[0] = float(of_logs.correlation);
    overall[1] = float(of_norms.correlation);
    overall[2] = float(spread[0] + spread[1]);
    overall[3] = float(std::fabs(spread[0] - spread[1]));
}

}  // namespace moments
}  // namespace mizzle

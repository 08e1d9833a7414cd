#include "moments.h"

#include <algorithm>
#include <cmath>

#include "algebra.h"
#include "canonical.h"

namespace mizzle {
namespace {

constexpr float NEVER_ONE = float(1.0 - 1e-6);
constexpr double TINY = 1e-12, SHORT = 1e-4;  // squared length, and length, of a column that does not vary

// A column of mean 0 and unit length; one that does not vary becomes 0.
void standardise(const double* values, int n, double* out) {
    const double mean = sum(values, n) / n;
    for (int i = 0; i < n; ++i) out[i] = values[i] - mean;
    const double length = std::sqrt(std::max(dot(out, out, n), TINY)),
                 scale = length > SHORT ? 1 / length : 0;
    for (int i = 0; i < n; ++i) out[i] *= scale;
}

// (dx + dy) / n: the size of sampling noise in an eigenvalue, and the unit of every ridge.
double noise(const Sample& sample) { return double(sample.total()) / sample.n; }

struct Covariance {
    std::vector<double> within[2], cross;
};

Covariance covariance(const Sample& sample, const std::vector<double> (&unit)[2]) {
    Covariance own;
    for (int s = 0; s < 2; ++s) {
        own.within[s].resize(sample.dims[s] * sample.dims[s]);
        own_products(unit[s].data(), sample.dims[s], sample.n, own.within[s].data());
    }
    own.cross.resize(sample.dims[0] * sample.dims[1]);
    products(unit[0].data(), sample.dims[0], unit[1].data(), sample.dims[1], sample.n, own.cross.data(),
             sample.dims[0]);
    return own;
}

// Canonical correlations at every ridge, in falling order; leaves what whitens either side at NORM_RIDGE.
std::vector<double> canonical(const Sample& sample, const Covariance& own,
                              std::vector<double> (&norm_whiten)[2]) {
    std::vector<double> rho;
    for (int r = 0; r < moments::RIDGE_COUNT; ++r) {
        std::vector<double> whiten[2];
        for (int s = 0; s < 2; ++s)
            whiten[s] = whitening(own.within[s], sample.dims[s], moments::RIDGES[r] * noise(sample));
        const auto core = whitened(whiten[0], sample.dims[0], whiten[1], sample.dims[1], own.cross);
        for (double squared : squared_singular(core, sample.dims[0], sample.dims[1]))
            rho.push_back(std::sqrt(std::min(std::max(squared, TINY), 1.0)));
        if (r == moments::NORM_RIDGE) std::swap(norm_whiten, whiten);
    }
    return rho;
}

// n |W' u|^2 of every row u.
std::vector<double> norms(const Sample& sample, const Linear& own) {
    const int n = sample.n;
    std::vector<double> squared(std::size_t(2) * n);
    for (int s = 0; s < 2; ++s) {
        const int d = sample.dims[s];
        std::vector<double> lower(d * d);
        transpose(own.whiten[s].data(), d, d, lower.data());
        squared_lengths(own.unit[s].data(), d, n, lower.data(), squared.data() + std::ptrdiff_t(s) * n);
    }
    for (double& value : squared) value *= n;
    return squared;
}

// Rows divided by their whitened length, standardised again: of an elliptical sample what is left is the
// dispersion, whatever the tails (one step towards Tyler 1987).
void shrink(const Sample& sample, const Linear& own, std::vector<double> (&shrunk)[2]) {
    const int n = sample.n;
    std::vector<double> shrinks(n), column(n);
    for (int i = 0; i < n; ++i) {
        const double mean = (own.norms[i] / sample.dims[0] + own.norms[n + i] / sample.dims[1]) / 2;
        shrinks[i] = 1 / std::sqrt(std::max(mean, 0.05));
    }
    for (int s = 0; s < 2; ++s) {
        shrunk[s].resize(own.unit[s].size());
        for (std::ptrdiff_t at = 0; at < std::ptrdiff_t(shrunk[s].size()); at += n) {
            for (int i = 0; i < n; ++i) column[i] = own.unit[s][at + i] * shrinks[i];
            standardise(column.data(), n, shrunk[s].data() + at);
        }
    }
}

// All correlations, columns of X first.
std::vector<double> joint(const Sample& sample, const Covariance& own) {
    const int dx = sample.dims[0], dy = sample.dims[1], d = dx + dy;
    std::vector<double> all(d * d);
    for (int j = 0; j < dx; ++j) std::copy_n(own.within[0].data() + j * dx, dx, all.data() + j * d);
    for (int j = 0; j < dy; ++j) {
        std::copy_n(own.cross.data() + j * dx, dx, all.data() + (dx + j) * d);
        std::copy_n(own.within[1].data() + j * dy, dy, all.data() + (dx + j) * d + dx);
    }
    mirror(all.data(), d);
    return all;
}

// |Partial correlations| across the sides, and 1 - 1 / (precision x variance) per column at the first ridge.
// With W upper triangular the precision is W W', so that its entries are products of rows of W.
void precision(const Sample& sample, const Covariance& own, Linear& out) {
    const int dx = sample.dims[0], d = sample.total();
    const std::vector<double> all = joint(sample, own);
    std::vector<double> rows(d * d), inverse(d * d);
    for (double ridge : moments::PARTIAL_RIDGES) {
        const double level = ridge * noise(sample);
        const std::vector<double> whiten = whitening(all, d, level);
        transpose(whiten.data(), d, d, rows.data());
        own_products(rows.data(), d, d, inverse.data());
        const auto diagonal = [&inverse, d](int i) { return inverse[i + i * d]; };
        for (int j = dx; j < d; ++j)
            for (int i = 0; i < dx; ++i)
                out.partial.push_back(std::fabs(inverse[i + j * d]) / std::sqrt(diagonal(i) * diagonal(j)));
        for (int i = 0; i < d && int(out.explained.size()) < d; ++i)
            out.explained.push_back(std::min(std::max(1 - 1 / (diagonal(i) * (1 + level)), 0.0), 1.0));
    }
}

// |products| of standardised columns of both sides.
void append_products(const std::vector<double>& x, const std::vector<double>& y, const Sample& sample,
                     std::vector<float>& out) {
    std::vector<double> sums(sample.dims[0] * sample.dims[1]);
    products(x.data(), sample.dims[0], y.data(), sample.dims[1], sample.n, sums.data(), sample.dims[0]);
    for (double sum : sums) out.push_back(float(std::fabs(sum)));
}

void append_absolute(const std::vector<double>& values, std::vector<float>& out) {
    for (double value : values) out.push_back(float(std::fabs(value)));
}

// Columns of mean 0 and unit length, of which each starts n behind the one before.
std::vector<double> standardised(const float* columns, const Sample& sample, int s) {
    std::vector<double> unit(columns, columns + sample.scores[s].size());
    for (std::size_t at = 0; at < unit.size(); at += std::size_t(sample.n))
        standardise(unit.data() + at, sample.n, unit.data() + at);
    return unit;
}

}  // namespace

float information(float correlation) {
    const float r = std::min(std::max(correlation, -NEVER_ONE), NEVER_ONE), squared = r * r;
    return -0.5f * std::log1p(-squared);
}

Linear linear(const Sample& sample) {
    Linear own;
    for (int s = 0; s < 2; ++s) own.unit[s] = standardised(sample.scores[s].data(), sample, s);
    Covariance plain = covariance(sample, own.unit);
    own.canonical = canonical(sample, plain, own.whiten);
    own.norms = norms(sample, own);
    std::vector<double> shrunk[2], unused[2];
    shrink(sample, own, shrunk);
    own.robust = canonical(sample, covariance(sample, shrunk), unused);
    precision(sample, plain, own);
    std::swap(own.within, plain.within);
    std::swap(own.cross, plain.cross);
    return own;
}

// Those of z itself stand in `linear` already. In double precision: the information of a correlation near 1
// multiplies its error by up to 1 / (1 - r^2).
Pairs correlations_of_pairs(const Functions& functions, const Linear& own) {
    const Sample& sample = *functions.sample;
    Pairs pairs;
    append_absolute(own.cross, pairs.cross);
    std::vector<double> squares[2];
    for (int s = 0; s < 2; ++s) {
        squares[s] = standardised(functions.of(1, s), sample, s);
        append_absolute(own.within[s], pairs.within[s]);
        std::vector<double> within(sample.dims[s] * sample.dims[s]);
        own_products(squares[s].data(), sample.dims[s], sample.n, within.data());
        append_absolute(within, pairs.within[s]);
    }
    append_products(squares[0], squares[1], sample, pairs.cross);
    for (int f = 2; f < COLUMN_FUNCTIONS; ++f)
        append_products(standardised(functions.of(f, 0), sample, 0),
                        standardised(functions.of(f, 1), sample, 1), sample, pairs.cross);
    append_products(own.unit[0], squares[1], sample, pairs.cross);
    append_products(squares[0], own.unit[1], sample, pairs.cross);
    return pairs;
}

std::vector<float> log_norms(const Sample& sample, const Linear& own) {
    std::vector<float> logs(own.norms.size());
    for (int s = 0; s < 2; ++s)
        for (int i = s * sample.n; i < (s + 1) * sample.n; ++i)
            logs[i] = float(std::log(own.norms[i] / sample.dims[s] + 1e-3));
    return logs;
}

}  // namespace mizzle

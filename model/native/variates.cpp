#include "variates.h"

#include <algorithm>
#include <cmath>

#include "algebra.h"
#include "canonical.h"

namespace mizzle {
namespace {

constexpr double LEAST = 1e-6;       // variance of a variate that exists; copies of a column leave less
constexpr double STEPS = 16777216.;  // 2^24, to a standard deviation, in which variates are compared

// The first left singular vectors of a matrix of d x others, as columns.
std::vector<double> left_vectors(const std::vector<double>& core, int d, int others, int count) {
    std::vector<double> flipped(core.size()), gram(d * d), values(d), vectors(d * d), first;
    transpose(core.data(), d, others, flipped.data());
    own_products(flipped.data(), d, others, gram.data());
    symmetric_eigen(gram.data(), d, values.data(), vectors.data());
    for (int v = 0; v < count; ++v) {
        const double* column = vectors.data() + (d - 1 - v) * d;
        first.insert(first.end(), column, column + d);
    }
    return first;
}

// Combinations of the standardised columns, times sqrt(n); `weights` has a column for each.
std::vector<double> combine(const std::vector<double>& unit, int d, int n, const std::vector<double>& weights,
                            int count) {
    std::vector<double> values(std::size_t(VARIATES) * n);
    multiply(unit.data(), weights.data(), n, d, count, values.data());
    const double scale = std::sqrt(double(n));
    for (double& value : values) value *= scale;
    return values;
}

// Whole steps and their rows, in rising order of the steps.
struct Step {
    Rank steps;
    int row;
};

constexpr int DIGIT = 11;  // bits sorted at once

// One pass of a radix sort.
void sort_digit(const std::vector<Step>& from, std::vector<Step>& to, int shift) {
    std::size_t starts[(1 << DIGIT) + 1] = {};
    const auto digit = [shift](const Step& step) { return (step.steps >> shift) & ((1 << DIGIT) - 1); };
    for (const Step& step : from) ++starts[digit(step) + 1];
    for (int i = 0; i < 1 << DIGIT; ++i) starts[i + 1] += starts[i];
    for (const Step& step : from) to[starts[digit(step)]++] = step;
}

std::vector<Step> sorted_steps(const double* values, int n) {
    std::vector<Step> steps(n), other(n);
    for (int i = 0; i < n; ++i) steps[i] = {Rank(std::nearbyint(values[i] * STEPS)), i};
    const auto [smallest, largest] = std::minmax_element(
        steps.begin(), steps.end(), [](const Step& a, const Step& b) { return a.steps < b.steps; });
    const Rank first = smallest->steps, range = largest->steps - first;
    for (Step& step : steps) step.steps -= first;
    for (int shift = 0; shift < 63 && range >> shift; shift += DIGIT) {
        sort_digit(steps, other, shift);
        std::swap(steps, other);
    }
    return steps;
}

}  // namespace

Variates variates(const Sample& sample, const Linear& own) {
    const int n = sample.n, dx = sample.dims[0], dy = sample.dims[1],
              count = std::min(VARIATES, sample.smaller());
    const auto core = whitened(own.whiten[0], dx, own.whiten[1], dy, own.cross);
    std::vector<double> flipped(core.size());
    transpose(core.data(), dx, dy, flipped.data());
    Variates out{VARIATES, {}, std::vector<bool>(VARIATES)};
    for (int s = 0; s < 2; ++s) {
        const int d = sample.dims[s];
        const auto vectors = left_vectors(s ? flipped : core, d, sample.dims[1 - s], count);
        std::vector<double> directions(vectors.size());
        multiply(own.whiten[s].data(), vectors.data(), d, d, count, directions.data());
        out.values[s] = combine(own.unit[s], d, n, directions, count);
    }
    for (int v = 0; v < VARIATES; ++v) {
        double *x = out.values[0].data() + std::ptrdiff_t(v) * n,
               *y = out.values[1].data() + std::ptrdiff_t(v) * n;
        out.used[v] = v < count && std::min(dot(x, x, n), dot(y, y, n)) > LEAST * n;
        if (!out.used[v]) std::fill_n(x, n, 0.0), std::fill_n(y, n, 0.0);
    }
    return out;
}

std::vector<Rank> variate_ranks(const double* values, int n) {
    const std::vector<Step> steps = sorted_steps(values, n);
    std::vector<Rank> ranks(n);
    for (int start = 0, end; start < n; start = end) {
        for (end = start + 1; end < n && steps[end].steps == steps[start].steps;) ++end;
        for (int i = start; i < end; ++i) ranks[steps[i].row] = start + end - n;
    }
    return ranks;
}

}  // namespace mizzle

#include "functions.h"

#include <cmath>
#include <limits>

#include "algebra.h"

namespace mizzle {
namespace {

// tanh 3z is odd and depends on |rank| alone, so that each value is computed once.
void fill_tanh(const Sample& sample, int s, std::vector<float>& table, float* out) {
    const std::ptrdiff_t cells = std::ptrdiff_t(sample.n) * sample.dims[s];
    for (std::ptrdiff_t i = 0; i < cells; ++i) {
        const Rank rank = sample.ranks[s][i];
        float& value = table[std::size_t(rank < 0 ? -rank : rank)];
        if (std::isnan(value))
            value = float(std::tanh(3 * std::fabs(double(sample.scores[s][std::size_t(i)]))));
        out[i] = rank < 0 ? -value : value;
    }
}

// Each rounded once, whether the processor fuses or not.
void fill_powers(const std::vector<float>& z, float* square, float* cubic) {
    for (std::size_t i = 0; i < z.size(); ++i) {
        const double value = double(z[i]), squared = value * value;
        square[i] = float(squared);
        cubic[i] = float(value * (squared - 3));
    }
}

}  // namespace

Functions column_functions(const Sample& sample) {
    Functions functions{&sample, {}, {}};
    std::vector<float> table(std::size_t(sample.n), std::numeric_limits<float>::quiet_NaN());
    for (int s = 0; s < 2; ++s) {
        for (auto& other : functions.others) other[s].resize(sample.scores[s].size());
        fill_powers(sample.scores[s], functions.others[0][s].data(), functions.others[2][s].data());
        fill_tanh(sample, s, table, functions.others[1][s].data());
        for (int f = 0; f < COLUMN_FUNCTIONS; ++f)
            functions.mean[f][s] = means(functions.of(f, s), sample.dims[s], sample.n);
    }
    return functions;
}

std::vector<float> means(const float* values, int columns, int n) {
    std::vector<float> mean;
    for (int c = 0; c < columns; ++c) mean.push_back(float(sum(values + std::ptrdiff_t(c) * n, n) / n));
    return mean;
}

}  // namespace mizzle

#include "canonical.h"

#include <algorithm>
#include <stdexcept>

#include "algebra.h"

namespace mizzle {

std::vector<double> whitening(const std::vector<double>& within, int d, double level) {
    std::vector<double> factor = within, inverse(within.size());
    for (int c = 0; c < d; ++c) factor[c + c * d] += level;
    if (!cholesky(factor.data(), d)) throw std::logic_error("a matrix with a ridge is not positive definite");
    invert_lower(factor.data(), d);
    transpose(factor.data(), d, d, inverse.data());
    return inverse;
}

std::vector<double> whitened(const std::vector<double>& wx, int dx, const std::vector<double>& wy, int dy,
                             const std::vector<double>& cross) {
    std::vector<double> half(cross.size()), flipped(cross.size()), core(cross.size());
    products(wx.data(), dx, cross.data(), dy, dx, half.data(), dx);
    transpose(half.data(), dx, dy, flipped.data());
    products(flipped.data(), dx, wy.data(), dy, dy, core.data(), dx);
    return core;
}

std::vector<double> squared_singular(const std::vector<double>& core, int dx, int dy) {
    const int d = std::min(dx, dy);
    std::vector<double> gram(d * d), values(d), flipped(core);
    if (dx < dy) transpose(core.data(), dx, dy, flipped.data());
    own_products(flipped.data(), d, std::max(dx, dy), gram.data());
    symmetric_eigen(gram.data(), d, values.data(), nullptr);
    std::reverse(values.begin(), values.end());
    return values;
}

}  // namespace mizzle

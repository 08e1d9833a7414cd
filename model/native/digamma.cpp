#include "digamma.h"

#include <cmath>

namespace mizzle {

double digamma(double x) {
    double below = 0;
    for (; x < 12; x += 1) below += 1 / x;
    const double r = 1 / (x * x);  // log x - 1/2x - sum of B_2j / (2j x^2j)
    const double series = r * (1.0 / 12 - r * (1.0 / 120 - r * (1.0 / 252 - r * (1.0 / 240 - r / 132))));
    return std::log(x) - 0.5 / x - series - below;
}

std::vector<double> digammas(int count) {
    std::vector<double> psi(static_cast<std::size_t>(count));
    double value = -0.57721566490153286061;  // Euler's constant
    for (int c = 0; c < count; ++c) {
        psi[static_cast<std::size_t>(c)] = value;  // psi(x + 1) = psi(x) + 1 / x
        value += 1.0 / (c + 1);
    }
    return psi;
}

}  // namespace mizzle

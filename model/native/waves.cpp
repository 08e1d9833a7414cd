#include "waves.h"

#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace mizzle {
namespace {

constexpr double PI = 3.14159265358979323846, ROOT_HALF = 0.70710678118654752440;

// Interpolated between knots by the cubic with their values and slopes, whose error is (STEP^4 / 384) times
// the fourth derivative, some 20 at the utmost.
constexpr int KNOTS_PER_UNIT = 128, LAST_KNOT = 6 * KNOTS_PER_UNIT;  // beyond, the wave is 1 to 1e-17

struct Knot {
    double value, slope;  // slope: to one step between knots
};

Knot knot_at(double w) {
    const double angle = PI / 2 * std::erfc(-w * ROOT_HALF);
    const double density = std::exp(-w * w / 2) / std::sqrt(2 * PI);
    return {std::cos(angle), -std::sin(angle) * PI * density / KNOTS_PER_UNIT};
}

using Knots = std::array<Knot, LAST_KNOT + 2>;

Knots all_knots() {
    Knots knots;
    for (int k = 0; k < LAST_KNOT + 2; ++k) knots[std::size_t(k)] = knot_at(double(k) / KNOTS_PER_UNIT);
    return knots;
}

// To 3 %: a third of a float's bits is a third of its logarithm.
double rough_cube_root(float x) {
    std::int32_t bits;
    std::memcpy(&bits, &x, sizeof bits);
    bits = bits / 3 + 0x2a514067;
    std::memcpy(&x, &bits, sizeof bits);
    return double(x);
}

}  // namespace

// Two steps of Halley's method, each of which triples the number of digits.
void cube_roots(double* values, int n) {
    for (int i = 0; i < n; ++i) {
        const double x = values[i];
        double y = rough_cube_root(float(x));
        for (int step = 0; step < 2; ++step) {
            const double cube = y * y * y;
            y *= (cube + 2 * x) / (2 * cube + x);
        }
        values[i] = y;
    }
}

// The wave is an odd function, so that w > 0 is enough.
double normal_wave(double w) {
    static const Knots KNOTS = all_knots();
    const double place = std::fmin(std::fabs(w) * KNOTS_PER_UNIT, double(LAST_KNOT));
    const int k = int(place);
    const double t = place - k, s = 1 - t;
    const Knot &left = KNOTS[std::size_t(k)], &right = KNOTS[std::size_t(k) + 1];
    const double size = s * s * ((1 + 2 * t) * left.value + t * left.slope) +
                        t * t * ((1 + 2 * s) * right.value - s * right.slope);
    return w < 0 ? -size : size;
}

}  // namespace mizzle

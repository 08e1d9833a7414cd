// Sixteen floats that are computed with at once, and rows of floats padded to a multiple of them.
//
// Compilers with vector extensions keep `Floats` in as many registers as they need; others see an array.
#pragma once

#include <cstddef>
#include <cstring>

#if defined(__GNUC__) || defined(__clang__)
#define MIZZLE_VECTORS 1
#endif

namespace mizzle {

constexpr int FLOATS = 16;

#ifdef MIZZLE_VECTORS
typedef float Floats __attribute__((vector_size(FLOATS * sizeof(float))));
#else
struct Floats {
    float values[FLOATS];
    float& operator[](int lane) { return values[lane]; }
    float operator[](int lane) const { return values[lane]; }
};
#endif

inline void load(Floats& lanes, const float* from) { std::memcpy(&lanes, from, sizeof(Floats)); }

inline void store(float* to, const Floats& lanes) { std::memcpy(to, &lanes, sizeof(Floats)); }

// sums += factor * values
inline void add_scaled(Floats& sums, float factor, const Floats& values) {
#ifdef MIZZLE_VECTORS
    sums += factor * values;
#else
    for (int lane = 0; lane < FLOATS; ++lane) sums[lane] += factor * values[lane];
#endif
}

// sums += a * b
inline void add_product(Floats& sums, const Floats& a, const Floats& b) {
#ifdef MIZZLE_VECTORS
    sums += a * b;
#else
    for (int lane = 0; lane < FLOATS; ++lane) sums[lane] += a[lane] * b[lane];
#endif
}

// Of all lanes, in a fixed order: halves are added to each other.
inline float total(const Floats& lanes) {
    float sums[FLOATS];
    store(sums, lanes);
    for (int half = FLOATS / 2; half > 0; half /= 2)
        for (int lane = 0; lane < half; ++lane) sums[lane] += sums[lane + half];
    return sums[0];
}

// The least multiple of FLOATS that holds so many floats.
constexpr std::size_t padded(int count) { return std::size_t(count + FLOATS - 1) / FLOATS * FLOATS; }

}  // namespace mizzle

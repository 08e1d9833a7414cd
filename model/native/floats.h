// Sixteen floats that are computed with at once, and rows of floats padded to a multiple of them.
//
// Compilers with vector extensions keep `Floats` in as many registers as they need; others see an array.
#pragma once

#include <cstddef>
#include <cstring>

#include "compiler.h"

namespace mizzle {

constexpr int FLOATS = 16;

#if defined(MIZZLE_VECTORS)
typedef float Floats __attribute__((vector_size(FLOATS * sizeof(float))));
#else
struct Floats {
    float values[FLOATS];
    float& operator[](int i) { return values[i]; }
    float operator[](int i) const { return values[i]; }
};
#endif

inline void load(Floats& values, const float* from) { std::memcpy(&values, from, sizeof(Floats)); }

inline void store(float* to, const Floats& values) { std::memcpy(to, &values, sizeof(Floats)); }

// sums += factor * values
inline void add_scaled(Floats& sums, float factor, const Floats& values) {
#if defined(MIZZLE_VECTORS)
    sums += factor * values;
#else
    for (int i = 0; i < FLOATS; ++i) sums[i] += factor * values[i];
#endif
}

// sums += a * b
inline void add_product(Floats& sums, const Floats& a, const Floats& b) {
#if defined(MIZZLE_VECTORS)
    sums += a * b;
#else
    for (int i = 0; i < FLOATS; ++i) sums[i] += a[i] * b[i];
#endif
}

// Of all values, in a fixed order: halves are added to each other.
inline float total(const Floats& values) {
    float sums[FLOATS];
    store(sums, values);
    for (int half = FLOATS / 2; half > 0; half /= 2)
        for (int i = 0; i < half; ++i) sums[i] += sums[i + half];
    return sums[0];
}

// The least multiple of FLOATS that holds so many floats.
constexpr std::size_t padded_width(int count) { return std::size_t(count + FLOATS - 1) / FLOATS * FLOATS; }

}  // namespace mizzle

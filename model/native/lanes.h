#pragma once
// As many doubles as a register holds, computed with at once.
//
// Where compilers have vector types these are used, as wide as the processor that is compiled for allows; elsewhere a
// pair of doubles with the same operators stands in. `multiply_add` is fused only where the hardware fuses:
// whatever is built on it must not depend on that beyond rounding.

#include <cstring>

#if defined(__AVX512F__) || defined(__FMA__) || defined(__SSE2__) || defined(_M_X64)
#include <immintrin.h>
#endif
#if defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace mizzle {

#if defined(__AVX512F__)
constexpr int LANES = 8;
#elif defined(__AVX__)
constexpr int LANES = 4;
#else
constexpr int LANES = 2;
#endif

#if defined(__GNUC__) || defined(__clang__)
#define MIZZLE_VECTORS
typedef double Lanes __attribute__((vector_size(LANES * sizeof(double))));
typedef float SingleLanes __attribute__((vector_size(LANES * sizeof(float))));
#else
struct Lanes {
    double values[LANES];
    double& operator[](int i) { return values[i]; }
    double operator[](int i) const { return values[i]; }
};
#define MIZZLE_OPERATOR(sign)                                                                                          \
    inline Lanes operator sign(const Lanes& a, const Lanes& b) {                                                       \
        Lanes out;                                                                                                     \
        for (int i = 0; i < LANES; ++i) out[i] = a[i] sign b[i];                                                       \
        return out;                                                                                                    \
    }
MIZZLE_OPERATOR(+)
MIZZLE_OPERATOR(-)
MIZZLE_OPERATOR(*)
MIZZLE_OPERATOR(/)
#undef MIZZLE_OPERATOR
#endif

inline Lanes load(const double* from) {
    Lanes lanes;
    std::memcpy(&lanes, from, sizeof lanes);
    return lanes;
}

inline void store(double* to, const Lanes& lanes) { std::memcpy(to, &lanes, sizeof lanes); }

inline Lanes spread(double v) {
#if defined(__AVX512F__)
    return Lanes{v, v, v, v, v, v, v, v};
#elif defined(__AVX__)
    return Lanes{v, v, v, v};
#else
    return Lanes{v, v};
#endif
}

inline double sum(const Lanes& lanes) {
    double total = 0;
    for (int i = 0; i < LANES; ++i) total += lanes[i];
    return total;
}

// a * b + c
inline Lanes multiply_add(const Lanes& a, const Lanes& b, const Lanes& c) {
#if defined(__AVX512F__)
    return _mm512_fmadd_pd(a, b, c);
#elif defined(__FMA__)
    return _mm256_fmadd_pd(a, b, c);
#elif defined(__aarch64__) && (defined(__GNUC__) || defined(__clang__))
    return vfmaq_f64(c, a, b);
#else
    return a * b + c;
#endif
}

// Round to single precision.
inline void store_single(float* to, const Lanes& lanes) {
#if defined(MIZZLE_VECTORS)
    const SingleLanes rounded = __builtin_convertvector(lanes, SingleLanes);
    std::memcpy(to, &rounded, sizeof rounded);
#else
    for (int i = 0; i < LANES; ++i) to[i] = static_cast<float>(lanes[i]);
#endif
}

constexpr int TOGETHER = 16; // floats that `any_within` looks at

// Whether any of `TOGETHER` values is at most the bound.
inline bool any_within(const float* values, float bound) {
#if defined(__AVX512F__)
    return _mm512_cmp_ps_mask(_mm512_loadu_ps(values), _mm512_set1_ps(bound), _CMP_LE_OQ) != 0;
#elif defined(__AVX__)
    const __m256 b = _mm256_set1_ps(bound);
    const __m256 low = _mm256_cmp_ps(_mm256_loadu_ps(values), b, _CMP_LE_OQ);
    const __m256 high = _mm256_cmp_ps(_mm256_loadu_ps(values + 8), b, _CMP_LE_OQ);
    return _mm256_movemask_ps(_mm256_or_ps(low, high)) != 0;
#elif defined(__SSE2__) || defined(_M_X64)
    const __m128 b = _mm_set1_ps(bound);
    __m128 within = _mm_setzero_ps();
    for (int i = 0; i < TOGETHER; i += 4) within = _mm_or_ps(within, _mm_cmple_ps(_mm_loadu_ps(values + i), b));
    return _mm_movemask_ps(within) != 0;
#else
    int within = 0;
    for (int i = 0; i < TOGETHER; ++i) within |= int(values[i] <= bound);
    return within != 0;
#endif
}

} // namespace mizzle

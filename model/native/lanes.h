#pragma once
// As many doubles as a register holds, computed with at once.
//
// Where compilers have vector types these are used, as wide as the processor that is compiled for allows; elsewhere a
// pair of doubles with the same operators stands in. `multiply_add` is fused only where the hardware fuses:
// whatever is built on it must not depend on that beyond rounding.

#include <bitset>
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
typedef float HalfLanes __attribute__((vector_size(LANES * sizeof(float))));
typedef float Singles __attribute__((vector_size(2 * LANES * sizeof(float))));
#else
struct Lanes {
    double values[LANES];
    double& operator[](int i) { return values[i]; }
    double operator[](int i) const { return values[i]; }
};
struct Singles {
    float values[2 * LANES];
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
    const HalfLanes rounded = __builtin_convertvector(lanes, HalfLanes);
    std::memcpy(to, &rounded, sizeof rounded);
#else
    for (int i = 0; i < LANES; ++i) to[i] = static_cast<float>(lanes[i]);
#endif
}

inline Singles load_singles(const float* from) {
    Singles singles;
    std::memcpy(&singles, from, sizeof singles);
    return singles;
}

inline void store_singles(float* to, const Singles& singles) { std::memcpy(to, &singles, sizeof singles); }

inline Singles smaller(const Singles& a, const Singles& b) {
#if defined(MIZZLE_VECTORS)
    return a < b ? a : b;
#else
    Singles out;
    for (int i = 0; i < 2 * LANES; ++i) out.values[i] = a.values[i] < b.values[i] ? a.values[i] : b.values[i];
    return out;
#endif
}

constexpr int TOGETHER = 16; // floats that are compared at once

// Which of `TOGETHER` values are at most the bound, a bit each.
inline unsigned within(const float* values, float bound) {
#if defined(__AVX512F__)
    return _mm512_cmp_ps_mask(_mm512_loadu_ps(values), _mm512_set1_ps(bound), _CMP_LE_OQ);
#elif defined(__AVX__)
    const __m256 b = _mm256_set1_ps(bound);
    const int low = _mm256_movemask_ps(_mm256_cmp_ps(_mm256_loadu_ps(values), b, _CMP_LE_OQ));
    const int high = _mm256_movemask_ps(_mm256_cmp_ps(_mm256_loadu_ps(values + 8), b, _CMP_LE_OQ));
    return unsigned(low) | unsigned(high) << 8;
#elif defined(__SSE2__) || defined(_M_X64)
    unsigned bits = 0;
    for (int i = 0; i < TOGETHER; i += 4)
        bits |= unsigned(_mm_movemask_ps(_mm_cmple_ps(_mm_loadu_ps(values + i), _mm_set1_ps(bound)))) << i;
    return bits;
#else
    unsigned bits = 0;
    for (int i = 0; i < TOGETHER; ++i) bits |= unsigned(values[i] <= bound) << i;
    return bits;
#endif
}

inline int count_bits(unsigned bits) { return static_cast<int>(std::bitset<TOGETHER>(bits).count()); }

// Put the values whose bits are set, and the places they have from `start` on, at the start of `to` and `places`, which
// have room for `TOGETHER`; returns how many.
inline int pick(const float* values, int start, unsigned bits, float* to, int* places) {
#if defined(__AVX512F__)
    const __m512i counted = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const auto mask = static_cast<__mmask16>(bits);
    _mm512_storeu_ps(to, _mm512_maskz_compress_ps(mask, _mm512_loadu_ps(values)));
    _mm512_storeu_si512(places, _mm512_maskz_compress_epi32(mask, _mm512_add_epi32(counted, _mm512_set1_epi32(start))));
    return count_bits(bits);
#else
    int count = 0;
    for (int i = 0; bits; ++i, bits >>= 1) {
        to[count] = values[i];
        places[count] = start + i;
        count += int(bits & 1);
    }
    return count;
#endif
}

} // namespace mizzle

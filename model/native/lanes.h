#pragma once
// As many doubles as a register holds, computed with at once.
//
// Where compilers have vector types these are used, as wide as the processor that is compiled for allows;
// elsewhere a pair of doubles with the same operators stands in. `multiply_add` is fused only where the
// hardware fuses: whatever is built on it must not depend on that beyond rounding.

#include <bitset>
#include <cstring>

#include "compiler.h"

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

#if defined(MIZZLE_VECTORS)
typedef double Lanes __attribute__((vector_size(LANES * sizeof(double))));
typedef float HalfLanes __attribute__((vector_size(LANES * sizeof(float))));
typedef float Singles __attribute__((vector_size(2 * LANES * sizeof(float))));
#else
template <class Value, int COUNT>
struct Pack {
    Value values[COUNT];
    Value& operator[](int i) { return values[i]; }
    Value operator[](int i) const { return values[i]; }
};
using Lanes = Pack<double, LANES>;
using HalfLanes = Pack<float, LANES>;
using Singles = Pack<float, 2 * LANES>;
#define MIZZLE_OPERATOR(sign)                                    \
    inline Lanes operator sign(const Lanes& a, const Lanes& b) { \
        Lanes out;                                               \
        for (int i = 0; i < LANES; ++i) out[i] = a[i] sign b[i]; \
        return out;                                              \
    }
MIZZLE_OPERATOR(+)
MIZZLE_OPERATOR(-)
MIZZLE_OPERATOR(*)
MIZZLE_OPERATOR(/)
#undef MIZZLE_OPERATOR
#endif

// Value by value, of packs of one type.
template <class Values>
Values larger(const Values& a, const Values& b) {
#if defined(MIZZLE_VECTORS)
    return a > b ? a : b;
#else
    Values out;
    for (int i = 0; i < int(sizeof out / sizeof out[0]); ++i) out[i] = a[i] > b[i] ? a[i] : b[i];
    return out;
#endif
}

template <class Values>
Values smaller(const Values& a, const Values& b) {
#if defined(MIZZLE_VECTORS)
    return a < b ? a : b;
#else
    Values out;
    for (int i = 0; i < int(sizeof out / sizeof out[0]); ++i) out[i] = a[i] < b[i] ? a[i] : b[i];
    return out;
#endif
}

template <class Values, class Value>
Values load_as(const Value* from) {
    Values values;
    std::memcpy(&values, from, sizeof values);
    return values;
}

template <class Values, class Value>
void store(Value* to, const Values& values) {
    std::memcpy(to, &values, sizeof values);
}

inline Lanes load(const double* from) { return load_as<Lanes>(from); }

inline Lanes spread(double v) {
#if defined(__AVX512F__)
    return Lanes{v, v, v, v, v, v, v, v};
#elif defined(__AVX__)
    return Lanes{v, v, v, v};
#else
    return Lanes{v, v};
#endif
}

// a * b + c
inline Lanes multiply_add(const Lanes& a, const Lanes& b, const Lanes& c) {
#if defined(__AVX512F__)
    return _mm512_fmadd_pd(a, b, c);
#elif defined(__FMA__)
    return _mm256_fmadd_pd(a, b, c);
#elif defined(__aarch64__) && defined(MIZZLE_VECTORS)
    return vfmaq_f64(c, a, b);
#else
    return a * b + c;
#endif
}

// Rounded to single precision.
inline HalfLanes rounded(const Lanes& lanes) {
#if defined(MIZZLE_VECTORS)
    return __builtin_convertvector(lanes, HalfLanes);
#else
    HalfLanes out;
    for (int i = 0; i < LANES; ++i) out[i] = static_cast<float>(lanes[i]);
    return out;
#endif
}

constexpr int TOGETHER = 16;  // floats that are compared at once

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

// Put the values whose bits are set, and the places they have from `start` on, at the start of `to` and
// `places`, which have room for `TOGETHER`; returns how many.
inline int pick(const float* values, int start, unsigned bits, float* to, int* places) {
#if defined(__AVX512F__)
    const __m512i counted = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const auto mask = static_cast<__mmask16>(bits);
    _mm512_storeu_ps(to, _mm512_maskz_compress_ps(mask, _mm512_loadu_ps(values)));
    _mm512_storeu_si512(
        places, _mm512_maskz_compress_epi32(mask, _mm512_add_epi32(counted, _mm512_set1_epi32(start))));
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

}  // namespace mizzle

// Several numbers side by side, as the processor computes with them.
//
// Sums over rows have no fixed order in C++ only if it is written down: each lane sums every W-th row.
#pragma once

#include <cstddef>

namespace mizzle {

#if defined(__AVX512F__)
constexpr int LANE_BYTES = 64;
#elif defined(__AVX__)
constexpr int LANE_BYTES = 32;
#else
constexpr int LANE_BYTES = 16;
#endif

#if defined(__GNUC__)  // and Clang
#define MIZZLE_LANES __attribute__((vector_size(LANE_BYTES), may_alias))
using DoubleLanes = double MIZZLE_LANES;
using FloatLanes = float MIZZLE_LANES;
#undef MIZZLE_LANES
#else
template <typename T>
struct PlainLanes {
    T value[LANE_BYTES / sizeof(T)];
    T& operator[](int l) { return value[l]; }
    T operator[](int l) const { return value[l]; }
};
template <typename T>
PlainLanes<T> operator*(const PlainLanes<T>& a, const PlainLanes<T>& b) {
    PlainLanes<T> product;
    for (std::size_t l = 0; l < LANE_BYTES / sizeof(T); ++l) product.value[l] = a.value[l] * b.value[l];
    return product;
}
template <typename T>
PlainLanes<T>& operator+=(PlainLanes<T>& a, const PlainLanes<T>& b) {
    for (std::size_t l = 0; l < LANE_BYTES / sizeof(T); ++l) a.value[l] += b.value[l];
    return a;
}
using DoubleLanes = PlainLanes<double>;
using FloatLanes = PlainLanes<float>;
#endif

template <typename T>
struct LanesOf;
template <>
struct LanesOf<double> {
    using type = DoubleLanes;
};
template <>
struct LanesOf<float> {
    using type = FloatLanes;
};
template <typename T>
using Lanes = typename LanesOf<T>::type;

template <typename T>
constexpr int LANES = LANE_BYTES / int(sizeof(T));

}  // namespace mizzle

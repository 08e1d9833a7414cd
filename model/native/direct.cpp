// Sums of squares here are never fused, or equal distances would differ by the order of columns.
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#elif defined(__GNUC__)
#pragma GCC optimize("-ffp-contract=off")
#elif defined(_MSC_VER)
#pragma fp_contract(off)
#endif

#include "points.h"

namespace mizzle {
namespace {

constexpr float FAR_COLUMN = 1e15f;  // whose square is `FAR`

// A side of `Direct`, and where the query row lies in it.
struct Column {
    Column(const Direct& all, int s, int query)
        : first(all.values[s].data()),
          second(first + (all.dims[s] - 1) * padded(all.n)),
          own{first[query], second[query]} {}
    template <int D>
    float squared_distance(std::size_t i) const {
        const float a = own[0] - first[i], b = own[1] - second[i];
        return D == 1 ? a * a : a * a + b * b;
    }

    const float *first, *second;
    float own[2];
};

template <int DX, int DY>
void measure_both(const Column& x, const Column& y, Distances& to) {
    float *of_x = to.side[0].data(), *of_y = to.side[1].data(), *joint = to.joint.data();
    for (std::size_t i = 0; i < to.joint.size(); ++i) {
        const float apart_x = x.squared_distance<DX>(i), apart_y = y.squared_distance<DY>(i);
        of_x[i] = apart_x;
        of_y[i] = apart_y;
        joint[i] = apart_x > apart_y ? apart_x : apart_y;
    }
}

}  // namespace

Direct::Direct(int rows, int dx, int dy) : dims{dx, dy} { resize(rows); }

void Direct::resize(int rows) {
    n = rows;
    for (int s = 0; s < 2; ++s) values[s].assign(std::size_t(dims[s]) * std::size_t(padded(n)), FAR_COLUMN);
}

void Direct::measure(int query, Distances& to) const {
    to.resize(n);
    const Column x(*this, 0, query), y(*this, 1, query);
    if (dims[0] == 1 && dims[1] == 1) measure_both<1, 1>(x, y, to);
    if (dims[0] == 1 && dims[1] == 2) measure_both<1, 2>(x, y, to);
    if (dims[0] == 2 && dims[1] == 1) measure_both<2, 1>(x, y, to);
    if (dims[0] == 2 && dims[1] == 2) measure_both<2, 2>(x, y, to);
    to.exclude(query);
}

}  // namespace mizzle

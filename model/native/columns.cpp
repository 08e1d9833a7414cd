#include "columns.h"

#include <algorithm>

#include "bins.h"

namespace mizzle {
namespace columns {
namespace {

// A statistic of one column with each of several others, `step` apart.
struct Others {
    const float* first;
    std::ptrdiff_t step;
    int count, own;  // own: the place of the column itself, which is left out; -1 where it is not among them
};

enum class Sum { plain, squares, nats };

float term(Sum sum, float value) {
    return sum == Sum::plain ? value : sum == Sum::squares ? value * value : information(value);
}

float largest(const Others& others) {
    float value = 0;
    for (int i = 0; i < others.count; ++i)
        if (i != others.own) value = std::max(value, others.first[i * others.step]);
    return value;
}

float total(const Others& others, Sum sum) {
    double all = 0;
    for (int i = 0; i < others.count; ++i)
        if (i != others.own) all += double(term(sum, others.first[i * others.step]));
    return float(all);
}

// Column c of side s with all columns of the other side, from a matrix that is stored [y * dx + x].
Others across(const Sample& sample, const float* matrix, int s, int c) {
    const int dx = sample.dims[0];
    return s ? Others{matrix + std::ptrdiff_t(c) * dx, 1, dx, -1}
             : Others{matrix + c, dx, sample.dims[1], -1};
}

// Statistics of a column: where those of several kinds stand, and how they are summed.
struct Group {
    std::vector<Others> kinds;
};

Group group_across(const Sample& sample, const float* matrices, int kinds, int s, int c) {
    const std::ptrdiff_t pairs = std::ptrdiff_t(sample.dims[0]) * sample.dims[1];
    Group group;
    for (int e = 0; e < kinds; ++e) group.kinds.push_back(across(sample, matrices + e * pairs, s, c));
    return group;
}

// Correlations under all functions. Those that name a side change places: z of this column stands first.
Group group_cross(const Sample& sample, const Pairs& pairs, int s, int c) {
    Group group = group_across(sample, pairs.cross.data(), moments::CROSS, s, c);
    if (s) std::swap(group.kinds[moments::CROSS - 2], group.kinds[moments::CROSS - 1]);
    return group;
}

Group group_within(const Sample& sample, const Pairs& pairs, int s, int c) {
    const int d = sample.dims[s];
    Group group;
    for (int e = 0; e < moments::WITHIN; ++e)
        group.kinds.push_back(
            {pairs.within[s].data() + std::ptrdiff_t(e) * d * d + std::ptrdiff_t(c) * d, 1, d, c});
    return group;
}

float* write_largest(const Group& group, float* out) {
    for (const Others& others : group.kinds) *out++ = largest(others);
    return out;
}

float* write_totals(const Group& group, Sum sum, float* out) {
    for (const Others& others : group.kinds) *out++ = total(others, sum);
    return out;
}

// Mean square of the scores, which ties lower.
float mean_square(const float* z, int n) {
    double sum = 0;
    for (int i = 0; i < n; ++i) sum += double(z[i]) * double(z[i]);
    return float(sum / n);
}

}  // namespace

void tokens(const Sample& sample, const Linear& linear, const Pairs& pairs, const std::vector<float>& binned,
            float* tokens, int stride) {
    const std::vector<float> partial(linear.partial.begin(), linear.partial.end());
    for (int s = 0; s < 2; ++s)
        for (int c = 0; c < sample.dims[s]; ++c, tokens += stride) {
            const Group cross = group_cross(sample, pairs, s, c), within = group_within(sample, pairs, s, c);
            const Group cut = group_across(sample, binned.data(), bins::COUNT, s, c);
            const Group rest = group_across(sample, partial.data(), moments::PARTIAL_COUNT, s, c);
            float* out = write_largest(cross, tokens);
            out = write_totals(cross, Sum::squares, out);
            out = write_totals(cross, Sum::nats, out);
            out = write_largest(cut, out);
            out = write_totals(cut, Sum::plain, out);
            out = write_largest(rest, out);
            out = write_totals(rest, Sum::nats, out);
            out = write_largest(within, out);
            out = write_totals(within, Sum::squares, out);
            *out++ = float(linear.explained[s * sample.dims[0] + c]);
            *out++ = mean_square(sample.score(s, c), sample.n);
        }
}

void pool(const Sample& sample, const float* tokens, int stride, float* overall) {
    for (int e = 0; e < CHANNELS; ++e) {
        double total = 0;
        float largest = 0;
        for (int c = 0; c < sample.total(); ++c) {
            total += double(tokens[c * stride + e]);
            largest = std::max(largest, tokens[c * stride + e]);
        }
        overall[e] = float(total);
        overall[CHANNELS + e] = float(total / sample.total());
        overall[2 * CHANNELS + e] = largest;
    }
}

}  // namespace columns
}  // namespace mizzle

#include "columns.h"

#include <algorithm>

#include "algebra.h"
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

float largest(const Others& others) {
    float value = 0;
    for (int i = 0; i < others.count; ++i)
        if (i != others.own) value = std::max(value, others.first[i * others.step]);
    return value;
}

float total(const Others& others) {
    double all = 0;
    for (int i = 0; i < others.count; ++i)
        if (i != others.own) all += double(others.first[i * others.step]);
    return float(all);
}

float total_squares(const Others& others) {
    double all = 0;
    for (int i = 0; i < others.count; ++i) {
        const float value = others.first[i * others.step];
        if (i != others.own) all += double(value * value);
    }
    return float(all);
}

// Column c of side s with all columns of the other side, from a matrix that is stored [y * dx + x].
Others across(const Sample& sample, const float* matrix, int s, int c) {
    const int dx = sample.dims[0];
    return s ? Others{matrix + std::ptrdiff_t(c) * dx, 1, dx, -1}
             : Others{matrix + c, dx, sample.dims[1], -1};
}

// Statistics of one column of several kinds.
using Group = std::vector<Others>;

Group group_across(const Sample& sample, const float* matrices, int kinds, int s, int c) {
    const std::ptrdiff_t pairs = std::ptrdiff_t(sample.dims[0]) * sample.dims[1];
    Group group;
    for (int e = 0; e < kinds; ++e) group.push_back(across(sample, matrices + e * pairs, s, c));
    return group;
}

// Under all functions. Those that name a side change places: z of this column stands first.
Group group_cross(const Sample& sample, const std::vector<float>& values, int s, int c) {
    Group group = group_across(sample, values.data(), moments::CROSS, s, c);
    if (s) std::swap(group[moments::CROSS - 2], group[moments::CROSS - 1]);
    return group;
}

Group group_within(const Sample& sample, const Pairs& pairs, int s, int c) {
    const int d = sample.dims[s];
    Group group;
    for (int e = 0; e < moments::WITHIN; ++e)
        group.push_back({pairs.within[s].data() + std::ptrdiff_t(e * d + c) * d, 1, d, c});
    return group;
}

float* write(float (*statistic)(const Others&), const Group& group, float* out) {
    return std::transform(group.begin(), group.end(), out, statistic);
}

std::vector<float> nats_of(const std::vector<float>& correlations) {
    std::vector<float> nats(correlations.size());
    std::transform(correlations.begin(), correlations.end(), nats.begin(), information);
    return nats;
}

}  // namespace

void tokens(const Sample& sample, const Linear& linear, const Pairs& pairs, const std::vector<float>& binned,
            float* tokens, int stride) {
    const std::vector<float> partial(linear.partial.begin(), linear.partial.end());
    const std::vector<float> cross_nats = nats_of(pairs.cross), partial_nats = nats_of(partial);
    const int n = sample.n;
    for (int s = 0; s < 2; ++s)
        for (int c = 0; c < sample.dims[s]; ++c, tokens += stride) {
            const Group cross = group_cross(sample, pairs.cross, s, c);
            const Group cut = group_across(sample, binned.data(), bins::COUNT, s, c);
            const Group rest = group_across(sample, partial.data(), moments::PARTIAL_COUNT, s, c);
            const Group within = group_within(sample, pairs, s, c);
            float* out = write(largest, cross, tokens);
            out = write(total_squares, cross, out);
            out = write(total, group_cross(sample, cross_nats, s, c), out);
            out = write(largest, cut, out);
            out = write(total, cut, out);
            out = write(largest, rest, out);
            out = write(total, group_across(sample, partial_nats.data(), moments::PARTIAL_COUNT, s, c), out);
            out = write(largest, within, out);
            out = write(total_squares, within, out);
            *out++ = float(linear.explained[s * sample.dims[0] + c]);
            *out++ = dot(sample.score(s, c), sample.score(s, c), n) / float(n);  // which ties lower
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

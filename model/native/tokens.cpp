#include "tokens.h"

#include "registry.h"

namespace mizzle {
namespace {

// Tokens of one kind, filled from the left.
struct Rows {
    std::vector<float> values;
    int count, stride, filled;
};

Rows empty_rows(const Context& context, Kind kind) {
    const int count = count_tokens(context, kind), stride = channels(kind);
    return {std::vector<float>(std::size_t(count) * std::size_t(stride)), count, stride, 0};
}

// Writes the channels of a statistic; returns where the first token has them.
float* write(const Context& context, const Statistic& statistic, Rows& rows) {
    float* first = rows.values.data() + rows.filled;
    rows.filled += statistic.channels;
    if (rows.count) statistic.compute(context, rows.count, first, rows.stride);
    return first;
}

}  // namespace

Tokens tokenise(const Sample& sample) {
    const Context context(sample);
    Rows kinds[KINDS];
    for (int kind = 0; kind < KINDS; ++kind) kinds[kind] = empty_rows(context, Kind(kind));
    std::vector<float> overall(static_cast<std::size_t>(overall_channels()));
    float* end = overall.data();
    for (const Statistic& statistic : statistics()) {
        float* own = nullptr;
        int stride = 0;
        for (int kind = 0; kind < KINDS; ++kind) {
            if (statistic.token != Kind(kind) && statistic.token != Kind::every) continue;
            own = write(context, statistic, kinds[kind]);
            stride = kinds[kind].stride;
        }
        if (statistic.pool) statistic.pool(context, own, stride, end);
        end += statistic.pooled;
    }
    return {std::move(overall),
            std::move(kinds[0].values),
            std::move(kinds[1].values),
            std::move(kinds[2].values),
            std::move(kinds[3].values),
            kinds[0].count,
            kinds[1].count,
            kinds[2].count,
            kinds[3].count};
}

}  // namespace mizzle

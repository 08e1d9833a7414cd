#include "calibrate.h"

#include <algorithm>
#include <cmath>
#include <iterator>

namespace mizzle {
namespace {

static_assert(SHAPES == (std::size(ROW_EDGES) + 1) * (std::size(COLUMN_EDGES) + 1), "a cell of each");
static_assert(ANSWER_COUNT == std::size(ANSWERS), "an answer of each");

// As many edges as are not above the value
template <std::size_t Count>
int bucket(const int (&edges)[Count], int value) {
    return int(std::upper_bound(std::begin(edges), std::end(edges), value) - std::begin(edges));
}

// Where the net's median lies among ANSWERS: 0 to 3, linear between neighbours.
float place(float median) {
    float sum = 0.0f;
    for (int a = 0; a + 1 < ANSWER_COUNT; ++a) {
        const float low = float(std::log1p(ANSWERS[a])), high = float(std::log1p(ANSWERS[a + 1]));
        sum += std::clamp((median - low) / (high - low), 0.0f, 1.0f);
    }
    return sum;
}

// As torch interpolates: from the closer end
float lerp(float start, float end, float weight) {
    return weight < 0.5f ? start + weight * (end - start) : end - (end - start) * (1.0f - weight);
}

// The net's quantile at a level, linear between its own levels
float quantile(const float* values, float level) {
    int right = 1;
    while (right < QUANTILES - 1 && float(LEVELS[right]) < level) ++right;
    const float low = float(LEVELS[right - 1]), high = float(LEVELS[right]);
    const float share = (level - low) / (high - low);
    return values[right - 1] + share * (values[right] - values[right - 1]);
}

}  // namespace

int shape_cell(int n, int columns) {
    return bucket(ROW_EDGES, n) * int(std::size(COLUMN_EDGES) + 1) + bucket(COLUMN_EDGES, columns);
}

void Calibration::apply(const float* values, int n, int columns, float* calibrated) const {
    const float answer = place(values[MIDDLE]);
    const int lower = std::min(int(answer), ANSWER_COUNT - 2);
    const float* low = levels.data() + std::size_t(shape_cell(n, columns) * ANSWER_COUNT + lower) * QUANTILES;
    const float* high = low + QUANTILES;
    for (int q = 0; q < QUANTILES; ++q)
        calibrated[q] = quantile(values, lerp(low[q], high[q], answer - float(lower)));
}

}  // namespace mizzle

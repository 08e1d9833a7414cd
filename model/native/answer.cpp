#include "answer.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace mizzle {
namespace {

constexpr int AT_ONCE = 32;  // problems of which the net computes together: tokens of more leave the cache

Answer not_finite() {
    Answer answer;
    answer.mean = answer.excess = std::numeric_limits<double>::quiet_NaN();
    std::fill(std::begin(answer.nats), std::end(answer.nats), answer.mean);
    return answer;
}

bool finite(const float* values) {
    return std::all_of(values, values + QUANTILES, [](float value) { return std::isfinite(value); });
}

}  // namespace

Model::Model(const Tensors& tensors, const NetSizes& sizes, int fewest_rows, int largest_rows)
    : net_(tensors, sizes),
      calibration_{tensors.get("calibration.levels", SHAPES * ANSWER_COUNT * QUANTILES)},
      novelty_(tensors, net_.features()),
      fewest_rows_(fewest_rows),
      largest_rows_(largest_rows) {}

void Model::answer(const TokenView* problems, const Shape* shapes, const double* ceilings, int count,
                   Answer* answers) const {
    for (int first = 0; first < count; first += AT_ONCE) {
        const Raw raw = net_(problems + first, std::min(AT_ONCE, count - first));
        const auto scores = novelty_.scores(raw.features);
        for (std::size_t b = 0; b < scores.size(); ++b) {
            const std::size_t problem = std::size_t(first) + b;
            answers[problem] =
                finished(raw.quantiles[b], scores[b], shapes[problem], ceilings + problem * QUANTILES);
        }
    }
}

Answer Model::finished(const float* raw, float score, Shape shape, const double* ceiling) const {
    if (!finite(raw) || !std::isfinite(score)) return not_finite();
    float values[QUANTILES];
    Answer answer;
    calibration_.apply(raw, shape.n, shape.columns, values);
    to_nats(values, ceiling, answer.nats);
    answer.mean = posterior_mean(answer.nats);
    const float excess = novelty_.excess(score, shape.n, shape.columns);
    const bool beyond = shape.n < fewest_rows_ || shape.n > largest_rows_;
    stretch(values, beyond ? std::max(excess, BEYOND_ROWS) : excess);
    to_nats(values, ceiling, answer.nats);
    answer.excess = double(excess);
    return answer;
}

}  // namespace mizzle

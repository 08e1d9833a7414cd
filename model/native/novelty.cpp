#include "novelty.h"

#include <algorithm>
#include <cmath>

#include "calibrate.h"

namespace mizzle {

Novelty::Novelty(const Tensors& tensors, int features)
    : centre_(tensors.get("novelty.centre", features)),
      thresholds_(tensors.get("novelty.thresholds", SHAPES)),
      whitening_(tensors.get("novelty.whitening", std::int64_t(features) * features).data(), nullptr,
                 features, features, Order::by_input) {}

std::vector<float> Novelty::scores(const Activations& features) const {
    Activations centred = features;
    for (std::size_t b = 0; b < centred.count(); ++b)
        for (std::size_t g = 0; g < centre_.size(); ++g) centred[b][g] -= centre_[g];
    const Activations white = whitening_(centred);
    std::vector<float> scores;
    for (std::size_t b = 0; b < white.count(); ++b) {
        double squares = 0.0;
        for (int g = 0; g < white.width(); ++g) squares += double(white[b][g]) * double(white[b][g]);
        scores.push_back(float(std::sqrt(squares)));
    }
    return scores;
}

float Novelty::excess(float score, int n, int columns) const {
    return score / thresholds_[std::size_t(shape_cell(n, columns))];
}

void stretch(float* values, float excess) {
    const float middle = values[MIDDLE], widening = std::clamp(excess, 1.0f, LARGEST_WIDENING);
    for (int q = 0; q < QUANTILES; ++q) values[q] = middle + (values[q] - middle) * widening;
}

}  // namespace mizzle

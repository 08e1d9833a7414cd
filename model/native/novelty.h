// Novelty: how far a sample's statistics lie from everything in the training.
//
// The score is the Mahalanobis distance of the net's standardised global features from those of held-out
// draws of the training; each cell of shapes has a threshold of its own.
#pragma once

#include <vector>

#include "layers.h"
#include "tensors.h"

namespace mizzle {

constexpr float LARGEST_WIDENING = 3.0f;  // times as wide, at the utmost

class Novelty {
public:
    Novelty(const Tensors& tensors, int features);

    // |(features - centre) whitening| of each problem
    std::vector<float> scores(const Activations& features) const;

    // A score as a multiple of the threshold for this shape; familiar up to 1.
    float excess(float score, int n, int columns) const;

private:
    std::vector<float> centre_, thresholds_;
    Dense whitening_;
};

// Quantiles of log(1 + I) spread about their median, in place, in proportion to the excess over 1.
void stretch(float* values, float excess);

}  // namespace mizzle

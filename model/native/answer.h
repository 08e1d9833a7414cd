// From what the network gives to the answer: calibrated, stretched where the sample is novel, below its
// ceiling.
#pragma once

#include <memory>

#include "calibrate.h"
#include "net.h"
#include "novelty.h"

namespace mizzle {

constexpr float BEYOND_ROWS = 1.5f;  // times as wide, for an n outside the trained range

// What an answer depends on besides the tokens.
struct Shape {
    std::int32_t n, columns;  // rows, and dx + dy, of columns that vary
};

// Posterior mean and quantiles in nats, and the excess of novelty over its threshold. All NaN where the net
// gave something that is not finite.
struct Answer {
    double mean;
    double nats[QUANTILES];
    double excess;
};

// A network with its calibration; no call changes it, so that threads may share one.
class Model {
public:
    // rows: smallest and largest n of the training.
    Model(const Tensors& tensors, const NetSizes& sizes, int fewest_rows, int largest_rows);
    const Net& net() const { return net_; }

    // ceilings: QUANTILES upper bounds in nats for each problem.
    void answer(const TokenView* problems, const Shape* shapes, const double* ceilings, int count,
                Answer* answers) const;

private:
    Answer finished(const float* raw, float score, Shape shape, const double* ceiling) const;

    Net net_;
    Calibration calibration_;
    Novelty novelty_;
    int fewest_rows_, largest_rows_;
};

}  // namespace mizzle

// Recalibration: in each stratum of n, columns and answer, the net's level to report as each nominal one.
#pragma once

#include <vector>

#include "quantiles.h"

namespace mizzle {

constexpr int ROW_EDGES[] = {50, 150, 500, 2000};
constexpr int COLUMN_EDGES[] = {3, 11};  // of dx + dy: 1 + 1, a handful, many
constexpr double ANSWERS[] = {0.02, 0.2, 1.0,
                              4.0};  // medians of the net, in nats, in the middle of the strata
constexpr int SHAPES = 15;           // cells of rows and columns
constexpr int ANSWER_COUNT = 4;

// Index of the cell of n and dx + dy.
int shape_cell(int n, int columns);

struct Calibration {
    std::vector<float> levels;  // levels[c * QUANTILES + q] of stratum c

    // The recalibrated quantiles at LEVELS; between two answers their levels are interpolated.
    void apply(const float* values, int n, int columns, float* calibrated) const;
};

}  // namespace mizzle

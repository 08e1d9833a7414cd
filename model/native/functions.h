// Functions of the columns: z, z^2, tanh 3z and z^3 - 3z of every normal score.
#pragma once

#include <vector>

#include "sample.h"

namespace mizzle {

constexpr int COLUMN_FUNCTIONS = 4;

struct Functions {
    const Sample* sample;                                // has z itself
    std::vector<float> others[COLUMN_FUNCTIONS - 1][2];  // others[f - 1][s][c * n + row]
    std::vector<float> mean[COLUMN_FUNCTIONS][2];        // over the rows, of every column

    const float* of(int f, int s) const { return f ? others[f - 1][s].data() : sample->scores[s].data(); }
};

// Of a sample that must outlive them.
Functions column_functions(const Sample&);

// Means of so many columns, [c * n + row].
std::vector<float> means(const float* values, int columns, int n);

}  // namespace mizzle

#pragma once
// Sums of products of columns over rows.

#include "lanes.h"

namespace mizzle {

constexpr int GRAM_COLUMNS =
    2 * LANES > 4 ? 2 * LANES : 4;  // rows are padded with zeros to multiples of so many columns

inline int gram_width(int columns) { return (columns + GRAM_COLUMNS - 1) / GRAM_COLUMNS * GRAM_COLUMNS; }

// sums[i * width + j] += sum over r of rows[r * width + i] * rows[r * width + j], for all i < columns and j
// >= i at least.
void add_gram(const double* rows, int count, int columns, double* sums);

}  // namespace mizzle

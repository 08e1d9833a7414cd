// Statistic tokens: everything the network gets to see of a sample.
//
// One token per column, query row and so on, and one global token, filled with what `registry.h` lists. Each
// is free of signs, of column order, of row order and of which side is called X; see docs/method.md for the
// list.
#pragma once

#include <vector>

#include "sample.h"

namespace mizzle {

// The tokens of every kind, row by row, and the global one.
struct Tokens {
    std::vector<float> overall, rows, columns, spectrum, edges;
    int row_count, column_count, spectrum_count, edge_count;
};

Tokens tokenise(const Sample&);

}  // namespace mizzle

// Columns to centred double ranks, and rows to numbers, by radix sorting: what `model/preprocess.py` starts
// with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace mizzle {

using Rank = std::int64_t;

// A key and the row that it belongs to.
struct Keyed {
    std::uint64_t key;
    std::uint32_t row;
};

// An integer that orders as the double does, the same of both zeros.
std::uint64_t ordered(double value);

// Sorts by key, byte by byte from the lowest; rows of equal keys stay in order. `spare` is scratch.
void radix_sort(std::vector<Keyed>& items, std::vector<Keyed>& spare);

// Rows below minus rows above: -(n-1), -(n-3), .. n-1 without ties.
//
// values: of one column, finite, so many doubles apart from each other; ranks: n of them.
// Returns the number of distinct values.
std::int64_t centred_ranks(const double* values, std::ptrdiff_t stride, std::size_t n, Rank* ranks);

// The correlation of a column's ranks with themselves one row later.
double lag_one_correlation(const Rank* ranks, std::size_t n);

// A number for every row, the same for equal rows, in the order of their columns' ranks: 0, 1, .. below n.
//
// ranks: column by column. Returns how many different rows there are.
std::int64_t number_rows(const Rank* ranks, std::size_t columns, std::size_t n, std::int64_t* numbers);

}  // namespace mizzle

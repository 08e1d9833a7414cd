// Entropy and mutual information of discrete samples by counting, where the table is well filled.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mizzle {

constexpr int FILLED =
    3;  // rows for every cell of the table of x against y, from which on its counts are trusted

using Label = std::int64_t;

// A number of nats by counting: the plug-in estimate with Miller and Madow's (1955) correction, its standard
// error to second order, and what it cannot exceed whatever the counts.
struct Counted {
    double value, error, bound;
};

// Entropy of the distribution that n labels 0, 1, .. were drawn from.
Counted entropy(const Label* labels, std::size_t n);

// Mutual information of labels 0, 1, ..; false where their table has too few rows to a cell.
bool information(const Label* x, const Label* y, std::size_t n, Counted& result);

}  // namespace mizzle

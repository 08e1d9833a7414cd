// Mutual information of two columns cut into equally filled bins: catches what no moment sees.
#pragma once

#include <cstdint>
#include <vector>

#include "sample.h"

namespace mizzle {

namespace bins {
constexpr int BINS[] = {8, 4};               // each divides the one before
constexpr int FINE_BINS[] = {32, 16, 8, 4};  // of edges
constexpr int COUNT = 2, FINE_COUNT = 4, FINEST = 32, LEVELS = 6;
}  // namespace bins

// The bin from below and the bin from above of every row, of `bins::FINEST`: two for a rank on an edge.
//
// Half of the row counts in either, which makes reversal of a column exact: bin i becomes bin k - 1 - i.
struct Ends {
    std::vector<std::uint8_t> low, high;
    std::vector<int> on_edge;  // rows with two bins
};

Ends bin_ends(const Rank* ranks, int n);

// Counts of rows, in quarters, in each cell of bins x bins; [y * bins + x].
class BinTable {
public:
    BinTable(const Ends& x, const Ends& y, int n, int bins);

    // Half as many bins.
    void coarsen();

    // Plug-in mutual information in nats: sum p(i,j) log p(i,j) minus the same of the two margins.
    double information() const;

private:
    void add(int x, int y, int quarters) { counts_[std::size_t(y * bins_ + x)] += quarters; }

    int n_, bins_;
    std::vector<int> counts_;
};

// In nats, of every cross pair at each of `bins::BINS`: [(k * dy + y) * dx + x].
std::vector<float> binned_information(const Sample&, const std::vector<Ends> (&ends)[2]);

}  // namespace mizzle

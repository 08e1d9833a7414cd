#include "bins.h"

#include <algorithm>
#include <cmath>

namespace mizzle {
namespace {

constexpr int TABULATED = 4096, ROWS_AT_ONCE = 256;

std::vector<double> tabulate() {
    std::vector<double> table(TABULATED);
    for (int c = 1; c < TABULATED; ++c) table[c] = c * std::log(double(c));
    return table;
}

// c log c, and 0 at 0.
class LogProducts {
public:
    double operator()(int c) const { return c < TABULATED ? table_[c] : c * std::log(double(c)); }

private:
    static const std::vector<double>& tabulated() {
        static const std::vector<double> TABLE = tabulate();
        return TABLE;
    }

    const double* table_ = tabulated().data();
};

int shift_to(int bins) {
    int shift = 0;
    while (bins << shift < bins::FINEST) ++shift;
    return shift;
}

}  // namespace

// A rank a lies in bin k where k <= bins (a + n) / (2 n) <= k + 1. The quotient is exact enough in double
// precision: only if it is a whole number is it rounded to one.
Ends bin_ends(const Rank* ranks, int n) {
    Ends ends{std::vector<std::uint8_t>(n), std::vector<std::uint8_t>(n), {}};
    for (int i = 0; i < n; ++i) {
        const double quotient = double(bins::FINEST * (ranks[i] + n)) / (2.0 * n);
        const int below = int(quotient), above = below - (quotient == below);
        ends.low[i] = std::uint8_t(std::min(below, bins::FINEST - 1));
        ends.high[i] = std::uint8_t(std::max(above, 0));
        if (ends.low[i] != ends.high[i]) ends.on_edge.push_back(i);
    }
    return ends;
}

// All rows as if each lay in one cell; then those on an edge of x, and those on an edge of y alone, anew.
BinTable::BinTable(const Ends& x, const Ends& y, int n, int bins) : n_(n), bins_(bins), counts_(bins * bins) {
    const int shift = shift_to(bins);
    std::uint16_t cells[ROWS_AT_ONCE];  // computed many at once
    for (int start = 0; start < n; start += ROWS_AT_ONCE) {
        const int rows = std::min(ROWS_AT_ONCE, n - start);
        for (int i = 0; i < rows; ++i)
            cells[i] = std::uint16_t((y.low[start + i] >> shift) * bins + (x.low[start + i] >> shift));
        for (int i = 0; i < rows; ++i) counts_[cells[i]] += 4;
    }
    const auto spread = [&](int i) {
        const int xs[] = {x.low[i] >> shift, x.high[i] >> shift},
                  ys[] = {y.low[i] >> shift, y.high[i] >> shift};
        add(xs[0], ys[0], -4);
        for (int u : xs)
            for (int v : ys) add(u, v, 1);
    };
    for (int i : x.on_edge) spread(i);
    for (int i : y.on_edge)
        if (x.low[i] == x.high[i]) spread(i);
}

void BinTable::coarsen() {
    const int fewer = bins_ / 2;
    for (int y = 0; y < fewer; ++y)
        for (int x = 0; x < fewer; ++x) {
            const int *above = counts_.data() + 2 * y * bins_ + 2 * x, *below = above + bins_;
            counts_[y * fewer + x] = above[0] + above[1] + below[0] + below[1];
        }
    bins_ = fewer;
}

double BinTable::information() const {
    const LogProducts log_product;
    int columns[bins::FINEST] = {};
    double joint = 0, margins = 0;
    for (int y = 0; y < bins_; ++y) {
        const int* counts = counts_.data() + y * bins_;
        int row = 0;
        double of_row = 0;
        for (int x = 0; x < bins_; ++x) {
            of_row += log_product(counts[x]);
            columns[x] += counts[x];
            row += counts[x];
        }
        joint += of_row;
        margins += log_product(row);
    }
    for (int x = 0; x < bins_; ++x) margins += log_product(columns[x]);
    const double all = 4.0 * n_;
    return std::max((joint - margins) / all + std::log(all), 0.0);
}

std::vector<float> binned_information(const Sample& sample, const std::vector<Ends> (&ends)[2]) {
    const int dx = sample.dims[0], dy = sample.dims[1], pairs = dx * dy;
    std::vector<float> nats(bins::COUNT * pairs);
    for (int y = 0; y < dy; ++y)
        for (int x = 0; x < dx; ++x) {
            BinTable table(ends[0][x], ends[1][y], sample.n, bins::BINS[0]);
            for (int k = 0; k < bins::COUNT; ++k) {
                if (k) table.coarsen();
                nats[k * pairs + y * dx + x] = float(table.information());
            }
        }
    return nats;
}

}  // namespace mizzle

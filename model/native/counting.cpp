#include "counting.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace mizzle {
namespace {

using Counts = std::vector<std::int64_t>;

Counts counts_of(const Label* labels, std::size_t n) {
    const Label largest = n > 0 ? *std::max_element(labels, labels + n) : -1;
    Counts counts(std::size_t(largest + 1));
    for (std::size_t i = 0; i < n; ++i) ++counts[std::size_t(labels[i])];
    return counts;
}

std::int64_t positive(const Counts& counts) {
    return std::int64_t(counts.size()) - std::count(counts.begin(), counts.end(), 0);
}

// What a cell adds: so many rows, each with so many nats.
struct Cell {
    double count, nats;
};

// The mean of the nats over rows; its bias is -sign * freedom / 2n.
Counted counted(const std::vector<Cell>& cells, double n, std::int64_t freedom, double bound, int sign) {
    double sum = 0.0, squares = 0.0;
    for (const Cell& cell : cells) sum += cell.count * cell.nats;
    const double mean = sum / n;
    for (const Cell& cell : cells) squares += cell.count * (cell.nats - mean) * (cell.nats - mean);
    const double variance = squares / (n * n) + double(std::max<std::int64_t>(freedom, 0)) / (2 * n * n);
    return {mean + sign * double(freedom) / (2 * n), std::sqrt(variance), bound};
}

}  // namespace

Counted entropy(const Label* labels, std::size_t n) {
    const Counts counts = counts_of(labels, n);
    std::vector<Cell> cells;
    for (const std::int64_t count : counts)
        if (count > 0) cells.push_back({double(count), -std::log(double(count) / double(n))});
    return counted(cells, double(n), positive(counts) - 1, std::log(double(positive(counts))), 1);
}

bool information(const Label* x, const Label* y, std::size_t n, Counted& result) {
    const Counts of_x = counts_of(x, n), of_y = counts_of(y, n);
    const std::int64_t levels_x = positive(of_x), levels_y = positive(of_y);
    if (double(FILLED) * double(levels_x) * double(levels_y) > double(n)) return false;
    Counts table(of_x.size() * of_y.size());
    for (std::size_t i = 0; i < n; ++i) ++table[std::size_t(x[i]) * of_y.size() + std::size_t(y[i])];
    std::vector<Cell> cells;
    for (std::size_t cell = 0; cell < table.size(); ++cell) {
        if (table[cell] == 0) continue;
        const double expected =
            double(of_x[cell / of_y.size()]) / double(n) * double(of_y[cell % of_y.size()]);
        cells.push_back({double(table[cell]), std::log(double(table[cell]) / expected)});
    }
    const std::int64_t freedom = std::int64_t(cells.size()) - levels_x - levels_y + 1;
    result = counted(cells, double(n), freedom, std::log(double(std::min(levels_x, levels_y))), -1);
    return true;
}

}  // namespace mizzle

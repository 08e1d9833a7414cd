#include "ranks.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace mizzle {
namespace {

constexpr int BYTES = 8, VALUES = 256;

using Counts = std::array<std::array<std::uint32_t, VALUES>, BYTES>;

std::size_t byte_of(std::uint64_t key, int place) { return std::size_t(key >> (8 * place) & 0xff); }

Counts count_bytes(const std::vector<Keyed>& items) {
    Counts counts{};
    for (const Keyed& item : items)
        for (int place = 0; place < BYTES; ++place) ++counts[std::size_t(place)][byte_of(item.key, place)];
    return counts;
}

void distribute(const std::vector<Keyed>& items, std::vector<Keyed>& sorted, int place,
                std::array<std::uint32_t, VALUES>& counts) {
    std::uint32_t start = 0;
    for (std::uint32_t& count : counts) {
        const std::uint32_t own = count;
        count = start;
        start += own;
    }
    for (const Keyed& item : items) sorted[counts[byte_of(item.key, place)]++] = item;
}

// Calls use(first, end) for each run of equal keys; returns how many there are.
template <typename Use>
std::int64_t for_runs(const std::vector<Keyed>& items, Use use) {
    std::int64_t runs = 0;
    for (std::size_t first = 0, end = 0; first < items.size(); first = end, ++runs) {
        while (end < items.size() && items[end].key == items[first].key) ++end;
        use(first, end);
    }
    return runs;
}

}  // namespace

// Both zeros are equal, but their bits are not. By a comparison: the addition of 0.0 makes them so, too, but a
// compiler may leave it out.
std::uint64_t ordered(double value) {
    constexpr std::uint64_t sign = std::uint64_t(1) << 63;
    if (value == 0.0) return sign;
    std::uint64_t bits;
    static_assert(sizeof bits == sizeof value, "doubles have 64 bits");
    std::memcpy(&bits, &value, sizeof bits);
    return bits & sign ? ~bits : bits | sign;
}

void radix_sort(std::vector<Keyed>& items, std::vector<Keyed>& spare) {
    spare.resize(items.size());
    Counts counts = count_bytes(items);
    for (int place = 0; place < BYTES; ++place) {
        auto& own = counts[std::size_t(place)];
        if (items.empty() || own[byte_of(items[0].key, place)] == items.size())
            continue;  // all have the same byte
        distribute(items, spare, place, own);
        items.swap(spare);
    }
}

std::int64_t centred_ranks(const double* values, std::ptrdiff_t stride, std::size_t n, Rank* ranks) {
    std::vector<Keyed> items(n), spare;
    for (std::size_t i = 0; i < n; ++i)
        items[i] = {ordered(values[std::ptrdiff_t(i) * stride]), std::uint32_t(i)};
    radix_sort(items, spare);
    return for_runs(items, [&](std::size_t first, std::size_t end) {
        const Rank rank = Rank(first + end) - Rank(n);
        for (std::size_t i = first; i < end; ++i) ranks[items[i].row] = rank;
    });
}

double lag_one_correlation(const Rank* ranks, std::size_t n) {
    double products = 0.0, squares = 0.0;
    for (std::size_t i = 0; i < n; ++i) {
        const double rank = double(ranks[i]);
        squares += rank * rank;
        if (i > 0) products += rank * double(ranks[i - 1]);
    }
    return products / squares;
}

std::int64_t number_rows(const Rank* ranks, std::size_t columns, std::size_t n, std::int64_t* numbers) {
    std::fill(numbers, numbers + n, 0);
    std::vector<Keyed> items(n), spare;
    std::int64_t count = n > 0 ? 1 : 0;
    for (std::size_t c = 0; c < columns; ++c) {
        for (std::size_t i = 0; i < n; ++i) {
            const std::uint64_t above = std::uint64_t(numbers[i]) * (2 * n) + n;
            items[i] = {above + std::uint64_t(ranks[c * n + i]), std::uint32_t(i)};
        }
        radix_sort(items, spare);
        std::int64_t number = 0;
        count = for_runs(items, [&](std::size_t first, std::size_t end) {
            for (std::size_t i = first; i < end; ++i) numbers[items[i].row] = number;
            ++number;
        });
    }
    return count;
}

}  // namespace mizzle

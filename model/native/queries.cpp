#include "queries.h"

#include <algorithm>
#include <cstdlib>

namespace mizzle {
namespace {

using Hash = std::uint64_t;
using Keys = std::vector<Hash>;

// v >> bits of the signed number, as the reference shifts.
Hash shifted(Hash v, int bits) { return static_cast<Hash>(static_cast<std::int64_t>(v) >> bits); }

// Scatter integers over 64 bits (the finaliser of splitmix64, Steele et al. 2014).
Hash mix(Hash v) {
    v = (v ^ shifted(v, 30)) * 0xBF58476D1CE4E5B9u;
    v = (v ^ shifted(v, 27)) * 0x94D049BB133111EBu;
    return v ^ shifted(v, 31);
}

// mix(a^2) by |a|: ranks of all columns are below n.
Keys mixed_squares(int n) {
    Keys table(static_cast<std::size_t>(n));
    for (std::size_t a = 0; a < table.size(); ++a) table[a] = mix(a * a);
    return table;
}

const Rank* column_of(const Sample& sample, int c) {
    const int s = c < sample.dims[0] ? 0 : 1;
    return sample.ranks[s] + std::size_t(c - s * sample.dims[0]) * std::size_t(sample.n);
}

// sum of mix(a^2) over a row's columns, and of every column the sum of mix(a^2) times the mixed row sums.
Keys marks(const Sample& sample, Keys& key) {
    const std::size_t n = key.size();
    const Keys squares = mixed_squares(sample.n);
    for (int c = 0; c < sample.total(); ++c) {
        const Rank* a = column_of(sample, c);
        for (std::size_t i = 0; i < n; ++i) key[i] += squares[static_cast<std::size_t>(std::llabs(a[i]))];
    }
    Keys mixed(n), mark(static_cast<std::size_t>(sample.total()));
    std::transform(key.begin(), key.end(), mixed.begin(), mix);
    for (int c = 0; c < sample.total(); ++c) {
        const Rank* a = column_of(sample, c);
        Hash sum = 0;
        for (std::size_t i = 0; i < n; ++i)
            sum += squares[static_cast<std::size_t>(std::llabs(a[i]))] * mixed[i];
        mark[static_cast<std::size_t>(c)] = sum;
    }
    return mark;
}

// Add mix(a + mark) to every row's key, the column reversed where its odd moment `sum` is negative.
void add_oriented(const Rank* a, std::int64_t sum, Hash mark, Keys& key) {
    const Hash sign = sum < 0 ? ~Hash(0) : Hash(1);
    if (sum == 0)
        for (std::size_t i = 0; i < key.size(); ++i)
            key[i] += mix(static_cast<Hash>(std::llabs(a[i])) + mark);
    else
        for (std::size_t i = 0; i < key.size(); ++i) key[i] += mix(static_cast<Hash>(a[i]) * sign + mark);
}

// A hash of each row that ignores row order, column order, side names and column signs: see
// model/statistics/queries.py.
Keys content_key(const Sample& sample) {
    Keys key(static_cast<std::size_t>(sample.n));
    const Keys mark = marks(sample, key);
    for (int pass = 0; pass < 2; ++pass) {
        Keys next(key.size());
        for (int c = 0; c < sample.total(); ++c) {
            const Rank* a = column_of(sample, c);
            Hash sum = 0;  // wraps, as in the reference
            for (std::size_t i = 0; i < key.size(); ++i) sum += static_cast<Hash>(a[i]) * (key[i] & 0xFFFF);
            add_oriented(a, static_cast<std::int64_t>(sum), mark[static_cast<std::size_t>(c)], next);
        }
        key.swap(next);
    }
    return key;
}

// Stable; by insertion where there are few, as nearly always.
template <class Before>
void sort(int* first, int* last, const Before& before) {
    if (last - first > 16) return std::stable_sort(first, last, before);
    for (int* next = first; next < last; ++next) {
        const int row = *next;
        int* to = next;
        for (; to > first && before(row, to[-1]); --to) *to = to[-1];
        *to = row;
    }
}

// Rows by their keys; those of equal ones as they come, or as `tied` says which comes before.
template <class Before>
std::vector<int> order_of(const Keys& key, const Before& tied) {
    int bits = 1;  // keys are spread evenly: a bucket by their first bits holds one or two, or copies
    while ((std::size_t(1) << bits) < key.size()) ++bits;
    const auto bucket = [&](Hash k) {
        return static_cast<std::size_t>((k ^ (Hash(1) << 63)) >> (64 - bits));
    };
    std::vector<int> start((std::size_t(1) << bits) + 1), order(key.size());
    for (const Hash k : key) ++start[bucket(k) + 1];
    for (std::size_t b = 1; b < start.size(); ++b) start[b] += start[b - 1];
    std::vector<int> next(start.begin(), start.end() - 1);
    for (std::size_t i = 0; i < key.size(); ++i)
        order[static_cast<std::size_t>(next[bucket(key[i])]++)] = int(i);
    const auto before = [&](int i, int j) {
        const auto own = static_cast<std::int64_t>(key[std::size_t(i)]),
                   other = static_cast<std::int64_t>(key[std::size_t(j)]);
        return own < other || (own == other && tied(i, j));
    };
    for (std::size_t b = 0; b + 1 < start.size(); ++b)
        sort(order.data() + start[b], order.data() + start[b + 1], before);
    return order;
}

int count_within(const Sample& sample, const int (&limits)[2]) {
    return std::min(std::clamp(sample.n / 8, limits[0], limits[1]), sample.n);
}

}  // namespace

std::vector<int> content_order(const Sample& sample) {
    return order_of(content_key(sample), [](int, int) { return false; });
}

std::vector<int> canonical_order(const Sample& sample) {
    return order_of(content_key(sample), [&](int i, int j) {
        for (int c = 0; c < sample.total(); ++c)
            if (const Rank* a = column_of(sample, c); a[i] != a[j]) return a[i] < a[j];
        return false;
    });
}

std::vector<int> evenly(int own, int count) {
    count = std::min(count, own);
    std::vector<int> places(static_cast<std::size_t>(count));
    for (std::int64_t slot = 0; slot < count; ++slot)
        places[std::size_t(slot)] = int(own > count ? (2 * slot + 1) * own / (2 * count) : slot);
    return places;
}

QueryRows all_queries(const Sample& sample) {
    const bool narrow = sample.total() <= FEW_COLUMNS;
    return {evenly(sample.n, narrow ? count_within(sample, POOLED) : count_within(sample, QUERIES))};
}

std::vector<int> fewer_queries(const Sample& sample, const QueryRows& all) {
    return evenly(all.count(), count_within(sample, QUERIES));
}

}  // namespace mizzle

#include "nearest.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>

#include "lanes.h"

namespace mizzle {
namespace {

constexpr int RANKED = 64;  // candidates up to which each is compared with each, which no branch mispredicts
constexpr float ALL = 1e29f;  // below padding and above any distance

// Bits of a float that is not negative rise with it.
int bits(float value) {
    int number;
    std::memcpy(&number, &value, sizeof number);
    return number;
}

float of_bits(int number) {
    float value;
    std::memcpy(&value, &number, sizeof value);
    return value;
}

int count_within(const Row& values, float bound) {
    int count = 0;
    for (std::size_t i = 0; i < values.size(); i += TOGETHER) count += count_bits(within(&values[i], bound));
    return count;
}

// The smallest of every `GROUPS`-th distance, from each start; as many registers hold them.
template <int GROUPS>
void put_minima(const Row& distances, float* minima) {
    constexpr int WIDTH = 2 * LANES, BLOCKS = GROUPS / WIDTH;
    Singles smallest[BLOCKS];
    for (int b = 0; b < BLOCKS; ++b) smallest[b] = load_as<Singles>(&distances[std::size_t(b * WIDTH)]);
    for (std::size_t start = GROUPS; start < distances.size(); start += GROUPS)
        for (int b = 0; b < BLOCKS; ++b)
            smallest[b] = smaller(load_as<Singles>(&distances[start + std::size_t(b * WIDTH)]), smallest[b]);
    for (int b = 0; b < BLOCKS; ++b) store(minima + b * WIDTH, smallest[b]);
}

// The same of many groups.
void put_minima(const Row& distances, Row& minima) {
    std::copy_n(distances.begin(), minima.size(), minima.begin());
    for (std::size_t start = minima.size(); start < distances.size(); start += minima.size()) {
        const std::size_t count = std::min(minima.size(), distances.size() - start);
        for (std::size_t g = 0; g < count; ++g)
            minima[g] = distances[start + g] < minima[g] ? distances[start + g] : minima[g];
    }
}

void count_below(const float* distances, int count, const float (&reach)[3], int (&inside)[3]) {
    int first = 0, second = 0, third = 0;
    for (int i = 0; i < count; ++i) {
        first += int(distances[i] < reach[0]);
        second += int(distances[i] < reach[1]);
        third += int(distances[i] < reach[2]);
    }
    inside[0] = first, inside[1] = second, inside[2] = third;
}

}  // namespace

void Distances::resize(int n) {
    for (Row* row : {&side[0], &side[1], &joint}) row->resize(size(n));
}

void Distances::exclude(int query) {
    for (Row* row : {&side[0], &side[1], &joint})
        (*row)[std::size_t(query)] = std::numeric_limits<float>::infinity();
}

void Nearest::find(const Row& distances, int k, const int* places) {
    const int candidates = collect(distances, bound(distances, k));
    for (int i = 0; places && i < candidates; ++i)
        candidates_[std::size_t(i)] = places[candidates_[std::size_t(i)]];
    const auto room = static_cast<std::size_t>(std::max(k, RANKED));
    distance_.resize(room), place_.resize(room);
    candidates <= RANKED ? rank(candidates) : sort(candidates, k);
}

float Nearest::bound(const Row& distances, int k) {
    constexpr int HALF = PADDED / 2;
    const int groups = k <= HALF / 2 ? HALF : (2 * k + PADDED - 1) / PADDED * PADDED;
    minima_.resize(std::size_t(groups));
    if (distances.size() < 2 * minima_.size()) return ALL;
    if (groups == HALF)
        put_minima<HALF>(distances, minima_.data());
    else if (groups == PADDED)
        put_minima<PADDED>(distances, minima_.data());
    else
        put_minima(distances, minima_);
    int low = 0, high = bits(ALL);
    while (high - low > 1) {  // so many minima are within `high`, and fewer within `low`
        const int middle = low + (high - low) / 2, count = count_within(minima_, of_bits(middle));
        (count < k ? low : high) = middle;
        if (count >= k && count <= k + k / 8) break;
    }
    return std::max(of_bits(high), TINY);
}

int Nearest::collect(const Row& distances, float bound) {
    candidates_.resize(distances.size() + TOGETHER), values_.resize(distances.size() + TOGETHER);
    int count = 0;
    for (std::size_t start = 0; start < distances.size(); start += TOGETHER)
        if (const unsigned bits = within(&distances[start], bound))
            count += pick(&distances[start], int(start), bits, &values_[std::size_t(count)],
                          &candidates_[std::size_t(count)]);
    for (int i = 0; i < count; ++i) values_[std::size_t(i)] = std::max(values_[std::size_t(i)], TINY);
    return count;
}

void Nearest::rank(int candidates) {
    int ranks[RANKED] = {};
    float values[RANKED];
    const int filled = (candidates + TOGETHER - 1) / TOGETHER * TOGETHER;
    for (int i = 0; i < filled; ++i) values[i] = i < candidates ? values_[std::size_t(i)] : FAR;
    const int* places = candidates_.data();
    for (int j = 0; j < candidates; ++j) {
        const float value = values[j];
        const int place = places[j];
        for (int i = 0; i < filled; ++i)
            ranks[i] += int(value < values[i]) | (int(value == values[i]) & int(place < places[i]));
    }
    for (int i = 0; i < candidates; ++i) {
        distance_[std::size_t(ranks[i])] = values[i];
        place_[std::size_t(ranks[i])] = candidates_[std::size_t(i)];
    }
}

void Nearest::sort(int candidates, int k) {
    keys_.resize(std::size_t(candidates));
    for (std::size_t i = 0; i < keys_.size(); ++i)  // with places behind the bits no two keys are equal
        keys_[i] = static_cast<unsigned long long>(bits(values_[i])) << 32 | unsigned(candidates_[i]);
    const auto last = keys_.begin() + std::min(k, candidates);
    std::nth_element(keys_.begin(), last - 1, keys_.end());
    std::sort(keys_.begin(), last);
    for (std::size_t i = 0; keys_.begin() + std::ptrdiff_t(i) < last; ++i) {
        distance_[i] = of_bits(int(keys_[i] >> 32));
        place_[i] = int(keys_[i] & 0xFFFFFFFFu);
    }
}

Terms local_terms(const Distances& distances, const Nearest& nearest, const int (&k)[3], int n,
                  const double* psi) {
    Terms terms;
    float reach[3];
    int inside[2][3], reached[3];
    for (int i = 0; i < 3; ++i) {
        terms.radius[i] = nearest.distance(k[i] - 1);
        reach[i] = std::max(terms.radius[i], TINY);  // copies count as inside, or ties would see no neighbour
        reached[i] = k[i];
    }
    for (int s = 0; s < 2; ++s) count_below(distances.side[s].data(), distances.count(), reach, inside[s]);
    for (int i = 0; i < 3; ++i)
        if (!(terms.radius[i] > TINY)) {
            int copies = 0;
            for (const float distance : distances.joint) copies += int(distance < TINY);
            reached[i] = std::max(copies, 1);
        }
    for (int i = 0; i < 3; ++i) {
        const double x = psi[inside[0][i]], y = psi[inside[1][i]];
        terms.local[i] = psi[reached[i] - 1] + psi[n - 1] - x - y;
        terms.gap[i] = x > y ? x - y : y - x;
    }
    return terms;
}

}  // namespace mizzle

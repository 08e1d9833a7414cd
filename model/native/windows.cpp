#include "windows.h"

#include <algorithm>
#include <cmath>

#include "ranks.h"

namespace mizzle {
namespace {

constexpr int LARGEST_SHARE = 4;      // rows to a chosen row, below which all are as fast
constexpr double ROUNDING = 1.001;    // of squared distances, which are off by at most 1e-13, against `TINY`
constexpr double UNSCALED[] = {1, 1};

}  // namespace

Windows::Windows(const Points& scores) {
    if (scores.total() != 2 || scores.n < MANY_ROWS) return;
    std::vector<Keyed> items(static_cast<std::size_t>(scores.n)), spare;
    for (int s = 0; s < 2; ++s) {
        const double *own = scores.column(s, 0), *other = scores.column(1 - s, 0);
        for (std::size_t i = 0; i < items.size(); ++i) items[i] = {ordered(own[i]), std::uint32_t(i)};
        radix_sort(items, spare);
        Line& line = lines_[s];
        line.own.reserve(items.size()), line.other.reserve(items.size()), line.places.reserve(items.size());
        for (const Keyed& item : items) {
            line.own.push_back(float(own[item.row]));
            line.other.push_back(float(other[item.row]));
            line.places.push_back(int(item.row));
        }
    }
}

Among<Direct> Windows::around(const Direct& all, int query, int k) {
    if (!sorted()) return {all, query, nullptr};
    const double own[] = {double(all.column(0, 0)[query]), double(all.column(1, 0)[query])};
    if (!choose(query, own, k, UNSCALED)) return {all, query, nullptr};
    direct_.resize(int(places_.size()));
    for (int s = 0; s < 2; ++s) std::copy(chosen_[s].begin(), chosen_[s].end(), direct_.column(s, 0));
    return {direct_, 0, places_.data()};
}

Among<Points> Windows::around(const Points& all, int query, int k, const double (&scale)[2]) {
    if (!sorted()) return {all, query, nullptr};
    const double own[] = {all.column(0, 0)[query], all.column(1, 0)[query]};
    if (!choose(query, own, k, scale)) return {all, query, nullptr};
    points_.resize(int(places_.size()));
    for (int s = 0; s < 2; ++s) std::copy(chosen_[s].begin(), chosen_[s].end(), points_.column(s, 0));
    points_.measure_lengths();
    return {points_, 0, places_.data()};
}

Windows::Range Windows::range(int s, double value, double reach) const {
    const std::vector<float>& line = lines_[s].own;
    const double low = value - reach, high = value + reach;
    const auto first = std::lower_bound(line.begin(), line.end(), low);
    const auto last = std::upper_bound(first, line.end(), high);
    return {low, high, std::size_t(first - line.begin()), std::size_t(last - line.begin())};
}

// The squared distance of the k-th neighbour among rows around the query row on the line of X.
double Windows::squared_bound(int query, const double (&own)[2], int k, const double (&scale)[2]) {
    const Line& line = lines_[0];
    const std::size_t n = line.own.size(), count = 2 * std::size_t(std::sqrt(double(k) * double(n)));
    const std::size_t middle = range(0, own[0], 0).first;
    const std::size_t first = std::min(middle - std::min(middle, count / 2), n - count);
    const float x = float(own[0]), y = float(own[1]), of_x = float(scale[0]), of_y = float(scale[1]);
    bounding_.assign(std::size_t(padded(int(count))), FAR);
    for (std::size_t i = 0; i < count; ++i) {
        const float apart_x = (x - line.own[first + i]) * of_x, apart_y = (y - line.other[first + i]) * of_y;
        const float joint = std::max(apart_x * apart_x, apart_y * apart_y);
        bounding_[i] = line.places[first + i] == query ? FAR : joint;
    }
    nearest_.find(bounding_, k);
    return double(nearest_.distance(k - 1)) * ROUNDING;
}

bool Windows::choose(int query, const double (&own)[2], int k, const double (&scale)[2]) {
    const double radius = std::sqrt(squared_bound(query, own, k, scale));
    const Range x = range(0, own[0], radius / scale[0]), y = range(1, own[1], radius / scale[1]);
    if (x.last - x.first + y.last - y.first > lines_[0].own.size() / LARGEST_SHARE) return false;
    gather(query, own, x, y);
    return true;
}

// The query row, then all others in the range of X, then those in the range of Y alone.
void Windows::gather(int query, const double (&own)[2], const Range& x, const Range& y) {
    const std::size_t room = 1 + x.last - x.first + y.last - y.first;
    for (std::vector<float>& values : chosen_) values.resize(room);
    places_.resize(room);
    std::size_t count = 0;
    const auto put = [&](float of_x, float of_y, int place, bool chosen) {  // without a branch
        chosen_[0][count] = of_x;
        chosen_[1][count] = of_y;
        places_[count] = place;
        count += std::size_t(chosen);
    };
    put(float(own[0]), float(own[1]), query, true);
    for (std::size_t i = x.first; i < x.last; ++i)
        put(lines_[0].own[i], lines_[0].other[i], lines_[0].places[i], lines_[0].places[i] != query);
    for (std::size_t i = y.first; i < y.last; ++i) {
        const double of_x = double(lines_[1].other[i]);
        put(lines_[1].other[i], lines_[1].own[i], lines_[1].places[i], of_x < x.low || of_x > x.high);
    }
    for (std::vector<float>& values : chosen_) values.resize(count);
    places_.resize(count);
}

}  // namespace mizzle

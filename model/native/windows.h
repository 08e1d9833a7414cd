#pragma once
// Of many rows those that matter around a query row, where each side has a single column.
//
// Only rows within the radius of the k-th neighbour on either side are neighbours or counted: on the line of
// a sorted column these stand together. Any rows that hold k neighbours bound the radius from above. The
// 2 sqrt(k n) rows around the query row on the line of X do so tightly: of independent columns they hold
// about k n / (2 sqrt(k n)) = sqrt(k n) / 2 rows' worth of Y up to their k-th, and of dependent ones the
// neighbours themselves. What is left are some sqrt(k n) rows, measured as all rows would be, so that
// answers are the same to the bit.

#include "points.h"

namespace mizzle {

constexpr int MANY_ROWS = 6000;  // from which sorting pays

// What a query row is measured among.
template <class Columns>
struct Among {
    const Columns& rows;
    int query;          // its number among these rows
    const int* places;  // of these rows among all; null where they are all
};

class Windows {
public:
    Windows() = default;  // of which every query row is measured among all rows
    explicit Windows(const Points& scores);  // which single precision holds exactly

    bool sorted() const { return !lines_[0].places.empty(); }

    // All rows that matter to the k nearest of a query row and to counts within their radii; all rows where
    // these are not much fewer. Valid until the next call.
    Among<Direct> around(const Direct& all, int query, int k);

    // The same by distances whose differences are multiplied by `scale`, of either side.
    Among<Points> around(const Points& all, int query, int k, const double (&scale)[2]);

private:
    // All rows in the order of one side's column.
    struct Line {
        std::vector<float> own, other;  // values of this side and of the other
        std::vector<int> places;
    };
    struct Range {
        double low, high;  // values
        std::size_t first, last;
    };

    Range range(int s, double value, double reach) const;
    double squared_bound(int query, const double (&own)[2], int k, const double (&scale)[2]);
    bool choose(int query, const double (&own)[2], int k, const double (&scale)[2]);
    void gather(int query, const double (&own)[2], const Range& x, const Range& y);

    Line lines_[2];
    Row bounding_;
    Nearest nearest_;
    std::vector<float> chosen_[2];
    std::vector<int> places_;
    Direct direct_{0, 1, 1};
    Points points_{0, 1, 1};
};

}  // namespace mizzle

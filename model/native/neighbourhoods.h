#pragma once
// Neighbourhoods of query rows: who the nearest rows are, in what metric, and how many dimensions they fill.

#include "neighbours.h"

namespace mizzle {

constexpr int BEYOND[] = {2,
                          10};  // neighbours beyond D = dx + dy: fewer have no covariance, more see the bend
constexpr int SMALL = 3;        // another k, for its small bias
constexpr int SCALES[] = {6, 20};  // neighbours within a side that its dimension is read from
constexpr int EVERY = 2;           // query row that dimensions and covariances of all columns are read from

// Numbers of neighbours whose radius is counted in: D + `BEYOND` and `SMALL`, below n.
struct Reach {
    Reach(int n, int total);
    int k[3];
    int largest() const { return k[1] > k[2] ? k[1] : k[2]; }
};

// What the nearest rows of every query row say.
struct Neighbourhoods {
    Neighbourhoods(int queries, const Reach& numbers);
    void put(int query, const Terms& terms, const Nearest& nearest);
    const int* nearest(int query) const {
        return places.data() + std::size_t(query) * std::size_t(reach.largest());
    }

    Reach reach;
    std::vector<double> counted;  // local KSG terms at `reach`, in nats
    std::vector<int> places;      // the D + `BEYOND[1]` nearest rows of each, nearest first
};

// Mean over query rows of the mean of log(e_k / e_j) over the nearer neighbours j, at k of `SCALES`, of x, y
// and both.
struct Ratios {
    double sums[2][3] = {};
    int rows = 0;
    void add(const Distances& distances, const Nearest& of_both, Nearest& of_side, int n);
};

// What is looked at around one query row: where its results go, or -1.
struct Look {
    int place;      // in the order of content
    int row = -1;   // of `Neighbours`
    int hood = -1;  // of `Neighbourhoods`
    bool ratios = false;
};

// Go through query rows, each of whose distances over all columns serve whatever is looked at around it.
void look_around(const Points& points, const std::vector<Look>& looks, const double* psi, Windows& windows,
                 Neighbours& rows, Neighbourhoods& hoods, Ratios& ratios);

// Logs of the intrinsic dimensions of the smaller side, the larger and both, by scale (Levina and Bickel
// 2004).
std::vector<double> log_dimensions(const Ratios& ratios);

// (sum of the eigenvalues)^2 / (sum of their squares): how many directions share the variance.
double participation(double trace, double squares);

// Log participation ratio of either side's centred columns, over all rows.
void log_participation(const Points& points, double (&to)[2]);

}  // namespace mizzle

#pragma once
// The rows nearest to one query row, from its distances to all rows.

#include "aligned.h"

namespace mizzle {

constexpr int PADDED = 64;     // distances come in multiples of so many
constexpr float FAR = 1e30f;   // squared distance of padding
constexpr float TINY = 1e-9f;  // squared distance below which two rows are the same

inline int padded(int n) { return (n + PADDED - 1) / PADDED * PADDED; }

using Row = Aligned<float>;  // a distance to each row

// Squared distances of one query row to all rows, by side, and the larger of the two; infinite to itself.
struct Distances {
    explicit Distances(int n) : side{Row(size(n)), Row(size(n))}, joint(size(n)) {}
    int count() const { return static_cast<int>(joint.size()); }
    void resize(int n);
    void exclude(int query);  // the query row itself, once all are there

    Row side[2], joint;

private:
    static std::size_t size(int n) { return static_cast<std::size_t>(padded(n)); }
};

// The k smallest of distances in rising order, and their places; of equal ones those of the first places.
// Distances of copies are rounding, and so count as equal.
//
// A bound that at least k of them meet leaves a little more than k candidates, which are then ranked. The
// bound comes from the minima of many groups of distances: where k groups hold one within it, so do k rows.
class Nearest {
public:
    // `places`: of the rows, where these are not 0, 1, ..
    void find(const Row& distances, int k, const int* places = nullptr);
    float distance(int i) const { return distance_[static_cast<std::size_t>(i)]; }
    const int* places() const { return place_.data(); }

private:
    float bound(const Row& distances, int k);
    int collect(const Row& distances, float bound);
    void rank(int candidates);
    void sort(int candidates, int k);

    Row minima_;
    std::vector<float> values_, distance_;
    std::vector<int> candidates_, place_;
    std::vector<unsigned long long> keys_;
};

// Local terms of the KSG estimator at several k, of one row.
struct Terms {
    double local[3];  // psi(k) + psi(n) - psi(n_x + 1) - psi(n_y + 1)
    double gap[3];    // |psi(n_x + 1) - psi(n_y + 1)|
    float radius[3];  // squared, of the k-th neighbour
};

// Where the k-th neighbour lies at distance 0, k becomes the number of copies of the row (Gao et al. 2017).
Terms local_terms(const Distances& distances, const Nearest& nearest, const int (&k)[3], int n,
                  const double* psi);

}  // namespace mizzle

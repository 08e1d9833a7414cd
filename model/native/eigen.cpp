// Eigenvalues and eigenvectors of symmetric matrices: Householder reflections, then implicit QL steps.
//
// Golub and Van Loan, Matrix Computations, sections 8.3.1 and 8.3.3; the QL steps as in EISPACK's tql2.

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "algebra.h"

namespace mizzle {
namespace {

constexpr int MAX_STEPS = 60;  // for an eigenvalue; 2 or 3 are usual

// A = Q T Q' with T tridiagonal and Q = H_0 H_1 .., H_k = 1 - factor[k] v v'.
struct Tridiagonal {
    std::vector<double> diagonal, off_diagonal,
        factor;  // off_diagonal[k] stands between diagonal[k] and diagonal[k + 1]
};

// Turns column k of a below its diagonal, x, into v with v_0 = 1, where H x = (off_diagonal, 0, ..); returns
// the factor.
double reflect(double* x, int length, double& off_diagonal) {
    const double first = x[0], rest = dot(x + 1, x + 1, length - 1);
    off_diagonal = first;
    if (rest == 0) return 0;
    const double size = std::sqrt(first * first + rest);
    off_diagonal = first > 0 ? -size : size;
    const double scale = 1 / (first - off_diagonal);
    for (int i = 1; i < length; ++i) x[i] *= scale;
    x[0] = 1;
    return (off_diagonal - first) / off_diagonal;
}

// a := H a H of the rest of the matrix, both halves of it, with H = 1 - factor v v'.
void apply_both_sides(double* a, int stride, int length, const double* v, double factor, double* w) {
    std::fill_n(w, length, 0.0);
    for (int j = 0; j < length; ++j)
        for (int i = 0; i < length; ++i) w[i] += v[j] * a[i + j * stride];
    const double middle = factor * factor * dot(v, w, length) / 2;
    for (int i = 0; i < length; ++i) w[i] = factor * w[i] - middle * v[i];
    for (int j = 0; j < length; ++j)
        for (int i = 0; i < length; ++i) a[i + j * stride] -= v[i] * w[j] + w[i] * v[j];
}

// Leaves the vectors v in the columns of a.
Tridiagonal tridiagonalise(double* a, int d) {
    const auto size = static_cast<std::size_t>(d);
    Tridiagonal t{std::vector<double>(size), std::vector<double>(size), std::vector<double>(size)};
    std::vector<double> w(size);
    for (int k = 0; k < d; ++k) {
        const auto place = static_cast<std::size_t>(k);
        t.diagonal[place] = a[k + k * d];
        if (k + 1 == d) break;
        double* v = a + k * d + k + 1;
        const int length = d - k - 1;
        t.factor[place] = reflect(v, length, t.off_diagonal[place]);
        if (t.factor[place] != 0)
            apply_both_sides(a + (k + 1) * d + k + 1, d, length, v, t.factor[place], w.data());
    }
    return t;
}

// Q from its reflections, which stand in the columns of a.
void form_rotation(const double* a, int d, const Tridiagonal& t, double* q) {
    std::fill_n(q, d * d, 0.0);
    for (int k = 0; k < d; ++k) q[k + k * d] = 1;
    for (int k = d - 2; k >= 0; --k) {
        const double* v = a + k * d + k + 1;
        const int length = d - k - 1;
        const double factor = t.factor[static_cast<std::size_t>(k)];
        if (factor == 0) continue;
        for (int j = k + 1; j < d; ++j) {
            double* column = q + j * d + k + 1;
            const double along = factor * dot(v, column, length);
            for (int i = 0; i < length; ++i) column[i] -= along * v[i];
        }
    }
}

void rotate(double* left, double* right, int d, double cosine, double sine) {
    for (int i = 0; i < d; ++i) {
        const double l = left[i], r = right[i];
        right[i] = sine * l + cosine * r;
        left[i] = cosine * l - sine * r;
    }
}

// One implicit QL step of the block from `first` to `last`, which no zero divides.
void ql_step(double* diagonal, double* off_diagonal, int first, int last, double* vectors, int d) {
    double g = (diagonal[first + 1] - diagonal[first]) / (2 * off_diagonal[first]);
    const double root = std::sqrt(g * g + 1);
    g = diagonal[last] - diagonal[first] + off_diagonal[first] / (g + (g < 0 ? -root : root));
    double sine = 1, cosine = 1, shift = 0;
    for (int i = last - 1; i >= first; --i) {
        const double f = sine * off_diagonal[i], b = cosine * off_diagonal[i];
        const double r = std::sqrt(f * f + g * g);
        off_diagonal[i + 1] = r;
        if (r == 0) {  // underflow: the block falls in two
            diagonal[i + 1] -= shift;
            off_diagonal[last] = 0;
            return;
        }
        sine = f / r;
        cosine = g / r;
        g = diagonal[i + 1] - shift;
        const double t = (diagonal[i] - g) * sine + 2 * cosine * b;
        shift = sine * t;
        diagonal[i + 1] = g + shift;
        g = cosine * t - b;
        if (vectors) rotate(vectors + i * d, vectors + (i + 1) * d, d, cosine, sine);
    }
    diagonal[first] -= shift;
    off_diagonal[first] = g;
    off_diagonal[last] = 0;
}

// The end of the block that starts at `first`: behind it stands nothing that matters beside its neighbours.
int block_end(const double* diagonal, const double* off_diagonal, int first, int d) {
    int last = first;
    for (; last + 1 < d; ++last) {
        const double size = std::fabs(diagonal[last]) + std::fabs(diagonal[last + 1]);
        if (std::fabs(off_diagonal[last]) <= std::numeric_limits<double>::epsilon() * size) break;
    }
    return last;
}

void diagonalise(Tridiagonal& t, int d, double* vectors) {
    for (int first = 0; first < d; ++first)
        for (int step = 0; step < MAX_STEPS; ++step) {
            const int last = block_end(t.diagonal.data(), t.off_diagonal.data(), first, d);
            if (last == first) break;
            ql_step(t.diagonal.data(), t.off_diagonal.data(), first, last, vectors, d);
        }
}

// Values in rising order, and columns of q in the same.
void sort_into(const Tridiagonal& t, int d, const double* q, double* values, double* vectors) {
    std::vector<int> order(static_cast<std::size_t>(d));
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&t](int i, int j) {
        return t.diagonal[static_cast<std::size_t>(i)] < t.diagonal[static_cast<std::size_t>(j)];
    });
    for (int j = 0; j < d; ++j) {
        const int from = order[static_cast<std::size_t>(j)];
        values[j] = t.diagonal[static_cast<std::size_t>(from)];
        if (vectors) std::copy_n(q + from * d, d, vectors + j * d);
    }
}

}  // namespace

void symmetric_eigen(double* a, int d, double* values, double* vectors) {
    Tridiagonal t = tridiagonalise(a, d);
    std::vector<double> q(vectors ? static_cast<std::size_t>(d * d) : 0);
    if (vectors) form_rotation(a, d, t, q.data());
    diagonalise(t, d, vectors ? q.data() : nullptr);
    sort_into(t, d, q.data(), values, vectors);
}

}  // namespace mizzle

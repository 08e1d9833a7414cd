#include "algebra.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "compiler.h"

namespace mizzle {
namespace {

// Numbers side by side, as the processor computes with them: each lane sums every LANES-th row.
#if defined(__AVX512F__)
constexpr int LANE_BYTES = 64;
#elif defined(__AVX__)
constexpr int LANE_BYTES = 32;
#else
constexpr int LANE_BYTES = 16;
#endif
template <typename T>
constexpr int LANES = LANE_BYTES / int(sizeof(T));

template <typename T>
struct LanesOf;
#if defined(MIZZLE_VECTORS)
template <>
struct LanesOf<double> {
    typedef double type __attribute__((vector_size(LANE_BYTES)));
};
template <>
struct LanesOf<float> {
    typedef float type __attribute__((vector_size(LANE_BYTES)));
};
#else
template <typename T>
struct LanesOf {
    struct type {
        T values[LANES<T>];
        T operator[](int l) const { return values[l]; }
        type operator*(const type& other) const {
            type product;
            for (int l = 0; l < LANES<T>; ++l) product.values[l] = values[l] * other.values[l];
            return product;
        }
        void operator+=(const type& other) {
            for (int l = 0; l < LANES<T>; ++l) values[l] += other.values[l];
        }
    };
};
#endif
template <typename T>
using Lanes = typename LanesOf<T>::type;

// Rows summed before the next columns are taken: those of all columns stay in the cache, and single precision
// never sums more of them.
constexpr int ROWS_AT_ONCE = 512;
constexpr int ROWS_IN_CACHE = 64;  // of every column, where each is read again and again

template <typename T>
Lanes<T> load(const T* from) {
    Lanes<T> lanes;
    std::memcpy(&lanes, from, sizeof lanes);
    return lanes;
}

template <typename T>
double total(const Lanes<T>& lanes) {
    double sum = 0;
    for (int l = 0; l < LANES<T>; ++l) sum += double(lanes[l]);
    return sum;
}

// Adds the products of M columns of a and N columns of b to `out`; all sums stay in registers.
template <typename T, int M, int N>
void add_tile(const T* a, const T* b, std::ptrdiff_t n, int rows, double* out, std::ptrdiff_t stride) {
    Lanes<T> sum[M][N] = {};
    int row = 0;
    for (; row + LANES<T> <= rows; row += LANES<T>)
        for (int i = 0; i < M; ++i)
            for (int j = 0; j < N; ++j) sum[i][j] += load(a + i * n + row) * load(b + j * n + row);
    for (int i = 0; i < M; ++i)
        for (int j = 0; j < N; ++j) {
            double rest = total<T>(sum[i][j]);
            for (int last = row; last < rows; ++last) rest += double(a[i * n + last] * b[j * n + last]);
            out[i + j * stride] += rest;
        }
}

template <typename T, int M>
void add_strip(const T* a, const T* b, int columns, std::ptrdiff_t n, int rows, double* out,
               std::ptrdiff_t stride) {
    int j = 0;
    for (; j + 4 <= columns; j += 4) add_tile<T, M, 4>(a, b + j * n, n, rows, out + j * stride, stride);
    for (; j + 2 <= columns; j += 2) add_tile<T, M, 2>(a, b + j * n, n, rows, out + j * stride, stride);
    for (; j < columns; ++j) add_tile<T, M, 1>(a, b + j * n, n, rows, out + j * stride, stride);
}

// Products of columns of a from the i-th on with all columns of b, or, of a symmetric matrix, with those from
// the i-th on; returns how many columns of a it took.
template <typename T>
int add_columns(const T* a, int i, int columns_a, const T* b, int columns_b, std::ptrdiff_t n, int rows,
                double* out, std::ptrdiff_t stride) {
    const int left = columns_a - i;
    if (left >= 4) return add_strip<T, 4>(a + i * n, b, columns_b, n, rows, out, stride), 4;
    if (left >= 2) return add_strip<T, 2>(a + i * n, b, columns_b, n, rows, out, stride), 2;
    return add_strip<T, 1>(a + i * n, b, columns_b, n, rows, out, stride), 1;
}

template <typename T>
void all_products(const T* a, int columns_a, const T* b, int columns_b, int n, double* out, int stride) {
    for (int j = 0; j < columns_b; ++j) std::fill_n(out + std::ptrdiff_t(j) * stride, columns_a, 0.0);
    for (int row = 0; row < n; row += ROWS_AT_ONCE)
        for (int i = 0; i < columns_a;)
            i += add_columns(a + row, i, columns_a, b + row, columns_b, n, std::min(ROWS_AT_ONCE, n - row),
                             out + i, stride);
}

template <typename T>
void add_half(const T* a, int d, std::ptrdiff_t n, int rows, double* out) {
    for (int i = 0; i < d;) i += add_columns(a, i, d, a + i * n, d - i, n, rows, out + i + i * d, d);
}

template <typename T>
void all_own_products(const T* a, int d, int n, double* out) {
    std::fill_n(out, d * d, 0.0);
    for (int row = 0; row < n; row += ROWS_AT_ONCE)
        add_half(a + row, d, n, std::min(ROWS_AT_ONCE, n - row), out);
    mirror(out, d);
}

template <typename T>
double lane_dot(const T* a, const T* b, int n) {
    double sum = 0;
    for (int row = 0; row < n; row += ROWS_AT_ONCE)
        add_tile<T, 1, 1>(a + row, b + row, 0, std::min(ROWS_AT_ONCE, n - row), &sum, 0);
    return sum;
}

// Eight sums side by side, which do not wait for each other.
template <typename T>
double sum_of(const T* values, int n) {
    double sums[8] = {};
    int i = 0;
    for (; i + 8 <= n; i += 8)
        for (int l = 0; l < 8; ++l) sums[l] += double(values[i + l]);
    for (int l = 0; i < n; ++i, ++l) sums[l] += double(values[i]);
    return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

void add_multiple(double factor, const double* from, int n, double* to) {
    for (int i = 0; i < n; ++i) to[i] += factor * from[i];
}

}  // namespace

double sum(const double* values, int n) { return sum_of(values, n); }

double sum(const float* values, int n) { return sum_of(values, n); }

double dot(const double* a, const double* b, int n) { return lane_dot(a, b, n); }

float dot(const float* a, const float* b, int n) { return float(lane_dot(a, b, n)); }

void products(const double* a, int columns_a, const double* b, int columns_b, int n, double* out,
              int stride) {
    all_products(a, columns_a, b, columns_b, n, out, stride);
}

void own_products(const double* a, int d, int n, double* out) { all_own_products(a, d, n, out); }

void add_own_products(const double* a, int d, std::ptrdiff_t apart, int rows, double* out) {
    add_half(a, d, apart, rows, out);
}

void mirror(double* a, int d) {
    for (int j = 0; j < d; ++j)
        for (int i = 0; i < j; ++i) a[j + i * d] = a[i + j * d];
}

void squared_lengths(const double* columns, int d, int n, const double* l, double* out) {
    double along[ROWS_IN_CACHE];
    for (int row = 0; row < n; row += ROWS_IN_CACHE) {
        const int rows = std::min(ROWS_IN_CACHE, n - row);
        std::fill_n(out + row, rows, 0.0);
        for (int k = 0; k < d; ++k) {
            std::fill_n(along, rows, 0.0);
            for (int c = 0; c <= k; ++c)
                add_multiple(l[k + c * d], columns + std::ptrdiff_t(c) * n + row, rows, along);
            for (int i = 0; i < rows; ++i) out[row + i] += along[i] * along[i];
        }
    }
}

void multiply(const double* a, const double* b, int rows, int inner, int columns, double* out) {
    for (int j = 0; j < columns; ++j) {
        double* column = out + std::ptrdiff_t(j) * rows;
        std::fill_n(column, rows, 0.0);
        for (int k = 0; k < inner; ++k)
            add_multiple(b[k + j * inner], a + std::ptrdiff_t(k) * rows, rows, column);
    }
}

bool cholesky(double* a, int d) {
    for (int j = 0; j < d; ++j) {
        double* column = a + j * d;
        std::fill_n(column, j, 0.0);
        if (!(column[j] > 0)) return false;
        column[j] = std::sqrt(column[j]);
        const double inverse = 1 / column[j];
        for (int i = j + 1; i < d; ++i) column[i] *= inverse;
        for (int k = j + 1; k < d; ++k) add_multiple(-column[k], column + k, d - k, a + k * d + k);
    }
    return true;
}

void solve_lower(const double* l, int d, double* b, int columns) {
    for (int j = 0; j < columns; ++j) {
        double* column = b + std::ptrdiff_t(j) * d;
        for (int k = 0; k < d; ++k) {
            column[k] /= l[k + k * d];
            add_multiple(-column[k], l + k * d + k + 1, d - k - 1, column + k + 1);
        }
    }
}

void solve_lower_transposed(const double* l, int d, double* b, int columns) {
    for (int j = 0; j < columns; ++j) {
        double* column = b + std::ptrdiff_t(j) * d;
        for (int k = d - 1; k >= 0; --k)
            column[k] = (column[k] - dot(l + k * d + k + 1, column + k + 1, d - k - 1)) / l[k + k * d];
    }
}

void invert_lower(double* l, int d) {
    std::vector<double> column(static_cast<std::size_t>(d));
    // From the last column on: column j of the inverse needs the columns of L after j, which are inverted
    // already.
    for (int j = d - 1; j >= 0; --j) {
        const double inverse = 1 / l[j + j * d];
        std::fill(column.begin(), column.end(), 0.0);
        for (int k = j + 1; k < d; ++k)
            add_multiple(-l[k + j * d] * inverse, l + k * d + k, d - k, column.data() + k);
        l[j + j * d] = inverse;
        std::copy(column.begin() + j + 1, column.end(), l + j * d + j + 1);
    }
}

void transpose(const double* a, int rows, int columns, double* out) {
    for (int j = 0; j < columns; ++j)
        for (int i = 0; i < rows; ++i) out[j + i * columns] = a[i + j * rows];
}

}  // namespace mizzle

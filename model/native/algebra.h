// Small matrices, and products of columns over many rows. All matrices are stored column by column.
#pragma once

#include <cstddef>

namespace mizzle {

// In double precision, so that the mean of equal values in single precision is that value.
double sum(const double* values, int n);
double sum(const float* values, int n);

// Sum of a[i] b[i].
double dot(const double* a, const double* b, int n);
float dot(const float* a, const float* b, int n);

// products[i + j * stride] = sum over rows of a_i b_j, of columns that start n apart.
void products(const double* a, int columns_a, const double* b, int columns_b, int n, double* out, int stride);

// The same of the columns of one matrix among themselves: both halves of a symmetric matrix of d x d.
void own_products(const double* a, int d, int n, double* out);

// Adds the products of so many rows; only the half with i <= j, until `mirror` fills the other.
void add_own_products(const double* a, int d, std::ptrdiff_t apart, int rows, double* out);
void mirror(double* a, int d);

// out[row] = |l row|^2 of all rows, whose columns start n apart, with l lower triangular.
void squared_lengths(const double* columns, int d, int n, const double* l, double* out);

// out = a b, of rows x inner and inner x columns.
void multiply(const double* a, const double* b, int rows, int inner, int columns, double* out);

// The lower factor L of a = L L', in place, with zeros above. Of a matrix that is not positive definite the
// columns before the first pivot that is not positive, and false.
bool cholesky(double* a, int d);

// b := L^-1 b and b := L'^-1 b, of as many columns, in place.
void solve_lower(const double* l, int d, double* b, int columns);
void solve_lower_transposed(const double* l, int d, double* b, int columns);

// L := L^-1, in place.
void invert_lower(double* l, int d);

// out := the transpose of a, which is rows x columns.
void transpose(const double* a, int rows, int columns, double* out);

// Eigenvalues in rising order, and eigenvectors as columns, or none where `vectors` is null; overwrites a.
void symmetric_eigen(double* a, int d, double* values, double* vectors);

}  // namespace mizzle

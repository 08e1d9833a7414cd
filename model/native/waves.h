// What radial functions are made of: cube roots, and a wave of the place that a length has among normal ones.
#pragma once

namespace mizzle {

// In place, of positive numbers in the range of single precision, to 1e-13 of their size.
void cube_roots(double* values, int n);

// cos(pi Phi(w)) with Phi the normal distribution function, to 3e-10.
double normal_wave(double w);

}  // namespace mizzle

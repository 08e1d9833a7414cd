#pragma once
// The digamma function, of which all neighbour counts are turned into nats.

#include <vector>

namespace mizzle {

// psi(x) for x > 0: recurrence up to where six terms of the asymptotic series are exact.
double digamma(double x);

// psi(0 + 1), psi(1 + 1), .. : `count` of them, so that entry c belongs to c rows inside a radius.
std::vector<double> digammas(int count);

}  // namespace mizzle

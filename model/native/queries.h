#pragma once
// Query rows, whose neighbourhoods are looked at: chosen by what rows hold and not by their order.

#include "sample.h"

namespace mizzle {

constexpr int POOLED[] = {256, 1024};  // query rows whose neighbours are counted: n / 8, but within these
constexpr int QUERIES[] = {
    128, 256};  // n / 8 within these, evenly spaced among them: what costs more than counting
constexpr int FEW_COLUMNS = 10;  // of dx + dy; beyond, neighbours are far for any k
constexpr int ROWS = 64;         // of these, the rows that become tokens

struct QueryRows {
    std::vector<int> places;  // in the order of `content_order`; the row of the sample is order[place]
    int count() const { return static_cast<int>(places.size()); }
};

// The rows in an order that their content decides.
std::vector<int> content_order(const Sample& sample);

// The same, and rows that tie there in the order of their ranks: mirror images of each other, and equal ones.
std::vector<int> canonical_order(const Sample& sample);

// At most `count` evenly spaced numbers below `own`.
std::vector<int> evenly(int own, int count);

// All query rows of a sample; all rows where n is small.
QueryRows all_queries(const Sample& sample);

// Numbers of those among `all` that `QUERIES` says.
std::vector<int> fewer_queries(const Sample& sample, const QueryRows& all);

}  // namespace mizzle

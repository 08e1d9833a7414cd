// The list of all statistics, and what follows from it: tokens, their channels, and the settings of weights.
#pragma once

#include <string>
#include <vector>

#include "edges.h"
#include "nonlinear.h"
#include "surroundings.h"

namespace mizzle {

// A sample and what is computed of it, each thing once.
struct Context {
    explicit Context(const Sample&);

    const Sample& sample;
    Functions functions;
    Linear linear;
    Pairs pairs;
    std::vector<Ends> ends[2];  // bins of every column
    std::vector<float> binned, log_norms;
    Edges edges;
    Variates variates;
    Nonlinear nonlinear;
    Surroundings around;
};

// Kinds of tokens, in the order in which the network reads them; `every` stands for each of them.
enum class Kind { rows, columns, spectrum, edges, every, none };

constexpr int KINDS = 4;

// One entry of the list; see `model/statistics/statistic.py`.
struct Statistic {
    const char* name;
    Kind token;    // that gets its channels
    int channels;  // in that token
    int pooled;    // channels in the global token

    // Writes the channels of `count` tokens, which start `stride` apart.
    void (*compute)(const Context&, int count, float* tokens, int stride);

    // Writes those of the global token; `tokens` are its own, already computed.
    void (*pool)(const Context&, const float* tokens, int stride, float* overall);
};

// In the order of their channels, in tokens as in the global one.
const std::vector<Statistic>& statistics();

// How many tokens of a kind there are.
int count_tokens(const Context&, Kind);

// Number of channels of a kind of token, and of the global one.
int channels(Kind);
int overall_channels();

// Of every kind of token, and of the global one, the number of channels of each statistic in it, as JSON.
std::string token_channels();

}  // namespace mizzle

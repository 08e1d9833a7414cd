// The network: a residual trunk on the global token that reads the table as it goes, rows and columns.
//
// What torch computes in `model/net.py`, forwards only. Of a batch of problems, all tokens of a kind stand
// one after another without padding.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "layers.h"
#include "tensors.h"

namespace mizzle {

constexpr int AXES = 4;
constexpr const char* AXIS_NAMES[AXES] = {"rows", "columns", "spectrum",
                                          "edges"};  // in the order of the registry
constexpr int GATED = 204;                           // what the sum of gated statistics is divided by

// Tokens of one problem, which lie elsewhere: row-major, without padding.
struct TokenView {
    const float* overall;
    const float* values[AXES];
    std::int32_t counts[AXES];
};

// Bit i of `axes` says whether the net attends to the i-th kind of token.
struct NetSizes {
    std::int32_t width, blocks, channels, heads, rounds, axes;
};

// Where the tokens of each problem begin among all of a kind.
using Starts = std::vector<std::size_t>;

// x + down(gelu(up(norm(x))))
struct Block {
    LayerNorm norm;
    Dense up, down;
    void update(Activations& state) const;
};

// Multi-head attention of a state over tokens, which are keys and values as they are.
struct Attention {
    LayerNorm norm;
    Dense query, out;
    int heads;
    Activations operator()(const Activations& state, const Activations& tokens, const Starts& starts) const;
};

// One axis of the table: its tokens embedded, and the attention over them in every round.
struct Axis {
    int kind;
    Standardise standardise;
    Dense first, second;
    std::vector<Attention> attention_between;
    Activations embedded(const TokenView* problems, int count, const Starts& starts) const;
};

// What the network gives: quantiles of log(1 + I) before calibration, and the features of novelty.
struct Raw {
    Activations quantiles, features;
};

class Net {
public:
    Net(const Tensors& tensors, const NetSizes& sizes);
    Raw operator()(const TokenView* problems, int count) const;
    int features() const { return int(standardise_.features()); }

private:
    void move_median(Activations& quantiles, const Activations& state, const Activations& features) const;

    Standardise standardise_;
    Dense embed_, head_, shortcut_, gate_;
    std::vector<Axis> axes_;
    std::vector<Block> trunk_;
};

}  // namespace mizzle

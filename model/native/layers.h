// Layers that the network is made of. Their arrays are rows of `padded_width` length, with zeros behind what
// is there.
#pragma once

#include <vector>

#include "floats.h"

namespace mizzle {

// Rows of floats, each padded: one of a problem or of a token.
class Activations {
public:
    Activations(std::size_t count, int width) : width_(width), values_(count * padded_width(width)) {}
    int width() const { return width_; }
    std::size_t stride() const { return padded_width(width_); }
    std::size_t count() const { return values_.size() / stride(); }
    float* operator[](std::size_t row) { return values_.data() + row * stride(); }
    const float* operator[](std::size_t row) const { return values_.data() + row * stride(); }
    std::vector<float>& values() { return values_; }
    const std::vector<float>& values() const { return values_; }

private:
    int width_;
    std::vector<float> values_;
};

// Whether weights[o][i] are stored output by output, as torch does, or input by input.
enum class Order { by_output, by_input };

// output = weights input + bias, sixteen outputs at once.
//
// Each output is summed over the inputs in their order, whatever other rows there are: what is computed for
// many rows is what is computed for each, to the bit.
class Dense {
public:
    // bias: may be null, for none.
    Dense(const float* weights, const float* bias, int outputs, int inputs, Order order = Order::by_output);
    Activations operator()(const Activations& inputs) const;
    int outputs() const { return outputs_; }

private:
    int outputs_, inputs_;
    std::vector<float> panels_;  // [outputs / FLOATS][inputs][FLOATS]
    std::vector<float> bias_;
};

// Mean 0 and variance 1 over a row, then a scale and a shift, where there are any.
struct LayerNorm {
    std::vector<float> weight, bias;
    Activations operator()(const Activations& inputs) const;
};

// signed log1p, then mean 0 and variance 1 by frozen statistics.
struct Standardise {
    std::vector<float> mean, scale;
    std::size_t features() const { return mean.size(); }
    // Standardised, however far out.
    void operator()(const float* values, float* standardised) const;
};

constexpr float CLIP = 6.0f;  // standard deviations beyond which an input feature is held

// Held within +-CLIP, in place
void clip(Activations& values);

// x Phi(x), in place
void gelu(Activations& values);

// log(1 + exp(x))
float softplus(float x);

void add(Activations& values, const Activations& others);

}  // namespace mizzle

#include "layers.h"

#include <algorithm>
#include <cmath>

namespace mizzle {
namespace {

// Rows that share a panel of weights while it is in registers: as many as these have room for.
#if defined(__AVX512F__)
constexpr int AT_ONCE = 8;
#elif defined(__AVX__) || defined(__aarch64__)
constexpr int AT_ONCE = 4;
#else
constexpr int AT_ONCE = 2;
#endif

// sums[r] += sum_i inputs[r][i] panel[i], for the next Count rows of inputs
template <int Count>
void multiply(const float* panel, int width, const float* inputs, std::size_t stride, Floats* sums) {
    Floats own[Count];
    for (int r = 0; r < Count; ++r) own[r] = sums[r];
    for (int i = 0; i < width; ++i) {
        Floats weights;
        load(weights, panel + std::size_t(i) * FLOATS);
        for (int r = 0; r < Count; ++r)
            add_scaled(own[r], inputs[std::size_t(r) * stride + std::size_t(i)], weights);
    }
    for (int r = 0; r < Count; ++r) sums[r] = own[r];
}

constexpr float EPSILON = 1e-5f;  // of torch's layer norm

// erf(x) within 4e-7: x P(x^2) / Q(x^2) on [-4, 4], beyond which it is 1 in single precision. Fitted to the
// smallest relative error.
inline float erf_rational(float x) {
    const float held = std::min(std::max(x, -4.0f), 4.0f), t = held * held;
    float p = 1.9869542e-6f, q = 3.7420879e-5f;
    p = p * t + 2.8454486e-4f, q = q * t + 1.1853395e-3f;
    p = p * t + 3.8823793e-3f, q = q * t + 1.5205303e-2f;
    p = p * t + 5.3098727e-2f, q = q * t + 1.1534063e-1f;
    p = p * t + 1.9352245e-1f, q = q * t + 5.0483733e-1f;
    p = p * t + 1.1283791e0f, q = q * t + 1.0f;
    return held * p / q;
}

}  // namespace

Dense::Dense(const float* weights, const float* bias, int outputs, int inputs, Order order)
    : outputs_(outputs),
      inputs_(inputs),
      panels_(padded_width(outputs) * std::size_t(inputs)),
      bias_(padded_width(outputs)) {
    const bool by_output = order == Order::by_output;
    const std::size_t step_o = by_output ? std::size_t(inputs) : 1,
                      step_i = by_output ? 1 : std::size_t(outputs);
    for (std::size_t o = 0; o < std::size_t(outputs); ++o) {
        float* panel = panels_.data() + o / FLOATS * std::size_t(inputs) * FLOATS + o % FLOATS;
        for (std::size_t i = 0; i < std::size_t(inputs); ++i)
            panel[i * FLOATS] = weights[o * step_o + i * step_i];
    }
    if (bias != nullptr) std::copy(bias, bias + outputs, bias_.begin());
}

Activations Dense::operator()(const Activations& inputs) const {
    Activations result(inputs.count(), outputs_);
    const std::size_t panel_size = std::size_t(inputs_) * FLOATS, count = inputs.count();
    for (std::size_t p = 0; p * FLOATS < result.stride(); ++p) {
        const float* panel = panels_.data() + p * panel_size;
        std::size_t row = 0;
        Floats sums[AT_ONCE];
        for (; row + AT_ONCE <= count; row += AT_ONCE) {
            for (auto& sum : sums) load(sum, bias_.data() + p * FLOATS);
            multiply<AT_ONCE>(panel, inputs_, inputs[row], inputs.stride(), sums);
            for (std::size_t r = 0; r < AT_ONCE; ++r) store(result[row + r] + p * FLOATS, sums[r]);
        }
        for (; row < count; ++row) {
            load(sums[0], bias_.data() + p * FLOATS);
            multiply<1>(panel, inputs_, inputs[row], inputs.stride(), sums);
            store(result[row] + p * FLOATS, sums[0]);
        }
    }
    return result;
}

Activations LayerNorm::operator()(const Activations& inputs) const {
    Activations result(inputs.count(), inputs.width());
    for (std::size_t row = 0; row < inputs.count(); ++row) {
        const float* from = inputs[row];
        float* to = result[row];
        double sum = 0.0, squares = 0.0;
        for (int i = 0; i < inputs.width(); ++i) sum += double(from[i]);
        const double mean = sum / inputs.width();
        for (int i = 0; i < inputs.width(); ++i)
            squares += (double(from[i]) - mean) * (double(from[i]) - mean);
        const float centre = float(mean),
                    scale = float(1.0 / std::sqrt(squares / inputs.width() + double(EPSILON)));
        for (int i = 0; i < inputs.width(); ++i) to[i] = (from[i] - centre) * scale;
        for (std::size_t i = 0; i < weight.size(); ++i) to[i] = to[i] * weight[i] + bias[i];
    }
    return result;
}

void Standardise::operator()(const float* values, float* standardised) const {
    for (std::size_t i = 0; i < features(); ++i) {
        const float squashed = std::copysign(std::log1p(std::abs(values[i])), values[i]);
        standardised[i] = (squashed - mean[i]) * scale[i];
    }
}

void clip(Activations& values) {
    for (float& value : values.values()) value = std::min(std::max(value, -CLIP), CLIP);
}

void gelu(Activations& values) {
    constexpr float HALF_ROOT = 0.70710678f;
    for (float& x : values.values()) x = x * 0.5f * (1.0f + erf_rational(x * HALF_ROOT));
}

float softplus(float x) { return x > 20.0f ? x : std::log1p(std::exp(x)); }

void add(Activations& values, const Activations& others) {
    const float* other = others.values().data();
    for (float& value : values.values()) value += *other++;
}

}  // namespace mizzle

#include "net.h"

#include <algorithm>
#include <cmath>

#include "quantiles.h"

namespace mizzle {
namespace {

Dense dense(const Tensors& tensors, const std::string& name, int outputs, int inputs) {
    const auto weights = tensors.get(name + ".weight", std::int64_t(outputs) * inputs);
    return {weights.data(), tensors.get(name + ".bias", outputs).data(), outputs, inputs};
}

LayerNorm layer_norm(const Tensors& tensors, const std::string& name, int width) {
    return {tensors.get(name + ".weight", width), tensors.get(name + ".bias", width)};
}

Standardise standardise(const Tensors& tensors, const std::string& name) {
    const auto mean = tensors.get(name + ".mean");
    return {mean, tensors.get(name + ".scale", std::int64_t(mean.size()))};
}

Block block(const Tensors& tensors, const std::string& name, int width) {
    return {layer_norm(tensors, name + ".norm", width), dense(tensors, name + ".up", 2 * width, width),
            dense(tensors, name + ".down", width, 2 * width)};
}

Attention attention(const Tensors& tensors, const std::string& name, const NetSizes& sizes) {
    const int mixed = sizes.heads * sizes.channels;
    return {layer_norm(tensors, name + ".norm", sizes.width),
            dense(tensors, name + ".query", mixed, sizes.width),
            dense(tensors, name + ".out", sizes.width, mixed), sizes.heads};
}

Axis axis(const Tensors& tensors, int kind, const NetSizes& sizes) {
    const std::string name = std::string("axes.") + AXIS_NAMES[kind];
    auto inputs = standardise(tensors, name + ".standardise");
    const int features = int(inputs.features());
    Axis result{kind,
                std::move(inputs),
                dense(tensors, name + ".embed.0", sizes.channels, features),
                dense(tensors, name + ".embed.2", sizes.channels, sizes.channels),
                {}};
    for (int round = 0; round < sizes.rounds; ++round)
        result.attention_between.push_back(
            attention(tensors, name + ".attention_between." + std::to_string(round), sizes));
    return result;
}

Starts starts_of(const TokenView* problems, int count, int kind) {
    Starts starts{0};
    for (int b = 0; b < count; ++b) starts.push_back(starts.back() + std::size_t(problems[b].counts[kind]));
    return starts;
}

float dot(const float* a, const float* b, std::size_t size) {
    Floats sums{}, left, right;
    for (std::size_t i = 0; i < size; i += FLOATS) {
        load(left, a + i);
        load(right, b + i);
        add_product(sums, left, right);
    }
    return total(sums);
}

void softmax(float* scores, std::size_t count) {
    const float largest = *std::max_element(scores, scores + count);
    float sum = 0.0f;
    for (std::size_t t = 0; t < count; ++t) sum += scores[t] = std::exp(scores[t] - largest);
    for (std::size_t t = 0; t < count; ++t) scores[t] /= sum;
}

// mixed = sum_t softmax_t(query token_t / sqrt(channels)) token_t; `query` and `mixed` are padded with zeros.
void attend(const float* query, const Activations& tokens, std::size_t first, std::size_t count,
            std::vector<float>& scores, float* mixed) {
    const float scale = 1.0f / std::sqrt(float(tokens.width()));
    scores.resize(count);
    for (std::size_t t = 0; t < count; ++t)
        scores[t] = scale * dot(query, tokens[first + t], tokens.stride());
    softmax(scores.data(), count);
    for (std::size_t c = 0; c < tokens.stride(); c += FLOATS) {
        Floats sums{}, values;
        for (std::size_t t = 0; t < count; ++t) {
            load(values, tokens[first + t] + c);
            add_scaled(sums, scores[t], values);
        }
        store(mixed + c, sums);
    }
}

}  // namespace

void Block::update(Activations& state) const {
    Activations inner = up(norm(state));
    gelu(inner);
    add(state, down(inner));
}

Activations Attention::operator()(const Activations& state, const Activations& tokens,
                                  const Starts& starts) const {
    const Activations queries = query(norm(state));
    const std::size_t channels = std::size_t(tokens.width());
    Activations mixed(queries.count(), queries.width());
    std::vector<float> scores, own_query(tokens.stride()), own_mixed(tokens.stride());
    for (std::size_t b = 0; b + 1 < starts.size(); ++b)
        for (std::size_t h = 0; h < std::size_t(heads); ++h) {
            std::copy_n(queries[b] + h * channels, channels, own_query.data());
            attend(own_query.data(), tokens, starts[b], starts[b + 1] - starts[b], scores, own_mixed.data());
            std::copy_n(own_mixed.data(), channels, mixed[b] + h * channels);
        }
    return out(mixed);
}

Activations Axis::embedded(const TokenView* problems, int count, const Starts& starts) const {
    const std::size_t features = standardise.features();
    Activations inputs(starts.back(), int(features));
    for (int b = 0; b < count; ++b)
        for (std::size_t t = starts[std::size_t(b)]; t < starts[std::size_t(b) + 1]; ++t)
            standardise(problems[b].values[kind] + (t - starts[std::size_t(b)]) * features, inputs[t]);
    clip(inputs);
    Activations inner = first(inputs);
    gelu(inner);
    Activations tokens = second(inner);
    gelu(tokens);
    return tokens;
}

Net::Net(const Tensors& tensors, const NetSizes& sizes)
    : standardise_(standardise(tensors, "standardise")),
      embed_(dense(tensors, "embed", sizes.width, features())),
      head_(dense(tensors, "head", QUANTILES, sizes.width)),
      shortcut_(dense(tensors, "shortcut", 1, features())),
      gate_(dense(tensors, "gate", features(), sizes.width)) {
    for (int kind = 0; kind < AXES; ++kind)
        if (sizes.axes >> kind & 1) axes_.push_back(axis(tensors, kind, sizes));
    for (int i = 0; i < sizes.blocks; ++i)
        trunk_.push_back(block(tensors, "trunk." + std::to_string(i), sizes.width));
}

Raw Net::operator()(const TokenView* problems, int count) const {
    Raw raw{Activations(0, QUANTILES), Activations(std::size_t(count), features())};
    for (int b = 0; b < count; ++b) standardise_(problems[b].overall, raw.features[std::size_t(b)]);
    Activations features = raw.features;
    clip(features);
    std::vector<Starts> starts;
    std::vector<Activations> tokens;
    for (const Axis& axis : axes_) {
        starts.push_back(starts_of(problems, count, axis.kind));
        tokens.push_back(axis.embedded(problems, count, starts.back()));
    }
    Activations state = embed_(features);
    for (std::size_t i = 0; i < trunk_.size(); ++i) {
        trunk_[i].update(state);
        Activations answers(state.count(), state.width());
        for (std::size_t a = 0; a < axes_.size(); ++a)
            if (i < axes_[a].attention_between.size())
                add(answers, axes_[a].attention_between[i](state, tokens[a], starts[a]));
        add(state, answers);
    }
    state = LayerNorm{}(state);
    raw.quantiles = head_(state);
    move_median(raw.quantiles, state, features);
    for (std::size_t b = 0; b < state.count(); ++b) increasing(raw.quantiles[b]);
    return raw;
}

// What moves all quantiles alike: the statistics themselves, weighted anew for every data set.
void Net::move_median(Activations& quantiles, const Activations& state, const Activations& features) const {
    const Activations gates = gate_(state), shortcuts = shortcut_(features);
    for (std::size_t b = 0; b < state.count(); ++b) {
        double gated = 0.0;
        for (int g = 0; g < features.width(); ++g) gated += double(std::tanh(gates[b][g]) * features[b][g]);
        quantiles[b][MIDDLE] += shortcuts[b][0] + float(gated / GATED);
    }
}

}  // namespace mizzle

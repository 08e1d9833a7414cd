#include "interface.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <new>

#include "queries.h"
#include "registry.h"
#include "sample.h"
#include "settings.h"

#ifndef MIZZLE_SOURCES
#define MIZZLE_SOURCES ""
#endif

using namespace mizzle;

namespace {

constexpr int TOKENS_AT_ONCE = 32;  // problems whose tokens are in memory together

void say(char* message, const char* text) {
    std::strncpy(message, text, MESSAGE - 1);
    message[MESSAGE - 1] = '\0';
}

// Runs `work`, and turns what it throws into a code and a message.
template <typename Work>
int guarded(char* message, Work work) {
    try {
        work();
        return 0;
    } catch (const std::bad_alloc&) {
        say(message, "not enough memory");
        return NO_MEMORY;
    } catch (const std::exception& error) {
        say(message, error.what());
        return FAILED;
    }
}

TokenView view(const Tokens& tokens) {
    return {tokens.overall.data(),
            {tokens.rows.data(), tokens.columns.data(), tokens.spectrum.data(), tokens.edges.data()},
            {tokens.row_count, tokens.column_count, tokens.spectrum_count, tokens.edge_count}};
}

Tokens tokens_of(const Problem& problem) {
    return tokenise(
        make_sample(problem.n, problem.dims[0], problem.dims[1], problem.ranks[0], problem.ranks[1]));
}

void answer(const Model& model, const Problem* problems, const double* ceilings, int count, Answer* answers) {
    std::vector<Tokens> tokens;
    std::vector<TokenView> views;
    std::vector<Shape> shapes;
    for (int b = 0; b < count; ++b) {
        tokens.push_back(tokens_of(problems[b]));
        shapes.push_back({problems[b].n, problems[b].dims[0] + problems[b].dims[1]});
    }
    for (const Tokens& own : tokens) views.push_back(view(own));
    model.answer(views.data(), shapes.data(), ceilings, count, answers);
}

}  // namespace

const char* mizzle_sources() { return MIZZLE_SOURCES; }

std::int32_t mizzle_level() {
#if defined(__x86_64__) && defined(__GNUC__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
        __builtin_cpu_supports("bmi2")) {
        const bool v4 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                        __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                        __builtin_cpu_supports("avx512vl");
        return v4 ? 4 : 3;
    }
#endif
    return 0;
}

const char* mizzle_settings() {
    static const std::string text = settings();
    return text.c_str();
}

const char* mizzle_channels() {
    static const std::string text = token_channels();
    return text.c_str();
}

int mizzle_rank(const double* values, std::int64_t n, std::int64_t d, std::int64_t row_step,
                std::int64_t column_step, Rank* ranks, std::int64_t* distinct, double* alike, char* message) {
    return guarded(message, [=] {
        for (std::int64_t c = 0; c < d; ++c) {
            const double* column = values + c * column_step;
            distinct[c] = centred_ranks(column, std::ptrdiff_t(row_step), std::size_t(n), ranks + c * n);
            alike[c] = lag_one_correlation(ranks + c * n, std::size_t(n));
        }
    });
}

int mizzle_number_rows(const Rank* ranks, std::int64_t n, std::int64_t d, std::int64_t* numbers,
                       std::int64_t* count, char* message) {
    return guarded(message, [=] { *count = number_rows(ranks, std::size_t(d), std::size_t(n), numbers); });
}

int mizzle_canonical_order(const Problem* problem, std::int32_t* order, char* message) {
    return guarded(message, [=] {
        const auto [n, dims, ranks] = *problem;
        const std::vector<int> rows = canonical_order(Sample{n, {dims[0], dims[1]}, {ranks[0], ranks[1]}, {}});
        std::copy(rows.begin(), rows.end(), order);
    });
}

int mizzle_entropy(const Label* labels, std::int64_t n, Counted* result, char* message) {
    return guarded(message, [=] { *result = entropy(labels, std::size_t(n)); });
}

int mizzle_information(const Label* x, const Label* y, std::int64_t n, Counted* result, std::int32_t* counts,
                       char* message) {
    return guarded(message, [=] { *counts = information(x, y, std::size_t(n), *result); });
}

int mizzle_new_tokens(const Problem* problem, Tokens** tokens, char* message) {
    return guarded(message, [=] { *tokens = new Tokens(tokens_of(*problem)); });
}

void mizzle_view_tokens(const Tokens* tokens, TokenView* result) { *result = view(*tokens); }

void mizzle_free_tokens(Tokens* tokens) { delete tokens; }

Model* mizzle_new_model(const Tensor* tensors, std::int32_t count, const NetSizes* sizes,
                        const std::int32_t* rows, char* message) {
    Model* model = nullptr;
    guarded(message, [&] {
        Tensors all;
        for (std::int32_t i = 0; i < count; ++i) all.add(tensors[i].name, tensors[i].values, tensors[i].size);
        model = new Model(all, *sizes, rows[0], rows[1]);
    });
    return model;
}

void mizzle_free_model(Model* model) { delete model; }

int mizzle_raw(const Model* model, const TokenView* tokens, std::int32_t count, float* quantiles,
               float* features, char* message) {
    return guarded(message, [=] {
        const Raw raw = model->net()(tokens, count);
        const std::size_t width = std::size_t(raw.features.width());
        for (std::size_t b = 0; b < std::size_t(count); ++b) {
            std::copy_n(raw.quantiles[b], QUANTILES, quantiles + b * QUANTILES);
            std::copy_n(raw.features[b], width, features + b * width);
        }
    });
}

int mizzle_answer_tokens(const Model* model, const TokenView* tokens, const Shape* shapes,
                         const double* ceilings, std::int32_t count, Answer* answers, char* message) {
    return guarded(message, [=] { model->answer(tokens, shapes, ceilings, count, answers); });
}

int mizzle_answer_problems(const Model* model, const Problem* problems, const double* ceilings,
                           std::int32_t count, Answer* answers, char* message) {
    return guarded(message, [=] {
        for (std::int32_t first = 0; first < count; first += TOKENS_AT_ONCE)
            answer(*model, problems + first, ceilings + std::ptrdiff_t(first) * QUANTILES,
                   std::min(TOKENS_AT_ONCE, count - first), answers + first);
    });
}

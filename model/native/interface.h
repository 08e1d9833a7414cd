// The C interface, which Python loads by ctypes. No exception leaves it, and no call changes anything shared:
// any number of threads may call at once.
//
// Functions that can fail return 0 (or a model), or else a code (or null) and write a sentence to `message`,
// which has MESSAGE bytes.
#pragma once

#include "answer.h"
#include "compiler.h"
#include "counting.h"
#include "ranks.h"
#include "tokens.h"

namespace mizzle {

constexpr int MESSAGE = 256;
constexpr int NO_MEMORY = 1, FAILED = 2;

// A ranked problem: rows, columns of either side, and their centred ranks column by column.
struct Problem {
    std::int32_t n, dims[2];
    const Rank* ranks[2];
};

// A tensor of a weights file.
struct Tensor {
    const char* name;
    const float* values;
    std::int64_t size;
};

}  // namespace mizzle

extern "C" {

// What the library was built from, as far as the build said.
MIZZLE_EXPORT const char* mizzle_sources();

// Which of the libraries this processor can run, by their names: 4, 3, or 0 for the plain one.
MIZZLE_EXPORT std::int32_t mizzle_level();

// What the code computes, and the channels of its tokens, as JSON: `weights.code()` and `registry.widths()`.
MIZZLE_EXPORT const char* mizzle_settings();
MIZZLE_EXPORT const char* mizzle_channels();

// Ranks of the columns of n x d finite values, whose rows and columns lie so many doubles apart.
//
// ranks: d x n; distinct: the number of different values of each column; alike: its lag-one autocorrelation.
MIZZLE_EXPORT int mizzle_rank(const double* values, std::int64_t n, std::int64_t d, std::int64_t row_step,
                              std::int64_t column_step, mizzle::Rank* ranks, std::int64_t* distinct,
                              double* alike, char* message);

// Numbers of rows, the same for equal ones; `count` of them differ. ranks: d x n.
MIZZLE_EXPORT int mizzle_number_rows(const mizzle::Rank* ranks, std::int64_t n, std::int64_t d,
                                     std::int64_t* numbers, std::int64_t* count, char* message);

// The rows of a problem in an order that their content decides, whatever their order: n numbers from 0 on.
MIZZLE_EXPORT int mizzle_canonical_order(const mizzle::Problem* problem, std::int32_t* order, char* message);

// Entropy of n labels 0, 1, .., and the information of two, where it can be counted: `counts` is 1 then.
MIZZLE_EXPORT int mizzle_entropy(const mizzle::Label* labels, std::int64_t n, mizzle::Counted* result,
                                 char* message);
MIZZLE_EXPORT int mizzle_information(const mizzle::Label* x, const mizzle::Label* y, std::int64_t n,
                                     mizzle::Counted* result, std::int32_t* counts, char* message);

// The tokens of one problem, to be freed; a view points into them.
MIZZLE_EXPORT int mizzle_new_tokens(const mizzle::Problem* problem, mizzle::Tokens** tokens, char* message);
MIZZLE_EXPORT void mizzle_view_tokens(const mizzle::Tokens* tokens, mizzle::TokenView* result);
MIZZLE_EXPORT void mizzle_free_tokens(mizzle::Tokens* tokens);

// A network with its calibration, to be freed; the tensors are copied. `rows`: smallest and largest n of the
// training.
MIZZLE_EXPORT mizzle::Model* mizzle_new_model(const mizzle::Tensor* tensors, std::int32_t count,
                                              const mizzle::NetSizes* sizes, const std::int32_t* rows,
                                              char* message);
MIZZLE_EXPORT void mizzle_free_model(mizzle::Model* model);

// Quantiles of log(1 + I) before calibration, and the features of novelty: so many a problem.
MIZZLE_EXPORT int mizzle_raw(const mizzle::Model* model, const mizzle::TokenView* tokens, std::int32_t count,
                             float* quantiles, float* features, char* message);

// Answers from tokens, and from ranked problems; ceilings: upper bounds in nats, as many as quantiles a
// problem.
MIZZLE_EXPORT int mizzle_answer_tokens(const mizzle::Model* model, const mizzle::TokenView* tokens,
                                       const mizzle::Shape* shapes, const double* ceilings,
                                       std::int32_t count, mizzle::Answer* answers, char* message);
MIZZLE_EXPORT int mizzle_answer_problems(const mizzle::Model* model, const mizzle::Problem* problems,
                                         const double* ceilings, std::int32_t count, mizzle::Answer* answers,
                                         char* message);
}

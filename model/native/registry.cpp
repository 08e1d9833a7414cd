#include "registry.h"

#include "columns.h"
#include "sizes.h"

namespace mizzle {
namespace {

std::vector<Ends> ends_of(const Sample& sample, int s) {
    std::vector<Ends> ends;
    for (int c = 0; c < sample.dims[s]; ++c) ends.push_back(bin_ends(sample.rank(s, c), sample.n));
    return ends;
}

const Statistic COLUMNS{"columns",
                        Kind::columns,
                        columns::CHANNELS,
                        3 * columns::CHANNELS,
                        [](const Context& c, int, float* tokens, int stride) {
                            columns::tokens(c.sample, c.linear, c.pairs, c.binned, tokens, stride);
                        },
                        [](const Context& c, const float* tokens, int stride, float* overall) {
                            columns::pool(c.sample, tokens, stride, overall);
                        }};

const Statistic ROW_NEIGHBOURS{
    "neighbours",
    Kind::rows,
    neighbours::CHANNELS,
    neighbours::POOLED_CHANNELS,
    [](const Context& c, int, float* tokens, int stride) { neighbours::tokens(c.around, tokens, stride); },
    [](const Context& c, const float*, int, float* overall) { neighbours::pool(c.around, overall); }};

const Statistic SPECTRUM{"spectrum",
                         Kind::spectrum,
                         2 * moments::SPECTRA + 1,
                         (2 + moments::TOP) * moments::SPECTRA,
                         [](const Context& c, int, float* tokens, int stride) {
                             moments::spectrum(c.sample, c.linear, tokens, stride);
                         },
                         [](const Context& c, const float*, int, float* overall) {
                             moments::pool_spectrum(c.sample, c.linear, overall);
                         }};

const Statistic COUPLING{
    "coupling", Kind::none, 0, 4, nullptr, [](const Context& c, const float*, int, float* overall) {
        moments::pool_coupling(c.sample, c.linear, c.log_norms, overall);
    }};

const Statistic PLANE_NEIGHBOURS{
    "plane",
    Kind::rows,
    plane::CHANNELS,
    plane::POOLED_CHANNELS,
    [](const Context& c, int, float* tokens, int stride) { plane::tokens(c.around, tokens, stride); },
    [](const Context& c, const float*, int, float* overall) { plane::pool(c.around, overall); }};

const Statistic PAIRS{"edges",
                      Kind::edges,
                      edges::CHANNELS,
                      5 * bins::FINE_COUNT,
                      [](const Context& c, int, float* tokens, int stride) {
                          edges::tokens(c.sample, c.linear, c.pairs, c.ends, c.edges, c.variates, tokens,
                                        stride);
                      },
                      [](const Context& c, const float* tokens, int stride, float* overall) {
                          edges::pool(c.edges, c.variates, tokens, stride, overall);
                      }};

const Statistic SIZES{
    "sizes",
    Kind::every,
    sizes::LOGS,
    sizes::LOGS + sizes::RATIOS,
    [](const Context& c, int count, float* tokens, int stride) {
        sizes::tokens(c.sample, count, tokens, stride);
    },
    [](const Context& c, const float*, int, float* overall) { sizes::pool(c.sample, overall); }};

const Statistic NONLINEAR{"nonlinear",
                          Kind::spectrum,
                          2 * nonlinear::SPECTRA,
                          nonlinear::SPECTRA * (nonlinear::SUMS + nonlinear::TOP),
                          [](const Context& c, int, float* tokens, int stride) {
                              nonlinear::spectrum(c.sample, c.nonlinear, tokens, stride);
                          },
                          [](const Context& c, const float*, int, float* overall) {
                              nonlinear::pool(c.sample, c.nonlinear, overall);
                          }};

const Statistic LOCAL_INFORMATION{
    "local information",
    Kind::rows,
    local_information::CHANNELS,
    local_information::POOLED_CHANNELS,
    [](const Context& c, int, float* tokens, int stride) {
        local_information::tokens(c.around, tokens, stride);
    },
    [](const Context& c, const float*, int, float* overall) { local_information::pool(c.around, overall); }};

const Statistic GEOMETRY{"geometry",
                         Kind::none,
                         0,
                         geometry::POOLED_CHANNELS,
                         nullptr,
                         [](const Context& c, const float*, int, float* overall) {
                             geometry::pool(c.around, overall); }};

Surroundings around(const Sample& sample, const std::vector<float>& log_norms, const Variates& variates) {
    return surroundings(sample, log_norms.data(), {variates.values[0].data(), variates.values[1].data()});
}

bool is_of(const Statistic& statistic, Kind kind) {
    return statistic.token == kind || statistic.token == Kind::every;
}

std::string entry(const char* name, int count) {
    return "\"" + std::string(name) + "\": " + std::to_string(count);
}

void append(std::string& list, const std::string& item) { list += (list.empty() ? "" : ", ") + item; }

}  // namespace

Context::Context(const Sample& own)
    : sample(own),
      functions(column_functions(own)),
      linear(mizzle::linear(own)),
      pairs(correlations_of_pairs(functions, linear)),
      ends{ends_of(own, 0), ends_of(own, 1)},
      binned(binned_information(own, ends)),
      log_norms(mizzle::log_norms(own, linear)),
      edges(edges::strongest(own, linear, pairs, binned)),
      variates(mizzle::variates(own, linear)),
      nonlinear(nonlinear_correlations(functions)),
      around(mizzle::around(own, log_norms, variates)) {}

const std::vector<Statistic>& statistics() {
    static const std::vector<Statistic> ALL{COLUMNS,           ROW_NEIGHBOURS, SPECTRUM, COUPLING,
                                            PLANE_NEIGHBOURS,  PAIRS,          SIZES,    NONLINEAR,
                                            LOCAL_INFORMATION, GEOMETRY};
    return ALL;
}

int count_tokens(const Context& c, Kind kind) {
    switch (kind) {
        case Kind::rows:
            return c.around.count();
        case Kind::columns:
            return c.sample.total();
        case Kind::spectrum:
            return c.sample.smaller();
        case Kind::edges:
            return edges::count(c.edges, c.variates);
        default:
            return 0;
    }
}

int channels(Kind kind) {
    int sum = 0;
    for (const Statistic& statistic : statistics()) sum += is_of(statistic, kind) ? statistic.channels : 0;
    return sum;
}

int overall_channels() {
    int sum = 0;
    for (const Statistic& statistic : statistics()) sum += statistic.pooled;
    return sum;
}

std::string token_channels() {
    const char* const names[KINDS] = {"rows", "columns", "spectrum", "edges"};
    std::string all, overall;
    for (int kind = 0; kind < KINDS; ++kind) {
        std::string own;
        for (const Statistic& statistic : statistics())
            if (is_of(statistic, Kind(kind))) append(own, entry(statistic.name, statistic.channels));
        append(all, "\"" + std::string(names[kind]) + "\": {" + own + "}");
    }
    for (const Statistic& statistic : statistics()) append(overall, entry(statistic.name, statistic.pooled));
    return "{" + all + ", \"overall\": {" + overall + "}}";
}

}  // namespace mizzle

#include "surroundings.h"

#include <algorithm>
#include <cmath>
#include <memory>

#include "digamma.h"

namespace mizzle {
namespace {

// Query rows of a sample, by their places in the order of content.
struct Queries {
    explicit Queries(const Sample& sample)
        : order(content_order(sample)),
          all(all_queries(sample).places),
          fewer(fewer_queries(sample, {all})),
          tokens(evenly(int(fewer.size()), ROWS)) {
        for (const int q : fewer) fewer_places.push_back(all[std::size_t(q)]);
    }
    std::vector<int> rows(const std::vector<int>& places) const {
        std::vector<int> rows;
        for (const int place : places) rows.push_back(order[std::size_t(place)]);
        return rows;
    }

    std::vector<int> order;   // rows of the sample
    std::vector<int> all;     // places
    std::vector<int> fewer;   // numbers among `all`
    std::vector<int> tokens;  // numbers among `fewer`
    std::vector<int> fewer_places;
};

Points scores_in_order(const Sample& sample, const std::vector<int>& order) {
    Points points(sample.n, sample.dims[0], sample.dims[1]);
    for (int s = 0; s < 2; ++s)
        for (int c = 0; c < sample.dims[s]; ++c) {
            const float* from = sample.score(s, c);
            double* to = points.column(s, c);
            for (std::size_t i = 0; i < order.size(); ++i) to[i] = double(from[order[i]]);
        }
    points.measure_lengths();
    return points;
}

Direct directly(const Points& points) {
    Direct direct(points.n, points.dims[0], points.dims[1]);
    for (int s = 0; s < 2; ++s)
        for (int c = 0; c < points.dims[s]; ++c)
            std::copy_n(points.column(s, c), points.n, direct.column(s, c));
    return direct;
}

// Everything that distances over all columns tell.
struct AllColumns {
    AllColumns(const Sample& sample, const Queries& queries, const Points& points, const double* psi,
               Windows& windows);

    bool wide;        // whether local information looks at directions: covariances of all columns come first
    Neighbours rows;  // of all query rows
    Neighbourhoods hoods;  // of the fewer ones, of every second where a side is wide
    Ratios ratios;
};

AllColumns::AllColumns(const Sample& sample, const Queries& queries, const Points& points, const double* psi,
                       Windows& windows)
    : wide(std::max(sample.dims[0], sample.dims[1]) > WIDE),
      rows(int(queries.all.size())),
      hoods(int(queries.fewer.size()), Reach(sample.n, sample.total())) {
    const bool direct = std::max(sample.dims[0], sample.dims[1]) <= DIRECT;
    std::vector<Look> looks;
    for (std::size_t q = 0; q < queries.all.size(); ++q)
        looks.push_back({queries.all[q], direct ? -1 : int(q), -1, false});
    for (std::size_t f = 0; f < queries.fewer.size(); ++f) {
        Look& look = looks[std::size_t(queries.fewer[f])];
        look.ratios = f % EVERY == 0;
        if (look.ratios || !wide) look.hood = int(f);
    }
    const auto idle = [](const Look& look) { return look.row < 0 && look.hood < 0; };
    looks.erase(std::remove_if(looks.begin(), looks.end(), idle), looks.end());
    if (direct) rows = count_neighbours(directly(points), queries.all, psi, windows);
    look_around(points, looks, psi, windows, rows, hoods, ratios);
}

// Local information, and the sum over every second row of the logs of participation ratios.
struct Local {
    std::vector<float> channels;
    double log_participation[2] = {};
};

Local local_of(const AllColumns& all, const Queries& queries, const Points& points, const double* psi,
               Windows& windows) {
    Local local;
    if (!all.wide) {
        local.channels =
            local_terms_of(points, queries.fewer_places, all.hoods, psi, windows, local.log_participation);
        return local;
    }
    LocalCovariances covariances(points);
    for (int f = 0; f < int(queries.fewer.size()); f += EVERY)
        covariances.add(all.hoods.nearest(f), all.hoods.reach.k[1]);
    std::copy_n(covariances.log_participation, 2, local.log_participation);
    const Points projected = covariances.projected();
    std::vector<Look> looks;
    for (std::size_t f = 0; f < queries.fewer.size(); ++f)
        looks.push_back({queries.fewer_places[f], -1, int(f), false});
    Neighbours none(0);
    Windows no_windows;
    Neighbourhoods first(int(queries.fewer.size()), Reach(points.n, projected.total()));
    Ratios no_ratios;
    look_around(projected, looks, psi, no_windows, none, first, no_ratios);
    double ignored[2] = {};
    local.channels = local_terms_of(projected, queries.fewer_places, first, psi, no_windows, ignored);
    return local;
}

// Local information among the first pairs of variates, and where the row lies there.
std::vector<float> plane_channels(const Sample& sample, const Queries& queries, const Neighbours& all,
                                  const double* const (&variates)[2], const double* psi) {
    const auto n = static_cast<std::size_t>(sample.n);
    const int widest = std::max(sample.dims[0], sample.dims[1]), columns = std::min(widest, PLANE);
    Direct direct(sample.n, columns, columns);
    for (int s = 0; s < 2; ++s)
        for (int v = 0; v < columns; ++v)
            for (std::size_t i = 0; i < n; ++i)
                direct.column(s, v)[i] =
                    float(variates[s][std::size_t(v) * n + std::size_t(queries.order[i])]);
    const bool single = widest == 1;  // among all columns where a side has one
    Windows none;
    const Neighbours own = single ? Neighbours(0) : count_neighbours(direct, queries.fewer_places, psi, none);
    std::vector<float> channels;
    for (std::size_t f = 0; f < queries.fewer.size(); ++f) {
        const auto* local = single ? &all.local[3 * std::size_t(queries.fewer[f])] : &own.local[3 * f];
        channels.insert(channels.end(), local, local + 3);
        float u[PLANE] = {}, w[PLANE] = {};
        for (int v = 0; v < columns; ++v) {
            u[v] = direct.column(0, v)[queries.fewer_places[f]];
            w[v] = direct.column(1, v)[queries.fewer_places[f]];
        }
        for (int v = 0; v < PLANE; ++v) channels.push_back(std::fabs(u[v] * w[v]));
        for (int v = 0; v < PLANE; ++v) channels.push_back(u[v] * u[v] + w[v] * w[v]);
    }
    return channels;
}

// Logs of dimensions and participation ratios, each of the smaller and of the larger.
std::vector<float> geometry_of(const Points& points, const AllColumns& all, const Local& local) {
    std::vector<double> values = log_dimensions(all.ratios);
    double overall[2];
    log_participation(points, overall);
    const auto put = [&](const double (&logs)[2], double share) {
        values.push_back(std::min(logs[0], logs[1]) * share);
        values.push_back(std::max(logs[0], logs[1]) * share);
    };
    put(overall, 1);
    put(local.log_participation, 1.0 / all.ratios.rows);
    return {values.begin(), values.end()};
}

}  // namespace

void QueryChannels::put(float* tokens, int stride) const {
    for (const int row : of_tokens) {
        std::copy_n(values.begin() + std::ptrdiff_t(row) * channels, channels, tokens);
        tokens += stride;
    }
}

void QueryChannels::pool(int first_channels, float* overall) const {
    const std::size_t count = values.size() / std::size_t(channels);
    for (int c = 0; c < first_channels; ++c) {
        double mean = 0, squares = 0;
        for (std::size_t row = 0; row < count; ++row)
            mean += double(values[row * std::size_t(channels) + std::size_t(c)]);
        mean /= double(count);
        for (std::size_t row = 0; row < count; ++row) {
            const double centred = double(values[row * std::size_t(channels) + std::size_t(c)]) - mean;
            squares += centred * centred;
        }
        overall[c] = float(mean);
        overall[first_channels + c] = float(std::sqrt(std::max(squares / double(count), 1e-12)));
    }
}

Surroundings surroundings(const Sample& sample, const float* log_norms, const double* const (&variates)[2]) {
    const Queries queries(sample);
    const Points points = scores_in_order(sample, queries.order);
    const std::vector<double> psi = digammas(padded(sample.n) + 1);
    Windows windows(points);
    const AllColumns all(sample, queries, points, psi.data(), windows);
    Local local = local_of(all, queries, points, psi.data(), windows);
    std::vector<int> of_all;
    for (const int token : queries.tokens) of_all.push_back(queries.fewer[std::size_t(token)]);
    std::vector<float> geometry = geometry_of(points, all, local);
    return {{NEIGHBOUR_CHANNELS, neighbour_channels(all.rows, queries.rows(queries.all), log_norms, sample.n),
             of_all},
            {PLANE_CHANNELS, plane_channels(sample, queries, all.rows, variates, psi.data()), queries.tokens},
            {LOCAL_CHANNELS, std::move(local.channels), queries.tokens},
            std::move(geometry)};
}

}  // namespace mizzle

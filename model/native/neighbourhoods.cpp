#include "neighbourhoods.h"

#include <algorithm>
#include <cmath>

#include "gram.h"

namespace mizzle {
namespace {

constexpr double LARGEST_RATIO = 1.0686474581524463e13;  // e^30
constexpr int BLOCK = 64;                                // rows whose products are summed at a time

// Mean of log(e_k / e_j) over the k - 1 nearer neighbours j; squared distances come in.
double mean_log_ratio(const Nearest& nearest, int k) {
    const double last = std::max(nearest.distance(k - 1), TINY);
    double product = 1;  // of at most 19 ratios of at most e^30: below 1e248
    for (int j = 0; j + 1 < k; ++j)
        product *= std::min(last / double(std::max(nearest.distance(j), TINY)), LARGEST_RATIO);
    return std::log(product) / 2 / std::max(k - 1, 1);
}

void put_centred(const Points& points, int s, const std::vector<double>& mean, int start, int count,
                 int width, double* rows) {
    for (int c = 0; c < points.dims[s]; ++c) {
        const double *z = points.column(s, c) + start, m = mean[std::size_t(c)];
        for (int r = 0; r < count; ++r) rows[r * width + c] = z[r] - m;
    }
}

}  // namespace

Reach::Reach(int n, int total)
    : k{std::min(total + BEYOND[0], n - 1), std::min(total + BEYOND[1], n - 1), std::min(SMALL, n - 1)} {}

Neighbourhoods::Neighbourhoods(int queries, const Reach& numbers)
    : reach(numbers),
      counted(static_cast<std::size_t>(3 * queries)),
      places(static_cast<std::size_t>(queries * reach.largest())) {}

void Neighbourhoods::put(int query, const Terms& terms, const Nearest& nearest) {
    std::copy_n(terms.local, 3, counted.begin() + 3 * query);
    std::copy_n(nearest.places(), reach.largest(), places.begin() + std::ptrdiff_t(query) * reach.largest());
}

void Ratios::add(const Distances& distances, const Nearest& of_both, Nearest& of_side, int n) {
    const int k[] = {std::min(SCALES[0], n - 1), std::min(SCALES[1], n - 1)};
    for (int part = 0; part < 3; ++part) {
        if (part < 2) of_side.find(distances.side[part], k[1]);
        for (int scale = 0; scale < 2; ++scale)
            sums[scale][part] += mean_log_ratio(part < 2 ? of_side : of_both, k[scale]);
    }
    ++rows;
}

void look_around(const Points& points, const std::vector<Look>& looks, const double* psi, Windows& windows,
                 Neighbours& rows, Neighbourhoods& hoods, Ratios& ratios) {
    const Ks ks(points.n);
    const int scale = std::min(SCALES[1], points.n - 1);
    std::vector<Distances> distances(AT_ONCE, Distances(0));
    Nearest nearest, of_side;
    const auto largest = [&](const Look& look) {
        return std::max({look.row < 0 ? 0 : ks.k[2], look.hood < 0 ? 0 : hoods.reach.largest(),
                         look.ratios ? scale : 0});
    };
    const auto put = [&](const Look& look, const Distances& own, const int* places) {
        nearest.find(own.joint, largest(look), places);
        if (look.row >= 0) rows.put(look.row, local_terms(own, nearest, ks.k, points.n, psi));
        if (look.hood >= 0)
            hoods.put(look.hood, local_terms(own, nearest, hoods.reach.k, points.n, psi), nearest);
        if (look.ratios) ratios.add(own, nearest, of_side, points.n);
    };
    if (windows.sorted())
        for (const Look& look : looks) {
            const auto among = windows.around(points, look.place, largest(look), {1, 1});
            among.rows.measure(&among.query, 1, distances);
            put(look, distances[0], among.places);
        }
    else
        for (std::size_t start = 0; start < looks.size(); start += AT_ONCE) {
            const std::size_t count = std::min(std::size_t(AT_ONCE), looks.size() - start);
            int places[AT_ONCE];
            for (std::size_t i = 0; i < count; ++i) places[i] = looks[start + i].place;
            points.measure(places, int(count), distances);
            for (std::size_t i = 0; i < count; ++i) put(looks[start + i], distances[i], nullptr);
        }
}

std::vector<double> log_dimensions(const Ratios& ratios) {
    std::vector<double> logs;
    for (const auto& sums : ratios.sums) {
        double dimension[3];
        for (int part = 0; part < 3; ++part) dimension[part] = 1 / std::max(sums[part] / ratios.rows, 1e-3);
        logs.push_back(std::log(std::min(dimension[0], dimension[1])));
        logs.push_back(std::log(std::max(dimension[0], dimension[1])));
        logs.push_back(std::log(dimension[2]));
    }
    return logs;
}

double participation(double trace, double squares) {
    return std::max(trace * trace / std::max(squares, double(TINY)), 1.0);
}

void log_participation(const Points& points, double (&to)[2]) {
    for (int s = 0; s < 2; ++s) {
        const int d = points.dims[s], width = gram_width(d);
        std::vector<double> mean(static_cast<std::size_t>(d)), rows(static_cast<std::size_t>(BLOCK * width));
        std::vector<double> sums(static_cast<std::size_t>(width * width));
        for (int c = 0; c < d; ++c) {
            double total = 0;
            for (int i = 0; i < points.n; ++i) total += points.column(s, c)[i];
            mean[std::size_t(c)] = total / points.n;
        }
        for (int start = 0; start < points.n; start += BLOCK) {
            const int count = std::min(BLOCK, points.n - start);
            put_centred(points, s, mean, start, count, width, rows.data());
            add_gram(rows.data(), count, d, sums.data());
        }
        double trace = 0, squares = 0;
        for (int i = 0; i < d; ++i) {
            trace += sums[std::size_t(i * width + i)];
            squares += sums[std::size_t(i * width + i)] * sums[std::size_t(i * width + i)];
            for (int j = i + 1; j < d; ++j)
                squares += 2 * sums[std::size_t(i * width + j)] * sums[std::size_t(i * width + j)];
        }
        to[s] = std::log(participation(trace, squares));
    }
}

}  // namespace mizzle

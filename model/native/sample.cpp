#include "sample.h"

#include <cmath>
#include <limits>

namespace mizzle {
namespace {

constexpr int TERMS = 8;

double rational(const double (&above)[TERMS], const double (&below)[TERMS], double t) {
    double p = above[TERMS - 1], q = below[TERMS - 1];
    for (int k = TERMS - 2; k >= 0; --k) {
        p = p * t + above[k];
        q = q * t + below[k];
    }
    return p / q;
}

constexpr double CENTRE_ABOVE[TERMS] = {
    3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4,
    4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3};
constexpr double CENTRE_BELOW[TERMS] = {1.0,
                                        4.2313330701600911252e1,
                                        6.8718700749205790830e2,
                                        5.3941960214247511077e3,
                                        2.1213794301586595867e4,
                                        3.9307895800092710610e4,
                                        2.8729085735721942674e4,
                                        5.2264952788528545610e3};
constexpr double MIDDLE_ABOVE[TERMS] = {1.42343711074968357734e0,  4.63033784615654529590e0,
                                        5.76949722146069140550e0,  3.64784832476320460504e0,
                                        1.27045825245236838258e0,  2.41780725177450611770e-1,
                                        2.27238449892691845833e-2, 7.74545014278341407640e-4};
constexpr double MIDDLE_BELOW[TERMS] = {1.0,
                                        2.05319162663775882187e0,
                                        1.67638483018380384940e0,
                                        6.89767334985100004550e-1,
                                        1.48103976427480074590e-1,
                                        1.51986665636164571966e-2,
                                        5.47593808499534494600e-4,
                                        1.05075007164441684324e-9};
constexpr double FAR_ABOVE[TERMS] = {6.65790464350110377720e0,  5.46378491116411436990e0,
                                     1.78482653991729133580e0,  2.96560571828504891230e-1,
                                     2.65321895265761230930e-2, 1.24266094738807843860e-3,
                                     2.71155556874348757815e-5, 2.01033439929228813265e-7};
constexpr double FAR_BELOW[TERMS] = {1.0,
                                     5.99832206555887937690e-1,
                                     1.36929880922735805310e-1,
                                     1.48753612908506148525e-2,
                                     7.86869131145613259100e-4,
                                     1.84631831751005468180e-5,
                                     1.42151175831644588870e-7,
                                     2.04426310338993978564e-15};

// Scores of one column. Equal |rank| have equal scores up to the sign, and so each is computed once.
void fill_scores(int n, const Rank* ranks, std::vector<float>& table, float* scores) {
    for (int i = 0; i < n; ++i) {
        const bool negative = ranks[i] < 0;
        float& value = table[std::size_t(negative ? -ranks[i] : ranks[i])];
        if (std::isnan(value)) value = float(normal_score(double(negative ? -ranks[i] : ranks[i]) / n));
        scores[i] = negative ? -value : value;
    }
}

}  // namespace

// Wichura (1988), algorithm AS 241, whose relative error is about 1e-16.
double normal_score(double share) {
    const double q = share / 2;
    if (std::fabs(q) <= 0.425) return q * rational(CENTRE_ABOVE, CENTRE_BELOW, 0.180625 - q * q);
    const double r = std::sqrt(-std::log(0.5 - std::fabs(q)));
    const double size =
        r <= 5 ? rational(MIDDLE_ABOVE, MIDDLE_BELOW, r - 1.6) : rational(FAR_ABOVE, FAR_BELOW, r - 5);
    return q < 0 ? -size : size;
}

Sample make_sample(int n, int dx, int dy, const Rank* x, const Rank* y) {
    Sample sample{n, {dx, dy}, {x, y}, {}};
    std::vector<float> table(std::size_t(n), std::numeric_limits<float>::quiet_NaN());
    for (int s = 0; s < 2; ++s) {
        sample.scores[s].resize(std::size_t(n) * std::size_t(sample.dims[s]));
        for (int c = 0; c < sample.dims[s]; ++c)
            fill_scores(n, sample.rank(s, c), table,
                        sample.scores[s].data() + std::size_t(c) * std::size_t(n));
    }
    return sample;
}

}  // namespace mizzle

#include "nonlinear.h"

#include <algorithm>
#include <cmath>

#include "algebra.h"
#include "canonical.h"
#include "waves.h"

namespace mizzle {
namespace {

constexpr double LARGEST_SHARE =
    0.9;  // functions of both sides to a row, beyond which no correction is known
constexpr double TINY = 1e-6;
constexpr double VARIES = 1e-2;    // of its size, that a function varies by, or what varies may be rounding
constexpr double LEAST = 1e-4;     // ridge that rounding cannot undo
constexpr int ROWS_AT_ONCE = 512;  // that are widened to double precision together

// Of one family: columns of functions of X, then of functions of Y, [row] each.
struct Family {
    std::vector<const float*> columns;
    std::vector<float> mean;
    int functions[2];  // of either side
};

int function_count(const Sample& sample) {
    return sample.larger() > nonlinear::WIDE ? nonlinear::WIDE_FUNCTIONS : nonlinear::FUNCTIONS;
}

// Cube root of the squared length of each row, which is near normal.
std::vector<double> lengths(const Sample& sample, int s) {
    const int n = sample.n;
    std::vector<double> length(n);
    for (int c = 0; c < sample.dims[s]; ++c) {
        const float* z = sample.score(s, c);
        for (int i = 0; i < n; ++i) length[i] += double(z[i]) * double(z[i]);
    }
    for (double& value : length) value = std::max(value, TINY);
    cube_roots(length.data(), n);
    return length;
}

// cos(pi u), u the place of a row's length among the rows.
std::vector<double> first_wave(const Sample& sample, int s) {
    const int n = sample.n;
    std::vector<double> wave = lengths(sample, s);
    const double mean = sum(wave.data(), n) / n;
    for (double& length : wave) length -= mean;
    const double spread = std::sqrt(std::max(dot(wave.data(), wave.data(), n) / n, TINY));
    for (double& length : wave) length = normal_wave(length / spread);
    return wave;
}

// cos(pi k u) from cos(pi u), by Chebyshev's polynomials.
double wave_of(int k, double c) { return k == 1 ? c : k == 2 ? 2 * c * c - 1 : (4 * c * c - 3) * c; }

// z cos(pi k u) of the columns of one side, for k from 1: [(k - 1) * d * n + c * n + row].
std::vector<float> radial(const Sample& sample, int s, int count) {
    const std::ptrdiff_t n = sample.n, cells = n * sample.dims[s];
    const std::vector<double> first = first_wave(sample, s);
    std::vector<float> wave(first.size()), values(std::size_t(count - 1) * cells);
    for (int k = 1; k < count; ++k) {
        for (std::ptrdiff_t i = 0; i < n; ++i) wave[i] = float(wave_of(k, first[i]));
        for (int c = 0; c < sample.dims[s]; ++c) {
            const float* z = sample.score(s, c);
            float* out = values.data() + (k - 1) * cells + c * n;
            for (std::ptrdiff_t i = 0; i < n; ++i) out[i] = z[i] * wave[i];
        }
    }
    return values;
}

void append_columns(const float* values, const std::vector<float>& mean, int n, Family& family) {
    for (std::size_t c = 0; c < mean.size(); ++c) family.columns.push_back(values + std::ptrdiff_t(c) * n);
    family.mean.insert(family.mean.end(), mean.begin(), mean.end());
}

// Sums over rows of the products of any two centred columns, in double precision, so many rows at a time.
//
// Functions of a column of few values depend on each other linearly. In single precision their many equal
// addends are all rounded the same way, and leave an eigenvalue further below 0 than a ridge mends.
std::vector<double> products_of(const Family& family, int n) {
    const int p = int(family.columns.size());
    std::vector<double> gram(p * p), part(std::size_t(p) * ROWS_AT_ONCE);
    for (int row = 0; row < n; row += ROWS_AT_ONCE) {
        const int rows = std::min(ROWS_AT_ONCE, n - row);
        for (int c = 0; c < p; ++c) {
            const float* values = family.columns[c] + row;
            double* out = part.data() + std::ptrdiff_t(c) * ROWS_AT_ONCE;
            for (int i = 0; i < rows; ++i) out[i] = double(values[i] - family.mean[c]);
        }
        add_own_products(part.data(), p, ROWS_AT_ONCE, rows, gram.data());
    }
    mirror(gram.data(), p);
    return gram;
}

// Of all functions with all; of what does not vary 0, even with itself.
std::vector<double> correlations(const Family& family, int n) {
    const int p = int(family.columns.size());
    std::vector<double> gram = products_of(family, n), scale(p);
    for (int c = 0; c < p; ++c) {
        const double mean = double(family.mean[c]), variance = gram[c + c * p],
                     size = variance + n * mean * mean;
        scale[c] = variance > VARIES * VARIES * size ? 1 / std::sqrt(std::max(variance, TINY * TINY)) : 0;
    }
    for (int j = 0; j < p; ++j)
        for (int i = 0; i < p; ++i) gram[i + j * p] *= scale[i] * scale[j];
    return gram;
}

// rows x columns of a matrix of p x p, from (first_row, first_column) on.
std::vector<double> block(const std::vector<double>& matrix, int p, int first_row, int rows, int first_column,
                          int columns) {
    std::vector<double> part;
    for (int j = 0; j < columns; ++j) {
        const double* column = matrix.data() + (first_column + j) * p + first_row;
        part.insert(part.end(), column, column + rows);
    }
    return part;
}

// The squared correlation that shows as `sample` among x n and y n functions of n rows, x + y < 1.
//
// Bao, Hu, Pan & Zhou (2019, Annals of Statistics 47): sample = (r (1 - x) + x) (r (1 - y) + y) / r where r
// is large enough to be told from noise; the real part of the solution goes on from there to 0.
double corrected(double sample, double x, double y) {
    const double a = (1 - x) * (1 - y), b = sample - x * (1 - y) - y * (1 - x);
    const double root = std::sqrt(std::max(b * b - 4 * a * x * y, TINY * TINY));
    return std::min(std::max((b + root) / (2 * a), 0.0), 1 - TINY);
}

// The dimensions that functions have at a ridge: their number, less what it takes away.
double freedom(const std::vector<double>& whiten, int p, double level) {
    return p - level * dot(whiten.data(), whiten.data(), p * p);
}

Nonlinear::Spectrum spectrum_of(const std::vector<double>& gram, const int (&p)[2], int n, double level) {
    const int all = p[0] + p[1];
    const auto wx = whitening(block(gram, all, 0, p[0], 0, p[0]), p[0], level);
    const auto wy = whitening(block(gram, all, p[0], p[1], p[0], p[1]), p[1], level);
    const auto core = whitened(wx, p[0], wy, p[1], block(gram, all, 0, p[0], p[0], p[1]));
    const double x = freedom(wx, p[0], level) / (n - 1),
                 y = freedom(wy, p[1], level) / (n - 1);  // a mean was taken
    const double fewer = std::max((x + y) / LARGEST_SHARE, 1.0);
    Nonlinear::Spectrum spectrum{squared_singular(core, p[0], p[1]), -x * y * (n - 1)};
    for (double& squared : spectrum.squared) {
        squared = std::min(std::max(squared, 0.0), 1.0);
        spectrum.excess += squared;
        squared = corrected(squared, x / fewer, y / fewer);
    }
    return spectrum;
}

double nats(double squared) { return -std::log1p(-squared) / 2; }

double root(double squared) { return std::sqrt(std::max(squared, TINY)); }

// The j-th squared correlation; 0 beyond the last.
double at(const Nonlinear::Spectrum& spectrum, int j) {
    return j < int(spectrum.squared.size()) ? spectrum.squared[j] : 0;
}

void add_spectra(const Family& family, int n, Nonlinear::Spectrum* spectra) {
    const std::vector<double> gram = correlations(family, n);
    const double unit = double(family.functions[0] + family.functions[1]) / n;
    for (int r = 0; r < nonlinear::RIDGES; ++r)
        spectra[r] =
            spectrum_of(gram, family.functions, n, std::max(nonlinear::FUNCTION_RIDGES[r] * unit, LEAST));
}

}  // namespace

Nonlinear nonlinear_correlations(const Functions& functions) {
    const Sample& sample = *functions.sample;
    const int n = sample.n, count = function_count(sample);
    Family additive{{}, {}, {count * sample.dims[0], count * sample.dims[1]}}, radially = additive;
    std::vector<float> waves[2];
    for (int s = 0; s < 2; ++s) {
        const int of_waves = (count - 1) * sample.dims[s];
        for (int f = 0; f < count; ++f) append_columns(functions.of(f, s), functions.mean[f][s], n, additive);
        waves[s] = radial(sample, s, count);
        append_columns(functions.of(0, s), functions.mean[0][s], n, radially);
        append_columns(waves[s].data(), means(waves[s].data(), of_waves, n), n, radially);
    }
    Nonlinear out;
    add_spectra(additive, n, out.spectra);
    add_spectra(radially, n, out.spectra + nonlinear::RIDGES);
    return out;
}

namespace nonlinear {

void spectrum(const Sample& sample, const Nonlinear& own, float* tokens, int stride) {
    for (int j = 0; j < sample.smaller(); ++j, tokens += stride)
        for (int k = 0; k < SPECTRA; ++k) {
            tokens[k] = float(root(at(own.spectra[k], j)));
            tokens[SPECTRA + k] = float(nats(at(own.spectra[k], j)));
        }
}

void pool(const Sample& sample, const Nonlinear& own, float* overall) {
    for (const Nonlinear::Spectrum& spectrum : own.spectra) {
        double all = 0, of_columns = 0, squares = 0;
        for (int j = 0; j < int(spectrum.squared.size()); ++j) {
            all += nats(spectrum.squared[j]);
            if (j < sample.smaller()) of_columns += nats(spectrum.squared[j]);
            squares += spectrum.squared[j];
        }
        for (double sum : {all, of_columns, squares, spectrum.excess}) *overall++ = float(sum);
        for (int j = 0; j < TOP; ++j) *overall++ = float(root(at(spectrum, j)));
    }
}

}  // namespace nonlinear
}  // namespace mizzle

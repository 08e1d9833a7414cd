#pragma once
// Mean and standard deviation of channels over query rows.

#include <algorithm>
#include <cmath>
#include <vector>

namespace mizzle {

// `values` are row-major, `channels` a row; appended are the means, then the spreads.
inline void append_mean_and_spread(const std::vector<float>& values, int channels, std::vector<float>& to) {
    const auto width = static_cast<std::size_t>(channels), count = values.size() / width;
    std::vector<double> mean(width), square(width);
    for (std::size_t i = 0; i < values.size(); ++i) mean[i % width] += values[i];
    for (double& m : mean) m /= double(count);
    for (std::size_t i = 0; i < values.size(); ++i) {
        const double centred = values[i] - mean[i % width];
        square[i % width] += centred * centred;
    }
    for (const double m : mean) to.push_back(static_cast<float>(m));
    for (const double s : square) to.push_back(static_cast<float>(std::sqrt(std::max(s / double(count), 1e-12))));
}

} // namespace mizzle

#pragma once
// What is looked at around query rows: their channels in tokens and in the global token.

#include "local_information.h"

namespace mizzle {

// The channels of all query rows of a statistic, and which of these become tokens.
struct QueryChannels {
    int channels;
    std::vector<float> values;  // a row of channels each
    std::vector<int> of_tokens;
    void put(float* tokens, int stride) const;
    void pool(int first_channels, float* overall) const;  // mean and spread of the first channels
};

struct Surroundings {
    QueryChannels neighbours, plane, local_information;
    std::vector<float> geometry;
    int count() const { return static_cast<int>(neighbours.of_tokens.size()); }  // tokens
};

namespace neighbours {
constexpr int CHANNELS = NEIGHBOUR_CHANNELS, POOLED_CHANNELS = 2 * CHANNELS;
inline void tokens(const Surroundings& around, float* to, int stride) { around.neighbours.put(to, stride); }
inline void pool(const Surroundings& around, float* to) { around.neighbours.pool(CHANNELS, to); }
}  // namespace neighbours

namespace plane {
constexpr int CHANNELS = PLANE_CHANNELS, POOLED_CHANNELS = 2 * 3;
inline void tokens(const Surroundings& around, float* to, int stride) { around.plane.put(to, stride); }
inline void pool(const Surroundings& around, float* to) { around.plane.pool(3, to); }
}  // namespace plane

namespace local_information {
constexpr int CHANNELS = LOCAL_CHANNELS, POOLED_CHANNELS = 2 * CHANNELS;
inline void tokens(const Surroundings& around, float* to, int stride) {
    around.local_information.put(to, stride);
}
inline void pool(const Surroundings& around, float* to) { around.local_information.pool(CHANNELS, to); }
}  // namespace local_information

namespace geometry {
constexpr int POOLED_CHANNELS =
    3 * 2 + 2 + 2;  // dimensions by scale, participation, participation among neighbours
inline void pool(const Surroundings& around, float* to) {
    std::copy(around.geometry.begin(), around.geometry.end(), to);
}
}  // namespace geometry

// `log_norms` as [s * n + row], `variates` of either side as [v * n + row], at least the first `PLANE`.
Surroundings surroundings(const Sample& sample, const float* log_norms, const double* const (&variates)[2]);

}  // namespace mizzle

// The tensors of a weights file by their names, which are those of torch's state dictionary.
#pragma once

#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace mizzle {

class Tensors {
public:
    void add(const std::string& name, const float* values, std::int64_t size) {
        tensors_[name] = {values, size};
    }

    // The values of a tensor, which must have so many.
    std::vector<float> get(const std::string& name, std::int64_t size) const {
        std::vector<float> values = get(name);
        if (std::int64_t(values.size()) != size)
            throw std::invalid_argument(name + " has " + std::to_string(values.size()) + " values, not " +
                                        std::to_string(size));
        return values;
    }

    // The values of a tensor, however many.
    std::vector<float> get(const std::string& name) const {
        const auto place = tensors_.find(name);
        if (place == tensors_.end()) throw std::invalid_argument("there is no tensor " + name);
        return {place->second.values, place->second.values + place->second.size};
    }

private:
    struct Tensor {
        const float* values;
        std::int64_t size;
    };

    std::map<std::string, Tensor> tensors_;
};

}  // namespace mizzle

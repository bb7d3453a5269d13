// One entry of a batch of reference numbers.
#pragma once
#include <string>
#include <tessera/checkpoint/safetensors.hpp>
#include <vector>

namespace tessera::test {

/// Entry `index` of the first extent of a stored tensor.
inline std::vector<float> part(const Safetensors& file, const std::string& name, std::size_t index) {
    const StoredTensor& tensor = file.tensor(name);
    const auto all = tensor.to_floats();
    const auto size = static_cast<std::ptrdiff_t>(all.size() / static_cast<std::size_t>(tensor.shape.at(0)));
    const auto first = all.begin() + static_cast<std::ptrdiff_t>(index) * size;
    return {first, first + size};
}

}  // namespace tessera::test

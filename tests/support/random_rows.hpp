// Rows of normal numbers.
#pragma once
#include <random>
#include <tessera/core/tensor.hpp>

namespace tessera::test {

template <Index Width>
Tensor<float, dyn, Width> random_rows(Index count, unsigned seed) {
    Tensor<float, dyn, Width> x({count, Width});
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    for (float& value : x.view()) value = normal(random);
    return x;
}

}  // namespace tessera::test

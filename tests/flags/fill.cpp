// Fills a layer and prints what two other translation units make of it.
#include <cstdio>
#include <vector>

#include "layer.hpp"

int main() {
    Layer layer;
    std::vector<float> weights(64 * 64), x(10 * 64);
    for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<float>(i % 13) / 13 - 0.4f;
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i % 7) / 7;
    layer.weight.assign({weights.data(), {64, 64}});
    layer.bias.fill(0);
    const tessera::ConstRows<64> rows(x.data(), {10, 64});
    std::printf("%.4f %.4f\n", static_cast<double>(first_output_one(layer, rows)),
                static_cast<double>(first_output_two(layer, rows)));
}

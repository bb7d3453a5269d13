// A program that uses this library the way a stranger's project does: queries read a context of another width, and only the
// first three rows of it.
#include <cmath>
#include <cstdio>
#include <tessera/attention.hpp>

int main() {
    tessera::Attention<64, 4, 96> cross;
    float seed = 0;
    tessera::for_each_parameter(cross, [&](const std::string&, auto& leaf) {
        leaf.allocate(tessera::DType::f32);
        std::vector<float> row(static_cast<std::size_t>(leaf.columns));
        for (tessera::Index i = 0; i < leaf.rows; ++i) {
            for (float& value : row) value = 0.1f * std::sin(seed += 0.7f);
            leaf.write(i, row.data(), 1);
        }
    });
    tessera::Tensor<float, tessera::dyn, 64> queries({5, 64});
    tessera::Tensor<float, tessera::dyn, 96> context({7, 96});
    for (tessera::Index i = 0; i < queries.size(); ++i) queries.data()[i] = std::sin(static_cast<float>(i));
    for (tessera::Index i = 0; i < context.size(); ++i) context.data()[i] = std::cos(static_cast<float>(i));

    tessera::Scratch scratch;
    const auto all = cross(queries, context, tessera::FirstKeys{3}, scratch);
    const auto three = cross(queries, context.view().slice(0, 3), tessera::FirstKeys{3}, scratch);
    float largest = 0, difference = 0;
    for (tessera::Index i = 0; i < all.size(); ++i) {
        largest = std::max(largest, std::fabs(all.data()[i]));
        difference = std::max(difference, std::fabs(all.data()[i] - three.data()[i]));
    }
    std::printf("attention: largest %.3f, masked and cut differ by %.1e\n", static_cast<double>(largest),
                static_cast<double>(difference));
    return largest > 0.01f && difference <= 1e-5f * largest ? 0 : 1;
}

#include <doctest/doctest.h>

#include <array>
#include <tessera/nn/head_weight.hpp>
#include <tessera/nn/weight.hpp>

namespace nn_weight {
using namespace tessera;

TEST_CASE("weights that are written before there is memory are one sentence; afterwards they are read back") {
    const std::array<float, 8> numbers{1, 2, 3, 4, 5, 6, 7, 8};
    std::array<float, 2> row{};
    Weight<4, 2> weight;
    CHECK_THROWS_WITH_AS(weight.write(0, numbers.data(), 4), "[weight.unset] Weight<4, 2>: written before allocate()",
                         Error);
    HeadWeight<2, 2, 2, Transposed::yes> heads;
    CHECK_THROWS_WITH_AS(heads.write(0, numbers.data(), 4),
                         "[weight.unset] HeadWeight of 2 heads: written before allocate()", Error);
    weight.allocate();
    heads.allocate();
    weight.write(0, numbers.data(), 4);
    heads.write(0, numbers.data(), 4);
    for (Index i = 0; i < 4; ++i) {
        weight.read(i, row.data());
        CHECK((row == std::array<float, 2>{numbers[std::size_t(2 * i)], numbers[std::size_t(2 * i + 1)]}));
        heads.read(i, row.data());
        CHECK(row[1] == numbers[std::size_t(2 * i + 1)]);
    }
}

}  // namespace nn_weight

#include <doctest/doctest.h>

#include <random>
#include <tessera/kernel/panels.hpp>
#include <vector>

using namespace tessera;

TEST_CASE("weights given input by input are the weights given output by output") {
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    for (const Stored stored : {Stored::f32, Stored::bf16})
        for (const Index out : {1, 7, 33, 100})
            for (const Index in : {1, 2, 7, 33}) {
                CAPTURE(out);
                CAPTURE(in);
                std::vector<float> weight(static_cast<std::size_t>(out * in)), turned(weight.size());
                for (float& w : weight) w = to_float(to_bf16(normal(random)));
                for (Index o = 0; o < out; ++o)
                    for (Index k = 0; k < in; ++k)
                        turned[static_cast<std::size_t>(k * out + o)] = weight[static_cast<std::size_t>(o * in + k)];
                kernel::Panels panels(out, in, stored);
                for (Index k = 0; k < in; k += 3)  // a few inputs at a time
                    panels.write_inputs(k, turned.data() + k * out, std::min<Index>(3, in - k));
                std::vector<float> row(static_cast<std::size_t>(in)), column(static_cast<std::size_t>(out));
                for (Index o = 0; o < out; ++o) {
                    panels.read(o, row.data());
                    CHECK(std::equal(row.begin(), row.end(), weight.begin() + o * in));
                }
                for (Index k = 0; k < in; ++k) {
                    panels.read_input(k, column.data());
                    CHECK(std::equal(column.begin(), column.end(), turned.begin() + k * out));
                }
            }
}

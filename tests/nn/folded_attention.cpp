#include <doctest/doctest.h>

#include <map>
#include <random>
#include <tessera/nn/folded_attention.hpp>
#include <tessera/nn/randomize.hpp>
#include <tessera/study.hpp>

#include "support/compare.hpp"

namespace nn_folded_attention {
using namespace tessera;

namespace {

constexpr Index width = 48, heads = 4, wide = 96;

// Both layers with the same numbers, biases too.
struct Pair {
    Attention<width, heads, wide> plain;
    FoldedAttention<width, heads, wide> folded;

    explicit Pair(DType stored) {
        randomize(plain, 7, stored);
        std::mt19937 random(2);
        std::normal_distribution<float> normal;
        for (auto* bias : {&plain.query.bias, &plain.key.bias, &plain.value.bias, &plain.output.bias})
            for (Index i = 0; i < width; ++i) bias->data()[i] = normal(random);
        std::map<std::string, std::vector<float>> values;
        for_each_parameter(plain, [&](const std::string& path, const auto& leaf) {
            auto& v = values[path];
            v.resize(static_cast<std::size_t>(leaf.rows * leaf.columns));
            for (Index row = 0; row < leaf.rows; ++row) leaf.read(row, v.data() + row * leaf.columns);
        });
        for_each_parameter(folded, [&](const std::string& path, auto& leaf) {
            leaf.allocate(stored);
            const auto& v = values.at(path);
            const Index step = 5;  // rows at a time, so that some writes reach over the end of a head
            for (Index row = 0; row < leaf.rows; row += step)
                leaf.write(row, v.data() + row * leaf.columns, std::min(step, leaf.rows - row));
            std::vector<float> back(static_cast<std::size_t>(leaf.columns));
            for (Index row = 0; row < leaf.rows; ++row) {
                leaf.read(row, back.data());
                CHECK(std::equal(back.begin(), back.end(), v.begin() + row * leaf.columns));
            }
        });
    }
};

Tensor<float, dyn, dyn> random_rows(Index count, Index columns, unsigned seed) {
    Tensor<float, dyn, dyn> x({count, columns});
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    for (float& value : x.view()) value = normal(random);
    return x;
}

// Sums of 48, 96, at most 257 and 48 products one behind another, in two orders: twice so many roundings of 2⁻²⁴.
constexpr double tolerance = 2 * (48 + 96 + 257 + 48) * 0x1p-24;

}  // namespace

TEST_CASE("folded attention equals attention") {
    Scratch s;
    for (const DType stored : {DType::f32, DType::bf16}) {
        const Pair layer(stored);
        for (const Index queries : {0, 1, 7, 33})
            for (const Index keys : {0, 1, 7, 257}) {
                CAPTURE(queries);
                CAPTURE(keys);
                const auto x = random_rows(queries, width, 1), context = random_rows(keys, wide, 2);
                const auto check = [&](const char* name, const auto& mask) {
                    const ConstRows<width> rows(x.view());
                    const ConstRows<wide> picture(context.view());
                    const auto want = layer.plain(rows, picture, mask, s);
                    test::check_close(name, layer.folded(rows, picture, mask, s).span(), want.span(), tolerance);
                };
                check("full", Full{});
                check("odd rows see nothing", Predicate{[](Site at) { return at.query % 2 == 0 && at.key % 3 != 1; }});
            }
    }
}

TEST_CASE("several pictures are a packed context") {
    const Pair layer(DType::f32);
    Scratch s;
    const std::vector<Index> queries{0, 8, 16, 24}, keys{0, 17, 17, 50};  // the second picture is empty
    const auto x = random_rows(24, width, 1), context = random_rows(50, wide, 2);
    const Packed mask(queries, keys, Full{});
    const ConstRows<width> rows(x.view());
    const ConstRows<wide> picture(context.view());
    test::check_close("packed", layer.folded(rows, picture, mask, s).span(), layer.plain(rows, picture, mask, s).span(),
                      tolerance);
}

TEST_CASE("the order is chosen by what it costs") {
    static_assert(folding_pays(32, 257, 64, 1408));   // BLIP-2: 14.5 instead of 23.7 million multiplications per head
    static_assert(!folding_pays(257, 257, 64, 768));  // as many queries as keys
    static_assert(!folding_pays(96, 257, 64, 1408));  // more queries than a head is wide
    static_assert(std::same_as<CrossAttention<768, 12, 1408, 32, 257>, FoldedAttention<768, 12, 1408>>);
    static_assert(std::same_as<CrossAttention<768, 12, 768, 257, 257>, Attention<768, 12, 768>>);
}

TEST_CASE("a folded layer without weights, and a mask that does not fit, are errors in one sentence") {
    FoldedAttention<width, heads, wide> layer;
    Scratch s;
    const auto x = random_rows(6, width, 1), context = random_rows(4, wide, 2);
    const ConstRows<width> rows(x.view());
    const ConstRows<wide> picture(context.view());
    CHECK_THROWS_WITH_AS(layer(rows, picture, Full{}, s),
                         "[weight.unset] FoldedAttention<48, 4, 96>: called before its weights were set", Error);
    randomize(layer, 1);
    CHECK_THROWS_WITH_AS(layer(rows, picture, Causal{}, s),
                         "[option.value] FoldedAttention: the mask does not fit 6 queries and 4 keys; Causal without "
                         "an alignment needs as "
                         "many of both, else Causal::bottom_right(6, 4)",
                         Error);
}

}  // namespace nn_folded_attention

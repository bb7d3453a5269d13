#include <doctest/doctest.h>

#include <numeric>
#include <random>
#include <tessera/nn/block.hpp>
#include <tessera/nn/embedding.hpp>
#include <tessera/nn/randomize.hpp>

#include "support/allocations.hpp"
#include "support/compare.hpp"

namespace nn_block {
using namespace tessera;

namespace {
Tensor<float, dyn, 32> random_rows(Index count) {
    Tensor<float, dyn, 32> x({count, 32});
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    for (float& value : x.view()) value = normal(random);
    return x;
}
}  // namespace

TEST_CASE_TEMPLATE("a block is its parts, put together", B, Block<32, 4, 64>,
                   Block<32, 4, 64, Activation::relu, PostNorm>) {
    constexpr bool before = std::is_same_v<B, Block<32, 4, 64>>;
    B block(1e-6f);
    CHECK(block.attention.norm.eps == 1e-6f);
    randomize(block, 3);
    Scratch s;
    auto x = random_rows(9);
    const auto add = [](Rows<32> a, ConstRows<32> b) {
        for (Index i = 0; i < a.size(); ++i) a.data()[i] += b.data()[i];
    };
    Tensor<float, dyn, 32> want = x;
    if (before) {
        const auto n = block.attention.norm(want, s);
        add(want, block.attention.part(n, n, Causal{}, s));
        add(want, block.mlp.part(block.mlp.norm(want, s), s));
    } else {
        add(want, block.attention.part(want, want, Causal{}, s));
        block.attention.norm.into(want, want, s);
        add(want, block.mlp.part(want, s));
        block.mlp.norm.into(want, want, s);
    }
    Tensor<float, dyn, 32> y({9, 32});
    block.into(y, x, Causal{}, s);
    test::check_close("block", y.view().span(), want.view().span(), 1e-6);
}

TEST_CASE("a second pass of the same size allocates nothing") {
    Block<32, 4, 64> block;
    randomize(block, 3);
    Scratch s;
    auto x = random_rows(57);
    KeyValueCache<32> cache(1, 80);
    std::vector<Index> positions(57);
    std::iota(positions.begin(), positions.end(), Index{0});
    const Index last = 57;
    const Causal causal{}, after = Causal::after(57);
    const auto pass = [&] {
        const auto frame = s.frame();
        const auto y = s.rows<32>(57);
        block.into(y, x, Causal{}, s);
        cache.length = 0;
        const Continuation<KeyValueCache<32>> first{&cache, 57, causal, positions};
        block.into(y, x, {&first, 1}, 0, s);
        cache.advance(positions);
        const Continuation<KeyValueCache<32>> next{&cache, 1, after, {&last, 1}};
        block.into(y.slice(0, 1), x.view().slice(0, 1), {&next, 1}, 0, s);
    };
    pass();
    const long before = test::allocations();
    pass();
    CHECK(test::allocations() == before);
}

TEST_CASE("an embedding reads rows, is an output layer too, and knows its ids") {
    Embedding<10, 32> table;
    Scratch s;
    const Token ids[] = {3, 0, 9};
    CHECK_THROWS_WITH_AS(table(ids, s), "[weight.unset] Embedding<10, 32>: called before its weights were set", Error);
    randomize(table, 5);
    const auto rows = table(ids, s);
    float row[32];
    table.weight.read(9, row);
    for (Index d = 0; d < 32; ++d) CHECK(rows(2, d) == row[d]);
    const auto logits = table.logits(rows, s);
    double square = 0;
    for (Index d = 0; d < 32; ++d) square += double{rows(1, d)} * double{rows(1, d)};
    CHECK(logits(1, 0) == doctest::Approx(square).epsilon(1e-5));
    const Token outside[] = {3, 10}, negative[] = {-1};
    CHECK_THROWS_WITH_AS(table(outside, s), "[token.id] token 1: expected an id below 10, found 10", Error);
    CHECK_THROWS_AS(table(negative, s), Error);
}

}  // namespace nn_block

#include <doctest/doctest.h>

#include <random>
#include <tessera/mask/score_mod/alibi.hpp>
#include <tessera/mask/score_mod/soft_cap.hpp>
#include <tessera/nn/attention.hpp>
#include <tessera/nn/norm.hpp>
#include <tessera/nn/randomize.hpp>
#include <tessera/reference/attention.hpp>
#include <tessera/reference/linear.hpp>
#include <tessera/study.hpp>

#include "support/compare.hpp"
#include "support/random_rows.hpp"

namespace nn_attention {
using namespace tessera;
using test::random_rows;

namespace {

// A Linear in plain loops.
template <Index In, Index Out>
Tensor<float, dyn, Out> plain(const Linear<In, Out>& layer, ConstRows<In> x) {
    Tensor<float, dyn, Out> y({x.extent(0), Out});
    Tensor<float, Out, In> weight;
    for (Index o = 0; o < Out; ++o) layer.weight.read(o, &weight(o, 0));
    for (Index r = 0; r < x.extent(0); ++r)
        for (Index o = 0; o < Out; ++o) {
            double sum = double{layer.bias.data()[o]};
            for (Index i = 0; i < In; ++i) sum += double{x(r, i)} * double{weight(o, i)};
            y(r, o) = static_cast<float>(sum);
        }
    return y;
}

// The whole layer in plain loops.
template <AttentionSizes S, Mask M>
Tensor<float, dyn, S.width> plain(const MultiHeadAttention<S>& layer, ConstRows<S.width> x,
                                  ConstRows<S.context_width()> context, const M& mask) {
    auto q = plain(layer.query, x);
    auto k = plain(layer.key, context), v = plain(layer.value, context);
    Tensor<float, dyn, S.query_width()> mixed({x.extent(0), S.query_width()});
    using reference::ConstMatrix;
    reference::attention(mixed.view(), ConstMatrix(q.view()), ConstMatrix(k.view()), ConstMatrix(v.view()), S.heads,
                         1.0 / std::sqrt(static_cast<double>(S.head_width())), mask);
    return plain(layer.output, ConstRows<S.query_width()>(mixed));
}

// Four chained sums of at most 64 products: 64 · 4 roundings of 2⁻²⁴, grown by at most √64 through norms.
constexpr double tolerance = 64 * 4 * 0x1p-24;

}  // namespace

TEST_CASE("self-attention equals its plain loops under each of BLIP-2's masks") {
    Attention<48, 4> layer;
    randomize(layer, 7);
    layer.output.bias.fill(0.25f);
    Scratch s;
    for (const Index text : {0, 1, 7, 33}) {
        CAPTURE(text);
        const auto x = random_rows<48>(8 + text, 3);
        const auto check = [&](const char* name, const auto& mask) {
            const auto got = layer(x, x, mask, s);
            test::check_close(name, got.span(), plain(layer, ConstRows<48>(x), ConstRows<48>(x), mask).view().span(),
                              tolerance);
        };
        check("uni-modal", masks::uni_modal(8));
        check("bidirectional", masks::bidirectional());
        check("multimodal causal", masks::multimodal_causal(8));
        check("lambda", Predicate{[](Site at) { return (at.query ^ at.key) % 3 != 0; }});
    }
}

TEST_CASE("cross-attention takes a context of another width and length") {
    Attention<48, 4, 80> layer;
    randomize(layer, 9);
    Scratch s;
    for (const Index keys : {1, 7, 33, 257}) {
        CAPTURE(keys);
        const auto x = random_rows<48>(5, 1);
        const auto context = random_rows<80>(keys, 2);
        const auto got = layer(x, context, Full{}, s);
        test::check_close("cross", got.span(),
                          plain(layer, ConstRows<48>(x), ConstRows<80>(context), Full{}).view().span(), tolerance);
    }
}

TEST_CASE("heads share keys and values, also behind a cache") {
    const auto check = [](const auto& layer) {
        using Layer = std::remove_cvref_t<decltype(layer)>;
        Scratch s;
        const auto x = random_rows<48>(12, 5);
        const auto whole = layer(x, x, Causal{}, s);
        test::check_close("whole", whole.span(),
                          plain(layer, ConstRows<48>(x), ConstRows<48>(x), Causal{}).view().span(), tolerance);
        KeyValueCache<Layer::key_width> cache(1, 12);
        for (Index at = 0; at < 12; ++at) {
            auto y = s.rows<48>(1);
            layer.into(y, x.view().slice(at, 1), cache.layer(0), Causal::after(at), s);
            ++cache.length;
            test::check_close("row", y.span(), whole.slice(at, 1).span(), tolerance);
        }
    };
    Attention<48, 4, 48, 2> grouped;
    randomize(grouped, 3);
    check(grouped);
    Attention<48, 6, 48, 1> single;
    randomize(single, 4);
    check(single);
}

TEST_CASE("rows that may see nothing give the output layer's bias") {
    Attention<48, 4> layer;
    randomize(layer, 7);
    layer.output.bias.fill(0.25f);
    Scratch s;
    const auto x = random_rows<48>(3, 3);
    for (const float y : layer(x, x, ~Full{}, s)) CHECK(y == 0.25f);
    CHECK(layer(ConstRows<48>(nullptr, {0, 48}), x, Full{}, s).size() == 0);
}

TEST_CASE("tokens one at a time behind a cache give what the whole sequence gives") {
    Attention<48, 4> layer;
    randomize(layer, 11);
    Scratch s;
    const auto x = random_rows<48>(12, 5);
    const auto whole = layer(x, x, Causal{}, s);
    KeyValueCache<48> cache(2, 12);
    for (Index at = 0; at < 12;) {
        const Index count = at == 0 ? 5 : 1;  // a prompt, then token by token
        auto y = s.rows<48>(count);
        layer.into(y, x.view().slice(at, count), cache.layer(1), Causal::after(at), s);
        cache.length += count;
        test::check_close("rows", y.span(), whole.slice(at, count).span(), tolerance);
        at += count;
    }
}

TEST_CASE("the residual is added in place") {
    Attention<48, 4> layer;
    randomize(layer, 13);
    Scratch s;
    auto x = random_rows<48>(6, 5);
    const auto before = x;
    const auto y = layer(x, x, Full{}, s);
    layer.into(x, x, x, Full{}, s, {.residual = x});
    for (Index i = 0; i < x.size(); ++i) CHECK(x.data()[i] == doctest::Approx(y.data()[i] + before.data()[i]));
}

TEST_CASE("heads of a width of their own, without biases and scale, and a bias of scores, also from a cache") {
    constexpr AttentionSizes sizes{.width = 40,
                                   .heads = 3,
                                   .head_size = 16,
                                   .scale = 1,
                                   .query_bias = HasBias::no,
                                   .key_bias = HasBias::no,
                                   .value_bias = HasBias::no,
                                   .output_bias = HasBias::no};
    MultiHeadAttention<sizes> layer;
    static_assert(layer.query_width == 48);
    randomize(layer, 5);
    Scratch s;
    const auto x = random_rows<40>(12, 5);
    const DiagonalBias alibi_bias = alibi(3, 12, 12);
    const auto cap = SoftCap{0.5f};
    const auto both = cap + alibi_bias;
    const auto whole = layer(x, x, Causal{}, s, both);
    const auto unbiased = layer(x, x, Causal{}, s);
    bool differs = false;
    for (Index i = 0; i < whole.size(); ++i) differs = differs || whole.data()[i] != unbiased.data()[i];
    CHECK(differs);
    KeyValueCache<48> cache(1, 12);
    for (Index at = 0; at < 12; ++at) {
        const auto y = s.rows<40>(1);
        const auto later = cap + alibi_bias.after(at);
        layer.into(y, x.view().slice(at, 1), cache.layer(0), Causal::after(at), s, {.score_mod = later});
        ++cache.length;
        test::check_close("row", y.span(), whole.slice(at, 1).span(), tolerance);
    }
    CHECK_THROWS_WITH_AS(layer.into(s.rows<40>(1), x.view().slice(0, 1), cache.layer(0), Full{}, s),
                         "[sequence.length] Attention: the cache has room for 12 rows, found 13", Error);
}

TEST_CASE("an output or a residual of another number of rows is an error in one sentence") {
    Attention<48, 4> layer;
    randomize(layer, 5);
    Scratch s;
    const auto x = random_rows<48>(6, 5);
    CHECK_THROWS_WITH_AS(layer.into(s.rows<48>(5), x, x, Full{}, s),
                         "[rows.mismatch] Linear of width 48: expected an output of 6 rows, found 5", Error);
    CHECK_THROWS_WITH_AS(layer.into(s.rows<48>(6), x, x, Full{}, s, {.residual = x.view().slice(0, 5)}),
                         "[rows.mismatch] Linear of width 48: expected a residual of 6 rows, found 5", Error);
    LayerNorm<48> norm;
    randomize(norm, 1);
    CHECK_THROWS_WITH_AS(norm.into(s.rows<48>(7), x, s),
                         "[rows.mismatch] LayerNorm of width 48: expected an output of 6 rows, found 7", Error);
}

TEST_CASE("a layer without weights, and a mask that does not fit, are errors in one sentence") {
    Attention<48, 4> layer;
    Scratch s;
    const auto x = random_rows<48>(6, 5);
    CHECK_THROWS_WITH_AS(layer(x, x, Full{}, s), "[weight.unset] Linear<48, 48>: called before its weights were set",
                         Error);
    randomize(layer, 1);
    CHECK_THROWS_WITH_AS(layer(x, x.view().slice(0, 4), Causal{}, s),
                         "[option.value] Attention: the mask does not fit 6 queries and 4 keys; Causal without an "
                         "alignment needs as many of "
                         "both, else Causal::bottom_right(6, 4)",
                         Error);
    CHECK_NOTHROW(layer(x.view().slice(0, 4), x, Causal::bottom_right(4, 6), s));
}

}  // namespace nn_attention

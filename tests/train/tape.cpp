// The records of a forward pass hold all that going back needs: gradients made of them alone agree with finite differences.
#include <tessera/train/tape.hpp>

#include <doctest/doctest.h>

#include <random>
#include <tessera/mask/catalog.hpp>
#include <tessera/mask/score_mod/alibi.hpp>
#include <tessera/mask/score_mod/relative_bias.hpp>
#include <tessera/model/qformer/matching.hpp>
#include <tessera/nn/block.hpp>
#include <tessera/nn/folded_attention.hpp>
#include <tessera/nn/randomize.hpp>

#include "support/finite_differences.hpp"
#include "support/random_rows.hpp"

namespace train_tape {
using namespace tessera;
using test::random_rows;

namespace {

/// `run(x, scratch)` is a forward pass of `model`; the gradient by x is looked at, too. The output does not depend on parameters
/// whose path contains `unused`.
template <Index Width>
void check_gradients(auto& model, Tensor<float, dyn, Width>& x, const auto& run, std::string_view unused = "none") {
    Gradients gradients(model);
    Tape tape(gradients);
    const auto rows = tape.rows<Width>(x.extent(0));
    std::copy_n(x.data(), x.size(), rows.data());
    tape.watch<Width>(rows);
    const auto y = run(rows, tape);
    {
        Scratch plain;
        const auto frame = plain.frame();
        CHECK(std::ranges::equal(run(x, plain).span(), y.span()));  // a tape changes no bit
    }
    std::vector<float> seed(static_cast<std::size_t>(y.size()));
    for (Index i = 0; i < y.size(); ++i) seed[static_cast<std::size_t>(i)] = static_cast<float>(test::factor(i));
    tape.backward(y.data(), seed);
    {
        Gradients others(model);
        Tape less(others, Recompute::blocks);
        const auto same = less.rows<Width>(x.extent(0));
        std::copy_n(x.data(), x.size(), same.data());
        less.watch<Width>(same);
        less.backward(run(same, less).data(), seed);
        CHECK(std::ranges::equal(others.values(), gradients.values()));
        CHECK(std::ranges::equal(std::span(less.gradient(same.data()), static_cast<std::size_t>(x.size())),
                                 std::span(tape.gradient(rows.data()), static_cast<std::size_t>(x.size()))));
    }

    Scratch s;
    const auto loss = [&] {
        const auto frame = s.frame();
        return test::Loss(run(x, s));
    };
    test::check_finite_differences(model, gradients, x, tape.gradient(rows.data()), loss, unused);
}

template <class B>
void check_block(const auto& mask, const ScoreModRef& score_mod = {}) {
    B block(1e-5f);
    randomize(block, 3);
    auto x = random_rows<24>(7, 1);
    check_gradients(block, x, [&](ConstRows<24> rows, Scratch& s) {
        auto y = s.rows<24>(7);
        block.into(y, rows, mask, s, score_mod);
        return y;
    });
}

using T5Attention = MultiHeadAttention<AttentionSizes{.width = 24,
                                                      .heads = 3,
                                                      .head_size = 16,
                                                      .scale = 1,
                                                      .query_bias = HasBias::no,
                                                      .key_bias = HasBias::no,
                                                      .value_bias = HasBias::no,
                                                      .output_bias = HasBias::no}>;
/// What image-text matching uses of its model.
template <class Model>
struct Matching {
    Model model;
    static void visit(auto& self, auto&& f) {
        f("qformer", self.model.qformer);
        f("itm_head", self.model.itm_head);
    }
};
struct T5Layer {
    PreNorm<RmsNorm<24>, T5Attention> attention{{1e-6f}};
    PreNorm<RmsNorm<24>, GatedMlp<24, 40>> mlp{{1e-6f}};
    static void visit(auto& self, auto&& f) {
        f("norm1", self.attention.norm);
        f("attention", self.attention.part);
        f("norm2", self.mlp.norm);
        f("mlp", self.mlp.part);
    }
};

}  // namespace

TEST_CASE("blocks with their norms before and after their parts") {
    check_block<Block<24, 3, 40>>(Causal{});
    check_block<Block<24, 2, 40, Activation::quick_gelu>>(Window{2} | FirstKeys{1});
    check_block<Block<24, 3, 40, Activation::gelu_tanh, PostNorm>>(masks::multimodal_causal(3));
}

TEST_CASE("a block under a mask that hides whole rows, and under score modifiers") {
    check_block<Block<24, 3, 40>>(Predicate{[](Site at) { return at.query != 2 && (at.query + at.key) % 3 != 0; }});
    const auto mod = SoftCap{2.0f} + alibi(3, 7, 7);
    check_block<Block<24, 3, 40>>(Full{}, mod);
}

TEST_CASE("T5's layers: RMS norm, no scale, no biases, heads of a width of their own, a gated feed-forward part") {
    T5Layer layer;
    randomize(layer, 9);
    Tensor<float, dyn, dyn> table({32, 3});
    for (Index i = 0; i < table.size(); ++i) table.data()[i] = static_cast<float>(test::factor(i));
    const DiagonalBias bias = relative_bias(table, {}, 7, 7);
    auto x = random_rows<24>(7, 2);
    check_gradients(layer, x, [&](ConstRows<24> rows, Scratch& s) {
        auto y = s.rows<24>(7);
        const auto h = s.rows<24>(7);
        layer.attention.into(h, rows, s, [&](Rows<24> to, ConstRows<24> in, ConstRows<24> residual) {
            layer.attention.part.into(to, in, in, Full{}, s, {.score_mod = bias, .residual = residual});
        });
        layer.mlp.into(y, h, s);
        return y;
    });
}

TEST_CASE("grouped heads, and a context of another width") {
    Attention<24, 4, 36, 2> layer;
    randomize(layer, 4);
    auto x = random_rows<24>(5, 3);
    const auto context = random_rows<36>(9, 4);
    check_gradients(layer, x, [&](ConstRows<24> rows, Scratch& s) { return layer(rows, context, Full{}, s); });
    auto wide = random_rows<36>(9, 4);
    check_gradients(layer, wide, [&](ConstRows<36> rows, Scratch& s) { return layer(x, rows, Full{}, s); });
}

TEST_CASE("a layer of the Q-Former: queries that read a picture by folded attention") {
    static constexpr QFormerConfig config{.queries = 4, .width = 16, .heads = 2, .hidden = 24, .context = 24};
    static_assert(std::same_as<QFormerLayer<config>::Cross, FoldedAttention<16, 2, 24>>);
    QFormerLayer<config> layer(true);
    randomize(layer, 6);
    auto x = random_rows<16>(4, 5);
    auto patches = random_rows<24>(33, 6);
    const Index starts[] = {0, 4};
    const auto run = [&](ConstRows<16> rows, ConstRows<24> picture, Scratch& s) {
        auto y = s.rows<16>(4);
        layer.into(
            y, rows, {4, starts}, s,
            [&](const auto& self, Rows<16> to, ConstRows<16> in, ConstRows<16> residual) {
                self.into(to, in, in, Full{}, s, {.residual = residual});
            },
            [&](const auto& cross, Rows<16> to, ConstRows<16> in, ConstRows<16> residual) {
                cross.into(to, in, picture, Full{}, s, {.residual = residual});
            });
        return y;
    };
    check_gradients(layer, x, [&](ConstRows<16> rows, Scratch& s) { return run(rows, patches, s); });
    check_gradients(layer, patches, [&](ConstRows<24> rows, Scratch& s) { return run(x, rows, s); });
}

TEST_CASE("the whole Q-Former, its embeddings too") {
    static constexpr QFormerConfig config{
        .queries = 4, .width = 16, .heads = 2, .hidden = 24, .layers = 2, .context = 24, .vocabulary = 11};
    QFormer<config> model;
    randomize(model, 7);
    auto patches = random_rows<24>(33, 6);
    const Token ids[] = {3, 1, 10, 3};
    check_gradients(model, patches,
                    [&](ConstRows<24> rows, Scratch& s) { return model(rows, ids, masks::multimodal_causal(4), s); });
    const Index starts[] = {0, 1, 4};
    const ImageTextPair pairs[] = {{0, 1}, {1, 0}, {1, 1}};
    auto two = random_rows<24>(18, 7);
    check_gradients(model, two, [&](ConstRows<24> rows, Scratch& s) {
        return model(model.read(rows, s, 2), pairs, {ids, starts}, masks::bidirectional(), s);
    });
}

TEST_CASE("rows of length 1, and means of groups of rows") {
    Linear<24, 8> layer;
    randomize(layer, 8);
    auto x = random_rows<24>(6, 8);
    check_gradients(layer, x, [&](ConstRows<24> rows, Scratch& s) {
        const auto unit = s.rows<8>(6);
        normalize_rows<8>(unit, layer(rows, s), s);
        auto y = s.rows<8>(2);
        mean_rows<8>(y, unit, 3, s);
        return y;
    });
    Scratch s;
    CHECK_THROWS_WITH_AS(normalize_rows<24>(s.rows<24>(5), x, s),
                         doctest::Contains("normalize_rows of width 24: expected an output of 6 rows, found 5"), Error);
    CHECK_THROWS_WITH_AS(mean_rows<24>(s.rows<24>(4), x, 2, s),
                         doctest::Contains("mean_rows of width 24: expected an input of 8 rows, found 6"), Error);
}

TEST_CASE("both features of image-text contrast, and image-text matching") {
    static constexpr QFormerConfig config{.queries = 4,
                                          .width = 16,
                                          .heads = 2,
                                          .hidden = 24,
                                          .layers = 2,
                                          .context = 24,
                                          .vocabulary = 11,
                                          .embedding = 6};
    Matching<ImageTextMatching<QFormer<config>>> matching;
    auto& model = matching.model;
    randomize(model, 10);
    auto patches = random_rows<24>(18, 7);
    const Token ids[] = {3, 1, 10, 3};
    const Index starts[] = {0, 1, 4};
    const ImageTextPair pairs[] = {{0, 1}, {1, 0}, {1, 1}};
    check_gradients(
        matching, patches,
        [&](ConstRows<24> rows, Scratch& s) {
            return model.itm(model.qformer.read(rows, s, 2), pairs, {ids, starts}, s);
        },
        ".1.text_");  // the last layer's states of words
    check_gradients(model.vision_projection, patches, [&](ConstRows<24> rows, Scratch& s) {
        return model.image_features(model.qformer.read(rows, s, 2), s);
    });
    Linear<24, 6> other;
    randomize(other, 11);
    auto x = random_rows<24>(2, 12);
    check_gradients(model.text_projection, x, [&](ConstRows<24> rows, Scratch& s) {
        auto y = s.rows<6>(2);
        other.into(y, rows, s, {.residual = model.text_features({ids, starts}, s)});
        return y;
    });
}

}  // namespace train_tape

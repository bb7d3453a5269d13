// Dropout in training: where it is, which numbers it takes, and that gradients know of it.
#include <tessera/train/dropout.hpp>

#include <doctest/doctest.h>

#include <tessera/checkpoint/load.hpp>
#include <tessera/nn/randomize.hpp>
#include <tessera/train/stage1.hpp>
#include <tessera/train/tape.hpp>

#include "support/allocations.hpp"
#include "support/finite_differences.hpp"
#include "support/golden_models.hpp"
#include "support/gradient_goldens.hpp"
#include "support/padded_texts.hpp"
#include "support/random_rows.hpp"

namespace train_dropout {
using namespace tessera;
using test::random_rows;

namespace {

constexpr DropoutRates rates{.hidden = 0.2f, .attention = 0.3f, .seed = 5, .step = 7};

/// Gradients of `run(x, scratch)` under dropout, in all the ways in which they must be the same, against finite differences
/// under the same dropout.
template <Index Width>
void check_gradients(auto& model, Tensor<float, dyn, Width>& x, const auto& run) {
    const auto go = [&](Gradients& gradients, Tape& tape) {
        tape.clear();
        gradients.clear();
        tape.dropout(rates);
        const auto rows = tape.rows<Width>(x.extent(0));
        std::copy_n(x.data(), x.size(), rows.data());
        tape.watch<Width>(rows);
        const auto y = run(rows, tape);
        std::vector<float> seed(static_cast<std::size_t>(y.size()));
        for (Index i = 0; i < y.size(); ++i) seed[static_cast<std::size_t>(i)] = static_cast<float>(test::factor(i));
        tape.backward(y.data(), seed);
        return tape.gradient(rows.data());
    };
    Gradients gradients(model);
    Tape tape(gradients);
    const int usual = kernel::threads();
    kernel::set_threads(1);
    const float* const by_x = go(gradients, tape);
    for (const Recompute recompute : {Recompute::nothing, Recompute::blocks}) {
        kernel::set_threads(2);
        Gradients others(model);
        Tape other(others, recompute);
        for (int step = 0; step < 2; ++step) {
            const float* const again = go(others, other);
            CHECK(std::ranges::equal(others.values(), gradients.values()));
            CHECK(std::equal(again, again + x.size(), by_x));
        }
    }
    kernel::set_threads(usual);

    Gradients none(model, [](std::string_view) { return false; });
    Tape fixed(none);
    const auto loss = [&] {
        fixed.clear();
        fixed.dropout(rates);
        return test::Loss(run(x, fixed));
    };
    test::check_finite_differences(model, gradients, x, by_x, loss);
    Scratch plain;
    const auto frame = plain.frame();
    CHECK(test::Loss(run(x, plain)).value != loss().value);
}

/// Hears what asks for dropout, and what has got it.
struct Uses final : Recorder {
    std::string sites;
    Index streams = 0, dropped_linears = 0, residuals = 0, attentions = 0, rows = 0;
    using Recorder::on;
    Dropout dropout_for(DropoutSite site, Index count) override {
        sites += site == DropoutSite::hidden ? 'h' : 'a';
        return {0.5f, 1, dropout_stream * static_cast<std::uint64_t>(std::exchange(streams, streams + count))};
    }
    void on(const LinearOp& op) override {
        if (op.dropout) ++dropped_linears;
        if (op.residual != nullptr) ++residuals;
    }
    void on(const AttendOp& op) override { attentions += op.shape.dropout.p == 0.5f; }
    void on(const DropoutOp&) override { ++rows; }
};

constexpr QFormerConfig config{
    .queries = 4, .width = 16, .heads = 2, .hidden = 24, .layers = 2, .context = 24, .vocabulary = 11};
constexpr Token ids[] = {3, 1, 10, 3};

}  // namespace

TEST_CASE("gradients of a block whose norms come last") {
    Block<24, 3, 40, Activation::gelu_tanh, PostNorm> block;
    randomize(block, 3);
    auto x = random_rows<24>(7, 1);
    check_gradients(block, x, [&](ConstRows<24> rows, Scratch& s) {
        const auto dropping = s.dropping();
        auto y = s.rows<24>(7);
        block.into(y, rows, Causal{}, s);
        return y;
    });
}

TEST_CASE("gradients of the whole Q-Former, with text and without") {
    QFormer<config> model;
    randomize(model, 7);
    auto patches = random_rows<24>(33, 6);
    check_gradients(model, patches,
                    [&](ConstRows<24> rows, Scratch& s) { return model(rows, ids, masks::multimodal_causal(4), s); });
    const Index starts[] = {0, 1, 4};
    const ImageTextPair pairs[] = {{0, 1}, {1, 0}, {1, 1}};
    auto two = random_rows<24>(18, 7);
    check_gradients(model, two, [&](ConstRows<24> rows, Scratch& s) {
        return model(model.read(rows, s, 2), pairs, {ids, starts}, masks::bidirectional(), s);
    });
    static constexpr QFormerConfig without{
        .queries = 4, .width = 16, .heads = 2, .hidden = 24, .layers = 2, .context = 24};
    static_assert(std::same_as<QFormerLayer<without>::Cross, FoldedAttention<16, 2, 24>>);
    QFormer<without> folded;
    randomize(folded, 8);
    check_gradients(folded, patches, [&](ConstRows<24> rows, Scratch& s) { return folded(rows, s); });
}

TEST_CASE("gradients of rows, and of a layer with an activation, dropout and a residual") {
    Linear<24, 24> layer;
    randomize(layer, 4);
    auto x = random_rows<24>(6, 3);
    check_gradients(layer, x, [&](ConstRows<24> rows, Scratch& s) {
        const auto dropping = s.dropping();
        const auto y = s.rows<24>(6);
        {
            const auto block = s.block();
            layer.into(
                y, rows, s,
                {.activation = Activation::gelu, .residual = rows, .dropout = s.next_dropout(DropoutSite::hidden)});
        }
        return drop_rows(y, s);
    });
}

TEST_CASE(
    "the Q-Former drops after its first norm, in attention, and before each residual; what is not said to drop does "
    "not") {
    QFormer<config> model;
    randomize(model, 7);
    const auto patches = random_rows<24>(33, 6);
    Uses uses;
    Scratch s(uses);
    const auto frame = s.frame();
    model(patches, ids, masks::multimodal_causal(4), s);
    // The first norm; self-attention, cross-attention, queries' and text's feed-forward part; the same without cross-attention.
    CHECK(uses.sites == "hahahhhahhh");
    CHECK(uses.streams == 8 + 3 * 2);
    CHECK(uses.rows == 1);
    CHECK(uses.attentions == 3);
    CHECK(uses.dropped_linears == 7);
    CHECK(uses.dropped_linears == uses.residuals);

    Block<24, 3, 40> block;
    randomize(block, 3);
    const auto x = random_rows<24>(7, 1);
    Gradients gradients(block);
    Tape tape(gradients);
    tape.dropout({.hidden = 0.5f, .attention = 0.5f});
    Scratch plain;
    const auto other_frame = plain.frame();
    const auto on_tape = tape.rows<24>(7), usual = plain.rows<24>(7);
    block.into(on_tape, x, Causal{}, tape);
    block.into(usual, x, Causal{}, plain);
    CHECK(std::ranges::equal(on_tape.span(), usual.span()));
}

TEST_CASE("numbers are those of seed and step; passes of a step have their own") {
    QFormer<config> model;
    randomize(model, 7);
    const auto patches = random_rows<24>(33, 6);
    const auto pass = [&](Tape& tape) {
        tape.clear();
        const auto y = model(patches, ids, masks::multimodal_causal(4), tape);
        return std::vector<float>(y.span().begin(), y.span().end());
    };
    Gradients gradients(model);
    Tape tape(gradients), resumed(gradients);
    const auto without = pass(tape);
    tape.dropout({.seed = 3, .step = 1});
    CHECK(pass(tape) == without);
    tape.dropout(rates);
    const auto first = pass(tape), second = pass(tape);
    CHECK(first != without);
    CHECK(first != second);
    DropoutRates next = rates;
    ++next.step;
    tape.dropout(next);
    CHECK(pass(tape) != first);
    DropoutRates other = rates;
    ++other.seed;
    tape.dropout(other);
    CHECK(pass(tape) != first);
    resumed.dropout(rates);
    CHECK(pass(resumed) == first);
    CHECK(pass(resumed) == second);
}

TEST_CASE("a layer drops its share, and its mean over many steps is what it gives without") {
    Linear<24, 40> layer;
    randomize(layer, 4);
    const auto x = random_rows<24>(5, 3);
    const auto residual = random_rows<40>(5, 9);
    Scratch s;
    const auto frame = s.frame();
    const auto product = layer(x, s);
    constexpr float p = 0.25f;
    constexpr Index steps = 2000;
    std::vector<double> sum(static_cast<std::size_t>(product.size()));
    bool as_said = true;
    double dropped = 0;
    for (Index step = 0; step < steps; ++step) {
        const auto again = s.frame();
        const auto y = layer(
            x, s, {.residual = residual, .dropout = {.p = p, .seed = static_cast<std::uint64_t>(step), .first = 0}});
        for (Index i = 0; i < y.size(); ++i) {
            const float kept = product.data()[i] * (1 / (1 - p)), r = residual.data()[i];
            as_said = as_said && (y.data()[i] == r || y.data()[i] == r + kept);
            dropped += y.data()[i] == r;
            sum[static_cast<std::size_t>(i)] += double{y.data()[i]} - double{r};
        }
    }
    CHECK(as_said);
    const double count = static_cast<double>(steps * product.size());
    CHECK(std::abs(dropped / count - double{p}) < 5 * std::sqrt(double{p} * (1 - double{p}) / count));
    double worst = 0;
    for (Index i = 0; i < product.size(); ++i) {
        const double want = double{product.data()[i]}, mean = sum[static_cast<std::size_t>(i)] / double{steps};
        worst =
            std::max(worst, std::abs(mean - want) / (std::abs(want) * std::sqrt(p / (1 - p) / double{steps}) + 1e-6));
    }
    CHECK(worst < 5);
}

TEST_CASE(
    "a step of the first stage: the same bits on two threads and with blocks that are run again, and no allocation") {
    const Safetensors file(test::golden("stage1") / "expected.safetensors");
    Blip2Stage1<QFormer<test::golden_stage1>> model;
    load_weights(model, Checkpoint(test::golden("stage1")));
    const test::UnpaddedTexts texts(file, "input_ids", "attention_mask");
    const std::vector<float> image = file.tensor("image").to_floats();
    const Stage1Batch<64> batch{{image.data(), {5 * 17, 64}}, texts};
    const auto step = [&](Gradients& gradients, Tape& tape, const DropoutRates& how) {
        gradients.clear();
        tape.clear();
        tape.dropout(how);
        tape.backward(stage1_losses(model, batch, tape, {.dec = 380}).total);
    };
    constexpr DropoutRates bert{.hidden = 0.1f, .attention = 0.1f, .seed = 1};
    const int usual = kernel::threads();
    kernel::set_threads(1);
    Gradients gradients(model);
    Tape tape(gradients);
    step(gradients, tape, bert);
    kernel::set_threads(2);
    for (const Recompute recompute : {Recompute::nothing, Recompute::blocks}) {
        Gradients others(model);
        Tape other(others, recompute);
        step(others, other, {});
        CHECK_FALSE(std::ranges::equal(others.values(), gradients.values()));
        step(others, other, bert);
        CHECK(std::ranges::equal(others.values(), gradients.values()));
        const Index before = test::allocations();
        step(others, other, bert);
        CHECK(test::allocations() == before);
        CHECK(std::ranges::equal(others.values(), gradients.values()));
    }
    kernel::set_threads(usual);
}

TEST_CASE("rates are at least 0 and below 1") {
    Linear<4, 4> layer;
    randomize(layer, 1);
    Gradients gradients(layer);
    Tape tape(gradients);
    CHECK_THROWS_WITH_AS(
        tape.dropout({.hidden = 1.0f}),
        "[option.value] Tape: dropout: expected a rate for 'hidden' of at least 0 and below 1, found 1", Error);
    CHECK_THROWS_WITH_AS(
        tape.dropout({.attention = -0.5f}),
        "[option.value] Tape: dropout: expected a rate for 'attention' of at least 0 and below 1, found -0.5", Error);
    CHECK_THROWS_AS(tape.dropout({.hidden = std::nanf("")}), Error);
}

}  // namespace train_dropout

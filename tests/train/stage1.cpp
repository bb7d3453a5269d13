// The first stage's three losses and the gradients of all parameters, against the reference that LAVIS was compared with.
#include <tessera/train/stage1.hpp>

#include <doctest/doctest.h>

#include <tessera/checkpoint/load.hpp>
#include <tessera/nn/randomize.hpp>
#include <tessera/train/tape.hpp>

#include "support/golden_models.hpp"
#include "support/gradient_goldens.hpp"
#include "support/padded_texts.hpp"

namespace train_stage1 {
using namespace tessera;

namespace {

using Model = Blip2Stage1<QFormer<test::golden_stage1>>;
constexpr Token dec = 380;

struct Golden {
    Safetensors file{test::golden("stage1") / "expected.safetensors"};
    Model model;
    test::UnpaddedTexts texts{file, "input_ids", "attention_mask"};
    std::vector<float> image = file.tensor("image").to_floats();
    std::vector<Index> images = whole("negative_images"), captions = whole("negative_texts");

    Golden() { load_weights(model, Checkpoint(test::golden("stage1"))); }
    std::vector<Index> whole(const std::string& name) const {
        const auto values = file.tensor(name).to<std::int64_t>();
        return {values.begin(), values.end()};
    }
    Stage1Batch<64> batch() const { return {{image.data(), {5 * 17, 64}}, texts}; }
    float number(const std::string& name) const { return file.tensor(name).to_floats()[0]; }
};

void check_loss(float found, float want) {
    INFO(found << " instead of " << want);
    CHECK(std::abs(found - want) <= 1e-5f * want);
}

}  // namespace

TEST_CASE("three losses, each and in sum, and what they do to every parameter") {
    const Golden golden;
    const Model& model = golden.model;
    for (const bool gathered : {false, true}) {
        CAPTURE(gathered);
        Gradients gradients(model);
        Tape tape(gradients);
        Stage1Options options{.dec = dec};
        options.itc.gathered_is_constant = gathered;
        options.negatives_are = HardNegatives{golden.images, golden.captions};
        const Stage1Losses losses = stage1_losses(model, golden.batch(), tape, options);
        check_loss(losses.itc(0, 0), golden.number("loss_itc"));
        check_loss(losses.itm(0, 0), golden.number("loss_itm"));
        check_loss(losses.itg(0, 0), golden.number("loss_lm"));
        check_loss(losses.total(0, 0), golden.number("loss"));

        tape.backward(losses.total);
        test::check_gradients(gradients, model.names(), "stage1", gathered ? "grad_gathered.loss" : "grad.loss", 4e-4);
        if (gathered) continue;
        gradients.clear();
        tape.backward(losses.itc);
        test::check_gradients(gradients, model.names(), "stage1", "grad.loss_itc", 4e-4);
        gradients.clear();
        tape.backward(losses.itm);
        test::check_gradients(gradients, model.names(), "stage1", "grad.loss_itm", 4e-4);

        Scratch plain;
        const auto frame = plain.frame();
        CHECK(stage1_losses(model, golden.batch(), plain, options).total(0, 0) == losses.total(0, 0));
    }
}

TEST_CASE("blocks that are run again give the same bits, and so does the next step") {
    const Golden golden;
    const auto gradients_with = [&](Recompute recompute, int steps) {
        Gradients gradients(golden.model);
        Tape tape(gradients, recompute);
        for (int step = 0; step < steps; ++step) {
            gradients.clear();
            tape.clear();
            tape.backward(stage1_losses(golden.model, golden.batch(), tape, {.dec = dec}).total);
        }
        return std::vector<float>(gradients.values().begin(), gradients.values().end());
    };
    const auto kept = gradients_with(Recompute::nothing, 1);
    CHECK(kept == gradients_with(Recompute::blocks, 1));
    CHECK(kept == gradients_with(Recompute::nothing, 2));
}

TEST_CASE("texts of more rows than one pass of the Q-Former takes have the gradients that they have one by one") {
    const Golden golden;
    constexpr Index count = 100, width = Model::embedding;
    std::vector<Token> ids;
    std::vector<Index> starts{0};
    for (Index i = 0; i < count; ++i) {
        for (Index k = 0; k < 1 + i * 7 % 29; ++k) ids.push_back(static_cast<Token>((i * 31 + k * 17) % 380));
        starts.push_back(std::ssize(ids));
    }
    REQUIRE(std::ssize(ids) > 1024);
    std::vector<float> seed(count * width);
    for (std::size_t i = 0; i < seed.size(); ++i) seed[i] = static_cast<float>(static_cast<int>(i * 37 % 23) - 11) / 11;
    const auto gradients_of = [&](Recompute recompute, bool together) {
        Gradients gradients(golden.model);
        Tape tape(gradients, recompute);
        for (Index first = 0; first < count; first += together ? count : 1) {
            const Index rows = together ? count : 1, begin = starts[static_cast<std::size_t>(first)];
            std::vector<Index> own;
            for (Index i = 0; i <= rows; ++i) own.push_back(starts[static_cast<std::size_t>(first + i)] - begin);
            tape.clear();
            const TextBatch texts{std::span(ids).subspan(static_cast<std::size_t>(begin), std::size_t(own.back())),
                                  own};
            const auto y = golden.model.text_features(texts, tape);
            tape.backward(y.data(), std::span(seed).subspan(std::size_t(first * width), std::size_t(rows * width)));
        }
        return std::vector<float>(gradients.values().begin(), gradients.values().end());
    };
    const auto together = gradients_of(Recompute::nothing, true), alone = gradients_of(Recompute::nothing, false);
    double apart = 0, size = 0;
    for (std::size_t i = 0; i < alone.size(); ++i) {
        apart += std::pow(double{together[i]} - double{alone[i]}, 2);
        size += std::pow(double{alone[i]}, 2);
    }
    CHECK(std::sqrt(apart / size) < 1e-5);
    CHECK(together == gradients_of(Recompute::blocks, true));
}

TEST_CASE("generation under the mask of the paper, and with what the queries have left") {
    const Golden golden;
    const Model& model = golden.model;
    std::vector<float> found[2];
    float losses[2] = {};
    for (const std::size_t cached : {std::size_t{0}, std::size_t{1}}) {
        Gradients gradients(model);
        Tape tape(gradients);
        const auto keys = model.qformer.read(model.vision_norm(golden.batch().patches, tape), tape, 5);
        const auto left = QFormer<test::golden_stage1>::query_keys(5, tape);
        if (cached == 1) model.qformer(keys, tape, left);
        const auto loss = cached == 1 ? itg(model, left, golden.texts, dec, tape)
                                      : itg(model, keys, golden.texts, dec, masks::multimodal_causal(8), tape);
        losses[cached] = loss(0, 0);
        tape.backward(loss);
        found[cached].assign(gradients.values().begin(), gradients.values().end());
    }
    check_loss(losses[0], golden.number("loss_lm"));
    check_loss(losses[1], losses[0]);
    test::check_close("gradients", found[1], found[0], 1e-4);
}

TEST_CASE("a batch of one picture has no negatives, and still three losses") {
    const Golden golden;
    Gradients gradients(golden.model);
    Tape tape(gradients);
    const Index starts[] = {0, golden.texts.starts[1]};
    const TextBatch one{std::span(golden.texts.ids).first(static_cast<std::size_t>(starts[1])), starts};
    const auto losses = stage1_losses(golden.model, {{golden.image.data(), {17, 64}}, one}, tape, {.dec = dec});
    CHECK(losses.itc(0, 0) == 0);  // there is nothing to tell apart
    CHECK(losses.itm(0, 0) > 0);
    CHECK(losses.itg(0, 0) > 0);
    tape.backward(losses.total);
    CHECK(std::ranges::all_of(gradients.values(), [](float g) { return std::isfinite(g); }));
}

TEST_CASE("what negatives are drawn from") {
    const Golden golden;
    Scratch s;
    const auto sims = golden.file.tensor("sim_i2t").to_floats();
    const View<const float, dyn, dyn> logits(sims.data(), {5, 5});
    test::check_close("weights_i2t", negative_weights(logits, {}, s).span(),
                      golden.file.tensor("weights_i2t").to_floats(), 1e-5);
}

TEST_CASE("negatives: never of the same group, as often as their weight, the same for a seed") {
    Scratch s;
    const float values[] = {5, 1, 0, 3, 1, 4, 2, 0, 0, 2, 6, 1, 2, 0, 1, 5};
    const View<const float, dyn, dyn> logits(values, {4, 4});
    const Index groups[] = {0, 1, 2, 1};
    const auto weights = negative_weights(logits, groups, s);
    CHECK(weights(1, 3) == 0);
    CHECK(weights(3, 1) == 0);
    std::array<std::array<double, 4>, 4> drawn{};
    constexpr int times = 20000;
    for (int i = 0; i < times; ++i) {
        const auto frame = s.frame();
        const auto negatives = hard_negatives(logits, groups, s, {.seed = static_cast<std::uint64_t>(i)});
        for (std::size_t row = 0; row < 4; ++row) ++drawn[row][static_cast<std::size_t>(negatives.texts[row])];
    }
    for (Index row = 0; row < 4; ++row) {
        double sum = 0;
        for (Index j = 0; j < 4; ++j) sum += double{weights(row, j)};
        for (Index j = 0; j < 4; ++j) {
            const double p = double{weights(row, j)} / sum;
            const double found = drawn[static_cast<std::size_t>(row)][static_cast<std::size_t>(j)] / times;
            CHECK(std::abs(found - p) <= 5 * std::sqrt(p * (1 - p) / times));
        }
    }
    const auto again = hard_negatives(logits, groups, s, {.seed = 7}),
               same = hard_negatives(logits, groups, s, {.seed = 7});
    CHECK(std::ranges::equal(again.images, same.images));
    const Index alike[] = {1, 1, 1, 1};
    CHECK(std::ranges::all_of(hard_negatives(logits, alike, s).texts, [](Index j) { return j == -1; }));
}

TEST_CASE("pictures that share a caption share their targets") {
    Scratch s;
    const auto frame = s.frame();
    Parameter<1> temperature;
    temperature.fill(0.5f);
    const float images[] = {1, 0, 0, 1, 1, 0}, texts[] = {1, 0, 0, 1, 0.6f, 0.8f};
    const Index groups[] = {0, 1, 0};
    const Itc found = itc<2>({images, {3, 2}}, 1, {texts, {3, 2}}, groups, temperature, s, {.smoothing = 0.1f});
    double want = 0;
    const double cosines[3][3] = {{1, 0, 0.6}, {0, 1, 0.8}, {1, 0, 0.6}};
    for (std::size_t i = 0; i < 3; ++i)
        for (const bool turned : {false, true}) {
            double total = 0;
            const auto logit = [&](std::size_t j) { return 2 * (turned ? cosines[j][i] : cosines[i][j]); };
            for (std::size_t j = 0; j < 3; ++j) total += std::exp(logit(j));
            for (std::size_t j = 0; j < 3; ++j) {
                const double same = i == 1 ? (j == 1 ? 1.0 : 0.0) : (j == 1 ? 0.0 : 0.5);
                want -= (0.9 * same + 0.1 / 3) * (logit(j) - std::log(total)) / 6;
            }
        }
    CHECK(double{found.loss(0, 0)} == doctest::Approx(want).epsilon(1e-6));
}

}  // namespace train_stage1

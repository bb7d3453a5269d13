// The second stage's losses and the gradients of what it trains, against transformers.
#include <tessera/train/stage2.hpp>

#include <doctest/doctest.h>

#include <tessera/checkpoint/load.hpp>
#include <tessera/image/preprocess.hpp>
#include <tessera/train/tape.hpp>

#include "support/golden_models.hpp"
#include "support/gradient_goldens.hpp"
#include "support/padded_texts.hpp"
#include "support/tensor_part.hpp"

namespace train_stage2 {
using namespace tessera;

namespace {

bool learns(std::string_view path) { return path.starts_with("qformer.") || path.starts_with("projection."); }

/// What the image encoder makes of the first three pictures, which are the same in both folders.
template <class Model>
Rows<64> seen(const Model& model, Scratch& s) {
    const Safetensors file(test::golden("blip2_opt/expected.safetensors"));
    const auto patches = s.rows<588>(3 * 16);
    for (Index i = 0; i < 3; ++i) {
        const auto pixels = test::part(file, "pixel_values", static_cast<std::size_t>(i));
        patchify(patches.slice(16 * i, 16), View<const float, 3, dyn, dyn>(pixels.data(), {3, 56, 56}), 14);
    }
    return model.vision(patches, s);
}

template <class Model>
void check(const std::string& folder, const Stage2Batch<64>& texts, float want) {
    Model model;
    load_weights(model, test::golden_checkpoint(folder));
    Gradients gradients(model, learns);
    const auto run = [&](Scratch& s) {
        Stage2Batch<64> batch = texts;
        batch.patches = seen(model, s);
        return stage2_loss(model, batch, s);
    };
    Tape tape(gradients);
    const auto loss = run(tape);
    CHECK(std::abs(loss(0, 0) - want) <= 1e-5f * want);
    tape.backward(loss);
    test::check_gradients(gradients, model.names(), folder, "grad", 4e-4);

    Gradients again(model, learns);
    Tape less(again, Recompute::blocks);
    less.backward(run(less));
    CHECK(std::ranges::equal(again.values(), gradients.values()));
    CHECK(less.activation_bytes() < tape.activation_bytes());

    // The image encoder and words record nothing: a part alone that does not learn leaves a tape as it was.
    Gradients nothing(model, [](std::string_view) { return false; });
    Tape idle(nothing);
    run(idle);
    Scratch plain;
    run(plain);
    CHECK(idle.records() == 0);
}

}  // namespace

TEST_CASE("OPT: texts that follow soft prompts") {
    const Safetensors file(test::golden("blip2_opt/expected.safetensors"));
    const test::UnpaddedTexts texts(file, "train.input_ids", "train.attention_mask", 0, 8);
    const Index none[] = {0, 0, 0, 0};
    check<Blip2Tiny>("blip2_opt", {{}, {{}, none}, texts}, file.tensor("train.loss").to_floats()[0]);
}

TEST_CASE("T5: a prefix beside the soft prompts, and what follows it") {
    const Safetensors file(test::golden("blip2_t5/expected.safetensors"));
    const test::UnpaddedTexts prefixes(file, "train.input_ids", "train.attention_mask", 0, 8);
    const test::UnpaddedTexts following(file, "train.labels", "train.labels", -100);
    check<Blip2TinyT5>("blip2_t5", {{}, prefixes, following}, file.tensor("train.loss").to_floats()[0]);
}

TEST_CASE("a prompt is read and not scored") {
    Opt<tiny_opt> model;
    randomize(model, 3);
    Scratch s;
    const auto frame = s.frame();
    const Token ids[] = {5, 6, 7, 8};
    const Index starts[] = {0, 4}, two[] = {2};
    const auto states = model(model.embedding(ids, s), starts, s);
    const auto logits = model.logits(states, s);
    const Token targets[] = {-1, 7, 8, -1};
    CHECK(lm_loss(model, {}, {ids, starts}, two, s)(0, 0) == cross_entropy<608>(logits, targets, s)(0, 0));
    const Index beyond[] = {5};
    CHECK_THROWS_WITH(lm_loss(model, {}, {ids, starts}, beyond, s),
                      "[option.value] text 0: expected a first scored token from 0 to 4, found 5");
}

TEST_CASE("a text is cut where something follows") {
    std::array<Index, 7> seen{};
    for (std::uint64_t seed = 0; seed < 700; ++seed) ++seen[static_cast<std::size_t>(prefix_length(7, seed))];
    for (const Index count : seen) CHECK(count > 60);
    CHECK(prefix_length(1, 5) == 0);
}

}  // namespace train_stage2

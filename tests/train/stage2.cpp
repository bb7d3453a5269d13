// The second stage's losses and the gradients of what it trains, against transformers.
#include <tessera/train/stage2.hpp>

#include <doctest/doctest.h>

#include <array>
#include <tessera/checkpoint/load.hpp>
#include <tessera/image/preprocess.hpp>
#include <tessera/nn/randomize.hpp>
#include <tessera/train/tape.hpp>

#include "support/golden_models.hpp"
#include "support/golden_numbers.hpp"
#include "support/gradient_goldens.hpp"
#include "support/padded_texts.hpp"

namespace train_stage2 {
using namespace tessera;

namespace {

bool learns(std::string_view path) { return path.starts_with("qformer.") || path.starts_with("projection."); }

/// What the image encoder makes of the first three pictures, which are the same in both folders.
template <class Model>
Rows<64> seen(const Model& model, Scratch& s) {
    const Safetensors file(test::golden_expected("blip2_opt"));
    const test::GoldenNumbers pictures(file, "pixel_values");
    const auto patches = s.rows<588>(3 * 16);
    for (Index i = 0; i < 3; ++i) {
        const auto pixels = pictures.part(static_cast<std::size_t>(i));
        patchify(patches.slice(16 * i, 16), View<const float, 3, dyn, dyn>(pixels.data(), {3, 56, 56}), 14);
    }
    return model.vision(patches, s);
}

/// `loss(model, patches, scratch)` is compared, and its gradients.
template <class Model>
void check(const std::string& folder, float want, const auto& loss_of) {
    Model model;
    load_weights(model, Checkpoint(test::golden(folder)));
    Gradients gradients(model, learns);
    const auto run = [&](Scratch& s) { return loss_of(model, ConstRows<64>(seen(model, s)), s); };
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

// transformers pads on the left and scores the first token of a padded text by what it computes in the last padded row: word 1 in
// the row of the table that stands before the first position, which sees the soft prompt and not itself. Nothing else sees it. To
// compare, that row is put behind the text.
TEST_CASE("OPT: texts that follow soft prompts") {
    const Safetensors file(test::golden("blip2_opt/expected.safetensors"));
    const test::UnpaddedTexts all(file, "train.input_ids", "train.attention_mask", 0, 8);
    const TextBatch texts = all;
    check<Blip2Tiny>("blip2_opt", file.tensor("train.loss").to_floats()[0],
                     [&](const Blip2Tiny& model, ConstRows<64> patches, Scratch& s) {
                         const auto& opt = model.language;
                         const auto soft = model.projection(model.qformer(patches, s, 3), s);
                         const Index scored = texts.starts[3];
                         const auto before = s.rows<64>(scored);
                         for (Index i = 0; i < 3; ++i) {
                             const Index length = texts.length(i), padded = 8 + length;
                             const auto x = s.rows<64>(padded + 1);
                             copy_rows(x.slice(0, 8), soft.slice(8 * i, 8), s);
                             opt.embedding.into(x.slice(8, length), texts[i], s);
                             const Token pad[] = {1};
                             opt.embedding.into(x.slice(padded, 1), pad, s);
                             for (Index k = 0; k < 64; ++k)
                                 x(padded, k) +=
                                     opt.position.data()[64 + k] - opt.position.data()[(padded + 2) * 64 + k];
                             auto* const starts = s.take<Index>(2);
                             starts[0] = 0, starts[1] = padded + 1;
                             const Predicate sees(
                                 [padded](Site at) { return at.key <= at.query && (at.query < padded || at.key < 8); });
                             const auto states = opt(x, {starts, 2}, sees, s);
                             const bool is_padded = length < 28;
                             copy_rows(before.slice(texts.starts[static_cast<std::size_t>(i)], 1),
                                       states.slice(is_padded ? padded : 7, 1), s);
                             copy_rows(before.slice(texts.starts[static_cast<std::size_t>(i)] + 1, length - 1),
                                       states.slice(8, length - 1), s);
                         }
                         return cross_entropy<608>(opt.logits(before, s), texts.ids, s);
                     });
}

TEST_CASE("T5: a prefix beside the soft prompts, and what follows it") {
    const Safetensors file(test::golden("blip2_t5/expected.safetensors"));
    const test::UnpaddedTexts prefixes(file, "train.input_ids", "train.attention_mask", 0, 8);
    const test::UnpaddedTexts following(file, "train.labels", "train.labels", -100);
    check<Blip2TinyT5>("blip2_t5", file.tensor("train.loss").to_floats()[0],
                       [&](const Blip2TinyT5& model, ConstRows<64> patches, Scratch& s) {
                           return stage2_loss(model, {patches, prefixes, following}, s);
                       });
}

TEST_CASE("OPT without padding: the loss is that of the text behind prompt and soft prompt") {
    Blip2Tiny model;
    randomize(model, 5);
    Gradients gradients(model, learns);
    Tape tape(gradients);
    const auto patches = seen(model, tape);
    const Token ids[] = {2, 5, 9, 2, 7, 3, 4, 1, 8};
    const Index prompt_starts[] = {0, 1, 1, 3}, text_starts[] = {0, 2, 5, 6};
    const TextBatch prompts{std::span(ids).first(3), prompt_starts}, texts{std::span(ids).subspan(3), text_starts};
    const auto loss = stage2_loss(model, {patches, prompts, texts}, tape);
    double sum = 0;
    for (Index i = 0; i < 3; ++i) {
        const auto frame = tape.frame();
        const auto soft = model.projection(model.qformer(patches.slice(17 * i, 17), tape), tape);
        std::vector<Token> text(prompts[i].begin(), prompts[i].end());
        text.insert(text.end(), texts[i].begin(), texts[i].end());
        const Index starts[] = {0, static_cast<Index>(text.size())}, from[] = {prompts.length(i)};
        sum += double{lm_loss(model.language, soft, {text, starts}, from, tape)(0, 0)} *
               static_cast<double>(texts.length(i));
    }
    CHECK(double{loss(0, 0)} == doctest::Approx(sum / 6).epsilon(1e-6));
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

// The losses of language models and the gradients of all their parameters, against transformers.
#include <tessera/train/loss/lm.hpp>

#include <doctest/doctest.h>

#include <tessera/checkpoint/load.hpp>
#include <tessera/train/tape.hpp>

#include "support/golden_models.hpp"
#include "support/gradient_goldens.hpp"
#include "support/padded_texts.hpp"

namespace train_lm {
using namespace tessera;

namespace {

void check_loss(float found, float want) { CHECK(std::abs(found - want) <= 1e-5f * want); }

template <OptConfig C>
void check_opt(const std::string& folder, double tolerance) {
    Opt<C> model;
    load_weights(model, Checkpoint(test::golden(folder)));
    const Safetensors file(test::golden(folder) / "expected.safetensors");
    const test::UnpaddedTexts texts(file, "train.input_ids", "train.attention_mask");
    Gradients gradients(model);
    Tape tape(gradients);
    const auto loss = lm_loss(model, {}, texts, {}, tape);
    check_loss(loss(0, 0), file.tensor("train.loss").to_floats()[0]);
    tape.backward(loss);
    test::check_gradients(gradients, model.names(), folder, "grad", tolerance);

    Scratch plain;
    const auto frame = plain.frame();
    CHECK(lm_loss(model, {}, texts, {}, plain)(0, 0) == loss(0, 0));
}

}  // namespace

TEST_CASE("OPT") { check_opt<tiny_opt>("opt", 4e-4); }
TEST_CASE("OPT as opt-350m is") { check_opt<test::golden_opt_350m>("opt_350m_style", 1e-3); }

TEST_CASE("T5, whose tables of relative positions learn, too") {
    T5<test::golden_t5> model;
    load_weights(model, Checkpoint(test::golden("t5")));
    const Safetensors file(test::golden("t5") / "expected.safetensors");
    const test::UnpaddedTexts given(file, "input_ids", "attention_mask"), wanted(file, "labels", "labels", -100);
    Gradients gradients(model);
    Tape tape(gradients);
    const auto loss = prefix_lm_loss(model, {}, given, wanted, tape);
    check_loss(loss(0, 0), file.tensor("loss").to_floats()[0]);
    tape.backward(loss);
    test::check_gradients(gradients, model.names(), "t5", "grad", 4e-4);
}

}  // namespace train_lm

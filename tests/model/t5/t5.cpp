// T5 against transformers: the encoder, the decoder on whole texts, and the decoder step by step from caches.
#include <doctest/doctest.h>

#include <tessera/checkpoint/dump.hpp>
#include <tessera/checkpoint/load.hpp>
#include <tessera/checkpoint/safetensors.hpp>
#include <tessera/model/t5/t5.hpp>
#include <tessera/nn/randomize.hpp>

#include "support/allocations.hpp"
#include "support/compare.hpp"
#include "support/golden_models.hpp"
#include "support/golden_numbers.hpp"

namespace model_t5_t5 {
using namespace tessera;

namespace {

// tests/golden/make/README.template.md; float32 in any order of sums is within 7.1e-6 of float64 for this model (measured with
// PyTorch); two orders, within twice that.
constexpr double activations = 6e-5, two_orders = 2 * 7.1e-6;

using Model = T5<test::golden_t5>;
static_assert(LanguageModel<Model>);

// Rows one after another, without the padding of the reference.
struct Texts {
    std::vector<Token> ids;
    std::vector<Index> offsets{0};
    std::vector<bool> kept;  // of the reference's rows

    void add(std::span<const Token> text, std::span<const std::int64_t> mask) {
        for (std::size_t i = 0; i < text.size(); ++i) {
            kept.push_back(mask[i] != 0);
            if (kept.back()) ids.push_back(text[i]);
        }
        offsets.push_back(static_cast<Index>(ids.size()));
    }
    std::vector<float> rows_of(const std::vector<float>& padded) const {
        const auto width = static_cast<std::ptrdiff_t>(padded.size() / kept.size());
        std::vector<float> out;
        for (std::size_t i = 0; i < kept.size(); ++i)
            if (kept[i]) {
                const auto row = padded.begin() + static_cast<std::ptrdiff_t>(i) * width;
                out.insert(out.end(), row, row + width);
            }
        return out;
    }
};

struct Golden {
    std::filesystem::path path = test::golden("t5");
    Safetensors file{test::golden_expected("t5")};
    Model model;
    Texts source, target;

    Golden() {
        load_weights(model, Checkpoint(path));
        const auto ids = file.tensor("input_ids").to<Token>();
        const auto mask = file.tensor("attention_mask").to<std::int64_t>();
        const auto labels = file.tensor("labels").to<std::int64_t>();
        const std::size_t length = ids.size() / 2, words = labels.size() / 2;
        for (std::size_t i = 0; i < 2; ++i) {
            source.add(std::span(ids).subspan(i * length, length), std::span(mask).subspan(i * length, length));
            std::vector<Token> shifted{0};  // labels one later; −100 is padding, which is read like any token
            for (std::size_t t = 0; t + 1 < words; ++t)
                shifted.push_back(static_cast<Token>(std::max<std::int64_t>(labels[i * words + t], 0)));
            target.add(shifted, std::vector<std::int64_t>(words, 1));
        }
    }
    std::vector<float> want(const std::string& name) const { return test::golden_numbers(file, name); }
};

// What a T5 of the golden shape continues when it has read a made-up prompt.
struct Started {
    Model model;
    Scratch s;
    std::vector<Token> prompt{3, 50, 7, 91, 600, 12, 1};
    Tensor<float, dyn, 64> encoded{{7, 64}};

    Started() {
        randomize(model, 5);
        const Index offsets[] = {0, 7};
        const auto rows = model.encoder(model.embedding(prompt, s), offsets, s);
        std::ranges::copy(rows, encoded.data());
    }
    // The states of `ids` read at once.
    Tensor<float, dyn, 64> whole(std::span<const Token> ids) {
        const Index offsets[] = {0, static_cast<Index>(ids.size())}, source[] = {0, 7};
        const auto frame = s.frame();
        const auto rows = model.decoder(model.embedding(ids, s), offsets, encoded, source, s);
        Tensor<float, dyn, 64> out({rows.extent(0), 64});
        std::ranges::copy(rows, out.data());
        return out;
    }
    Model::Cache cache(Index capacity) { return model.decoder.cache(encoded, capacity, s); }
    Rows<64> append(Model::Cache& cache, std::span<const Token> ids, std::span<const Index> positions, MaskRef mask) {
        const Continuation<Model::Cache> text{&cache, static_cast<Index>(ids.size()), mask, positions};
        return model.append(model.embedding(ids, s), {&text, 1}, s);
    }
};

}  // namespace

TEST_CASE("states of a ragged batch, layer by layer, and logits of whole texts equal the reference") {
    const Golden golden;
    Dump dump;
    Scratch s(dump);
    const auto encoded = golden.model.encoder(golden.model.embedding(golden.source.ids, s), golden.source.offsets, s);
    const auto states = golden.model.decoder(golden.model.embedding(golden.target.ids, s), golden.target.offsets,
                                             encoded, golden.source.offsets, s);
    for (const std::string name : {"encoder.layer_0", "encoder.layer_1", "encoder.last_hidden_state"})
        if (golden.file.find(name) != nullptr)  // tests/golden has one, the reference all
            test::check_close(name, dump.at(name).values, golden.source.rows_of(golden.want(name)), activations);
    for (const std::string layer : {"layer_0", "layer_1"})
        test::check_close("decoder." + layer, dump.at("decoder." + layer).values, golden.want("decoder." + layer),
                          activations);
    test::check_close("logits", golden.model.logits(states, s).span(), golden.want("logits"), activations);
}

TEST_CASE("two texts step by step from their caches, a batch of prompts: the logits of the reference") {
    const Golden golden;
    Scratch s;
    const auto& [ids, offsets, kept] = golden.source;
    const std::span<const Token> all = ids;
    const auto cut = static_cast<std::size_t>(offsets[1]);
    const ConstRows<64> none(nullptr, {0, 64});
    const Prompt<64> prompts[] = {{none, all.first(cut)}, {none, all.subspan(cut)}};
    auto begun = golden.model.begin(prompts, 11, s);
    REQUIRE(begun.size() == 2);
    const std::size_t words = golden.target.ids.size() / 2;
    std::vector<float> got[2];
    for (std::size_t t = 0; t < words; ++t) {
        const auto frame = s.frame();
        const Token now[] = {golden.target.ids[t], golden.target.ids[words + t]};
        const auto rows = golden.model.embedding(now, s);
        if (t == 0)
            for (std::size_t i = 0; i < 2; ++i) {
                CHECK(begun[i].seen == std::vector<Token>{0});
                CHECK(std::ranges::equal(begun[i].rows, rows.slice(static_cast<Index>(i), 1)));
            }
        const Index positions[] = {static_cast<Index>(t)};
        const Causal mask = Causal::after(static_cast<Index>(t));
        const Continuation<Model::Cache> texts[] = {{&begun[0].cache, 1, mask, positions},
                                                    {&begun[1].cache, 1, mask, positions}};
        const auto logits = golden.model.logits(golden.model.append(rows, texts, s), s);
        for (std::size_t i = 0; i < 2; ++i) {
            const auto row = logits.slice(static_cast<Index>(i), 1);
            got[i].insert(got[i].end(), row.begin(), row.end());
        }
    }
    got[0].insert(got[0].end(), got[1].begin(), got[1].end());
    test::check_close("logits", got[0], golden.want("logits"), activations);
}

TEST_CASE("reading in parts after a cache gives the states of the whole text") {
    Started t5;
    std::vector<Token> ids{0};
    for (Token i = 1; i < 33; ++i) ids.push_back(5 + i * 17 % 500);
    const auto whole = t5.whole(ids);
    auto cache = t5.cache(33);
    for (Index at = 0; at < 33;) {
        const Index count = at == 0 ? 1 : at == 1 ? 7 : at == 8 ? 13 : 1;
        std::vector<Index> positions;
        for (Index i = 0; i < count; ++i) positions.push_back(at + i);
        const Causal mask = Causal::after(at);
        const auto part =
            std::span<const Token>(ids).subspan(static_cast<std::size_t>(at), static_cast<std::size_t>(count));
        const auto states = t5.append(cache, part, positions, mask);
        test::check_close("states", states.span(), whole.view().slice(at, count).span(), two_orders);
        at += count;
    }
    CHECK(cache.length == 33);
    const Index next[] = {33};
    const Causal mask = Causal::after(33);
    CHECK_THROWS_WITH_AS(t5.append(cache, std::span<const Token>(ids).first(1), next, mask),
                         "[sequence.length] T5: the cache holds 33 positions, found 34", Error);
}

TEST_CASE("beams share a cache as a tree: rows of one step are at one position, and each sees its own path") {
    Started t5;
    auto cache = t5.cache(1 + 4 * 5);
    // Slots step by step; the parent of each is one of the step before.
    std::vector<Token> tokens{0};
    std::vector<Index> parents{-1}, depths{0};
    const Token start[] = {0};
    const Index zero[] = {0};
    const Causal first = Causal::after(0);
    t5.append(cache, start, zero, first);
    for (Index step = 1; step <= 4; ++step) {
        const Index before = cache.length, beams = 5;
        std::vector<Token> now;
        for (Index beam = 0; beam < beams; ++beam) {
            now.push_back(static_cast<Token>(20 + 31 * step + 7 * beam));
            parents.push_back(step == 1 ? 0 : before - beams + (beam * 3 + step) % beams);
            tokens.push_back(now.back());
            depths.push_back(step);
        }
        const std::vector<Index> positions(std::size_t(beams), step);
        const Shifted tree{Tree{std::vector<Index>(parents)}, before, 0};
        const auto states = t5.append(cache, now, positions, tree);
        for (Index beam = 0; beam < beams; ++beam) {
            std::vector<Token> path;
            for (Index slot = before + beam; slot >= 0; slot = parents[static_cast<std::size_t>(slot)])
                path.insert(path.begin(), tokens[static_cast<std::size_t>(slot)]);
            REQUIRE(static_cast<Index>(path.size()) == step + 1);
            test::check_close("beam", states.slice(beam, 1).span(), t5.whole(path).view().slice(step, 1).span(),
                              two_orders);
        }
    }
    CHECK(cache.positions == depths);
}

TEST_CASE("a step after the first of its size allocates nothing") {
    Started t5;
    auto cache = t5.cache(8);
    const Token ids[] = {0, 5, 9};
    const Index apart[] = {1, 1}, in_order[] = {0};
    const auto allocated = [&](bool beams) {
        const Index before = test::allocations();
        const auto frame = t5.s.frame();
        cache.length = 0;
        const Causal first = Causal::after(0);
        t5.model.logits(t5.append(cache, std::span(ids).first(1), in_order, first), t5.s);
        if (beams) {
            const Predicate both{[](Site at) { return at.key == 0 || at.key == at.query + 1; }};
            t5.model.logits(t5.append(cache, std::span(ids).last(2), apart, both), t5.s);
        }
        return test::allocations() - before;
    };
    for (const bool beams : {false, true}) {
        allocated(beams);
        CHECK(allocated(beams) == 0);
    }
}

TEST_CASE("a tied output layer is the table of words, scaled by 1/√width") {
    T5<checked(T5Config{.vocabulary = 70,
                        .width = 16,
                        .heads = 2,
                        .head_size = 8,
                        .hidden = 24,
                        .encoder_layers = 1,
                        .decoder_layers = 1,
                        .gated = false,
                        .tied_head = true,
                        .activation = Activation::relu})>
        model;
    randomize(model, 3);
    Scratch s;
    const Token ids[] = {4, 60};
    const auto states = model.embedding(ids, s);
    const auto scaled = model.logits(states, s), plain = model.embedding.logits(states, s);
    for (Index i = 0; i < plain.size(); ++i) CHECK(scaled.data()[i] == doctest::Approx(plain.data()[i] / 4));
    CHECK(parameter_count(model) == 70 * 16 + 2 * (32 * 2) + 3 * 4 * 16 * 16 + 2 * 2 * 16 * 24 + (2 + 1 + 3 + 1) * 16);
}

TEST_CASE("what cannot be read is one sentence") {
    const Model empty;
    Scratch s;
    const Index offsets[] = {0, 1};
    Tensor<float, dyn, 64> row({1, 64});
    CHECK_THROWS_WITH_AS(empty.encoder(row, offsets, s), "[weight.unset] T5: called before its weights were set",
                         Error);
    CHECK_THROWS_WITH_AS(empty.decoder(row, offsets, row, offsets, s),
                         "[weight.unset] T5: called before its weights were set", Error);
    CHECK_THROWS_WITH_AS(empty.decoder.cache(row, 1, s), "[weight.unset] T5: called before its weights were set",
                         Error);
    Started t5;
    const ConstRows<64> none(nullptr, {0, 64});
    const Prompt<64> nothing[] = {{none, {}}};
    CHECK_THROWS_WITH_AS(t5.model.begin(nothing, 3, s),
                         "[option.value] prompt: expected at least one token, found none", Error);
    const Token beyond[] = {640};
    const Prompt<64> unknown[] = {{none, beyond}};
    CHECK_THROWS_WITH_AS(t5.model.begin(unknown, 3, s), "[token.id] token 0: expected an id below 640, found 640",
                         Error);
}

}  // namespace model_t5_t5

// Texts with keys and values kept in bf16: how far the scores are from those with f32, and that nothing else changes a text.
#include <doctest/doctest.h>

#include <algorithm>
#include <tessera/checkpoint/safetensors.hpp>
#include <tessera/generate/generate.hpp>
#include <tessera/generate/load.hpp>
#include <tessera/generate/memory.hpp>

#include "support/golden.hpp"
#include "support/golden_models.hpp"

namespace generate_cache {
using namespace tessera;

namespace {

/// The prompts of a golden folder, without the padding.
std::vector<std::vector<Token>> prompts_of(const std::filesystem::path& folder) {
    const Safetensors file(folder / "expected.safetensors");
    const auto& stored = file.tensor("input_ids");
    const auto ids = stored.to<Token>();
    const auto mask = file.tensor("attention_mask").to<std::int64_t>();
    const auto length = static_cast<std::size_t>(stored.shape[1]);
    std::vector<std::vector<Token>> texts(static_cast<std::size_t>(stored.shape[0]));
    for (std::size_t i = 0; i < ids.size(); ++i)
        if (mask[i] != 0) texts[i / length].push_back(ids[i]);
    return texts;
}

/// The scores of every word to follow a prompt and each of `words` but the last, which are given.
/// shape   → [words, vocabulary]
template <class Model>
Rows<Model::vocabulary> scores_of(const Model& model, const Prompt<Model::embedding_width>& prompt,
                                  std::span<const Token> words, DType stored, Scratch& s) {
    const auto count = static_cast<Index>(words.size());
    auto begun = model.begin({&prompt, 1}, count, s, stored);
    const auto states = s.rows<Model::embedding_width>(count);
    Index place = 0, row = 0;
    const auto read = [&](ConstRows<Model::embedding_width> rows, Index kept) {
        const Causal causal = Causal::after(begun[0].cache.length);
        std::vector<Index> places;
        for (Index i = 0; i < rows.extent(0); ++i) places.push_back(place++);
        const Continuation<typename Model::Cache> text{&begun[0].cache, rows.extent(0), causal, places};
        const auto all = model.append(rows, {&text, 1}, s);
        copy_rows(states.slice(row, kept), all.slice(rows.extent(0) - kept, kept), s);
        row += kept;
    };
    read(begun[0].rows, 1);
    for (Index i = 0; i + 1 < count; ++i) read(model.embedding(words.subspan(static_cast<std::size_t>(i), 1), s), 1);
    return model.logits(states, s);
}

}  // namespace

TEST_CASE_TEMPLATE("scores are near those of f32, and a text changes only where two words are as near", Model,
                   Opt<tiny_opt>, Opt<test::golden_opt_350m>, T5<test::golden_t5>) {
    constexpr bool is_t5 = requires { Model::config.decoder_layers; };
    const auto path = test::golden(is_t5                                             ? "t5"
                                   : std::same_as<Model, Opt<test::golden_opt_350m>> ? "opt_350m_style"
                                                                                     : "opt");
    const auto model = load<Model>(path.string());
    const auto rounded_model = load<Model>(path.string(), {.weight_dtype = DType::bf16});
    const Token end[] = {-1};
    const GenerateOptions plain{.max_tokens = 24};
    GenerateOptions half = plain;
    half.cache = DType::bf16;
    float error = 0, error_of_weights = 0;
    const auto texts = prompts_of(path);
    for (const std::vector<Token>& ids : texts) {
        Scratch s;
        const auto frame = s.frame();
        const Prompt<Model::embedding_width> prompt{{}, ids};
        const auto words = generate(model, {&prompt, 1}, plain, end, s)[0][0].tokens;
        const auto exact = scores_of(model, prompt, words, DType::f32, s);
        const auto rounded = scores_of(model, prompt, words, DType::bf16, s);
        const auto with_rounded_weights = scores_of(rounded_model, prompt, words, DType::f32, s);
        float largest = 0;
        for (const float x : exact) largest = std::max(largest, std::abs(x));
        const auto difference = [&](const auto& other) {
            float most = 0;
            for (Index i = 0; i < exact.size(); ++i) most = std::max(most, std::abs(exact.data()[i] - other.data()[i]));
            return most;
        };
        const float worst = difference(rounded);
        error = std::max(error, worst / largest);
        error_of_weights = std::max(error_of_weights, difference(with_rounded_weights) / largest);
        CHECK(worst > 0);
        const auto found = generate(model, {&prompt, 1}, half, end, s)[0][0].tokens;
        REQUIRE(found.size() == words.size());
        const auto at = std::ranges::mismatch(words, found).in1 - words.begin();
        if (at == std::ssize(words)) continue;
        const float gap =
            exact(at, words[static_cast<std::size_t>(at)]) - exact(at, found[static_cast<std::size_t>(at)]);
        CHECK(gap <= 2 * worst + 1e-5f * largest);
    }
    CAPTURE(error);
    CAPTURE(error_of_weights);
    CHECK(error <= error_of_weights);  // of the same rounding, in many more numbers
}

TEST_CASE("what a row of the cache takes, and other types are refused") {
    CHECK(cache_row_bytes<Opt<opt_2_7b>>() == 32 * 2 * 2560 * 4);
    CHECK(cache_row_bytes<Opt<opt_2_7b>>(DType::bf16) == 32 * 2 * 2560 * 2);
    const Opt<tiny_opt> model;
    CHECK(model.cache(7, DType::bf16).bytes() == 7 * cache_row_bytes<Opt<tiny_opt>>(DType::bf16));
    CHECK_THROWS_WITH_AS(require_valid(GenerateOptions{.cache = DType::i8}),
                         "[option.value] cache: expected F32 or BF16, found I8", Error);
}

}  // namespace generate_cache

// Which patches a word comes from.
#include <tessera/generate/attention_map.hpp>

#include <doctest/doctest.h>

#include <numeric>
#include <tessera/generate/caption.hpp>
#include <tessera/generate/load.hpp>
#include <tessera/image/decode.hpp>

#include "support/golden.hpp"

namespace generate_attention_map {
using namespace tessera;

namespace {

// An attention of one head of `queries` one-hot rows, which look at one key each.
void attend(AttentionMap& map, const std::vector<Index>& looks_at, Index keys) {
    const auto queries = static_cast<Index>(looks_at.size());
    std::vector<float> q(static_cast<std::size_t>(queries * keys)), k(static_cast<std::size_t>(keys * keys));
    for (Index i = 0; i < queries; ++i)
        q[static_cast<std::size_t>(i * keys + looks_at[static_cast<std::size_t>(i)])] = 60;
    for (Index i = 0; i < keys; ++i) k[static_cast<std::size_t>(i * keys + i)] = 1;
    const Full everything;
    const kernel::AttentionShape shape{.heads = 1,
                                       .queries = queries,
                                       .keys = keys,
                                       .dim = keys,
                                       .q_stride = keys,
                                       .k_stride = keys,
                                       .v_stride = keys,
                                       .out_stride = keys,
                                       .scale = 1,
                                       .key_heads = 1};
    map.on(AttendOp{nullptr, q.data(), k.data(), k.data(), nullptr, shape, everything, {}, {}});
}
void name(AttentionMap& map, std::string_view what) { map.on(Named{what, 0, nullptr, 0, 0}); }

}  // namespace

TEST_CASE("a word looks at a query, the query at a patch") {
    AttentionMap map(2);
    attend(map, {0, 1, 2, 3, 4}, 5);  // the image encoder's
    name(map, "qformer.embeddings");
    attend(map, {1, 0}, 2);
    attend(map, {1, 4}, 5);  // query 0 looks at patch 0, query 1 at patch 3: the class token comes first
    name(map, "qformer.layer");
    attend(map, {0, 1}, 2);  // no cross-attention
    name(map, "qformer.layer");
    name(map, "language_projection");
    attend(map, {0, 0, 1}, 3);  // the last row counts: the first word looks at query 1
    name(map, "decoder.layer");
    name(map, "decoder.last_hidden_state");
    attend(map, {3}, 4);  // an attention of the decoder to itself, before that to the prompt
    attend(map, {0}, 3);
    name(map, "decoder.layer");
    name(map, "decoder.last_hidden_state");

    const auto one_hot = [](std::size_t at) {
        std::vector<float> out(4);
        out[at] = 1;
        return out;
    };
    for (std::size_t i = 0; i < 4; ++i) {
        CHECK(map.patches(0)[i] == doctest::Approx(one_hot(3)[i]));
        CHECK(map.patches(1)[i] == doctest::Approx(one_hot(0)[i]));
    }
    CHECK_THROWS_WITH_AS(map.patches(2), doctest::Contains("expected a caption of 3 tokens, heard of 2"), Error);
}

TEST_CASE("listening changes no token, and every word gets its panel") {
    const auto blip2 = load<Blip2Tiny>(test::golden("blip2_opt").string());
    const Image picture = read_image(test::golden("images/wide.png"));
    AttentionMap map(blip2.model.qformer.config.queries);
    Scratch listening(map), plain;
    const GenerateOptions options{.max_tokens = 7};
    const auto words = caption(blip2, picture, options, listening);
    CHECK(words.tokens == caption(blip2, picture, options, plain).tokens);
    for (std::size_t i = 0; i < words.tokens.size(); ++i) {
        const auto patches = map.patches(i);
        CHECK(patches.size() == 16);
        CHECK(std::accumulate(patches.begin(), patches.end(), 0.0f) == doctest::Approx(1));
        CHECK(*std::ranges::min_element(patches) >= 0);
    }
    const Image drawn = map.draw(picture, *blip2.processor.tokenizer, words.tokens);
    CHECK(drawn.width() >= 2 * 232 + 8);  // the picture and one word at least
    CHECK(drawn.width() % 232 == 8);
    CHECK(drawn.height() % 248 == 8);
}

}  // namespace generate_attention_map

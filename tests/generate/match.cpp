// From picture files and texts to scores, against transformers.
#include <tessera/generate/match.hpp>

#include <doctest/doctest.h>

#include "support/allocations.hpp"
#include "support/compare.hpp"
#include "support/matching_golden.hpp"

namespace generate_match {
using namespace tessera;

namespace {

constexpr double activations = 6e-5;  // tests/golden/make/README.template.md

struct Golden : test::MatchingGolden {
    /// Of the reference's numbers for "no match" and "match" the latter.
    std::vector<float> of_match(const std::string& name) const {
        const auto values = all(name);
        std::vector<float> out;
        for (std::size_t i = 1; i < values.size(); i += 2) out.push_back(values[i]);
        return out;
    }
};

}  // namespace

TEST_CASE("texts become the reference's ids") {
    const Golden golden;
    const auto words = match_texts(*golden.blip2.processor.tokenizer, golden.texts, 64);
    CHECK(words.ids == golden.ids);
    CHECK(words.starts == golden.starts);
}

TEST_CASE("every picture with every text") {
    const Golden golden;
    const auto scores = match(golden.blip2, golden.images, golden.texts);
    test::check_close("itc", scores.itc.view().span(), golden.all("itc.logits_per_image"), activations);
    test::check_close("itm", scores.itm.view().span(), golden.of_match("itm.probabilities"), activations);
    test::check_close("logits", scores.itm_logits.view().span(), golden.of_match("itm.logits"), activations);

    const auto one = match(golden.blip2, std::span(golden.images).subspan(2, 1), std::span(golden.texts).subspan(1, 1));
    CHECK(one.itm.size() == 1);
    CHECK(std::abs(one.itm(0, 0) - scores.itm(2, 1)) < 1e-5f);
    CHECK(std::abs(one.itc(0, 0) - scores.itc(2, 1)) < 1e-5f);
    const auto contrast_only = match(golden.blip2, golden.images, golden.texts, {.itm = false});
    CHECK(contrast_only.itm.size() == 0);
    CHECK(std::ranges::equal(contrast_only.itc.view(), scores.itc.view()));
    const auto matching_only = match(golden.blip2, golden.images, golden.texts, {.itc = false});
    CHECK(matching_only.itc.size() == 0);
    CHECK(std::ranges::equal(matching_only.itm.view(), scores.itm.view()));
    CHECK(match(golden.blip2, golden.images, {}).itm.size() == 0);
    CHECK(match(golden.blip2, {}, golden.texts).itm.size() == 0);
}

TEST_CASE("a long text is cut where that is wanted, and else an error") {
    const Golden golden;
    std::string long_text = "a cat";
    for (int i = 0; i < 40; ++i) long_text += " a cat";
    const auto& tokenizer = *golden.blip2.processor.tokenizer;
    const std::vector<std::string> texts{"a cat", long_text};
    CHECK_THROWS_WITH_AS(match(golden.blip2, golden.images, texts),
                         "[sequence.length] text 1: expected at most 64 tokens, found 84; most_tokens cuts it", Error);
    const auto words = match_texts(tokenizer, texts, 64, {.most_tokens = 35});
    const auto whole = tokenizer.encode(long_text);
    REQUIRE(words.starts == std::vector<Index>{0, 4, 39});
    CHECK(std::equal(whole.begin(), whole.begin() + 34, words.ids.begin() + 4));
    CHECK(words.ids.back() == whole.back());
    CHECK(match(golden.blip2, golden.images, texts, {.most_tokens = 35}).itm.size() == 8);
    CHECK_THROWS_WITH_AS(match_texts(tokenizer, texts, 64, {.most_tokens = 65}),
                         "[option.value] most_tokens: expected 0, or a number from 3 to 64, found 65", Error);
    const std::vector<std::string> broken{"\xff"};
    CHECK_THROWS_AS(match(golden.blip2, golden.images, broken), Error);
}

TEST_CASE("a second pass over other pairs allocates nothing but the pictures' keys") {
    const Golden golden;
    const auto seen = golden.all("vision.last_hidden_state");
    const ConstRows<64> patches(seen.data(), {4 * 17, 64});
    const std::vector<ImageTextPair> pairs{{0, 0}, {0, 1}, {0, 2}, {0, 3}, {1, 1}, {3, 0}};
    Scratch s;
    const auto& model = golden.blip2.model;
    const auto keys = model.qformer.read(patches, s, 4);
    const auto pass = [&] {
        const auto frame = s.frame();
        model.itm(keys, pairs, golden.RetrievalGolden::texts(), s);
        model.image_features(keys, s);
        model.text_features(golden.RetrievalGolden::texts(), s);
    };
    pass();
    const Index before = test::allocations();
    pass();
    CHECK(test::allocations() == before);
    model.qformer.read(patches, s, 4);
    CHECK(test::allocations() == before + 1);
}

}  // namespace generate_match

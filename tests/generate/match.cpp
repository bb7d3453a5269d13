// From picture files and texts to scores, against transformers.
#include <tessera/generate/match.hpp>

#include <doctest/doctest.h>

#include <tessera/generate/load.hpp>

#include "support/allocations.hpp"
#include "support/as_processors.hpp"
#include "support/compare.hpp"
#include "support/read_json.hpp"
#include "support/retrieval_goldens.hpp"

namespace generate_match {
using namespace tessera;

namespace {

constexpr double activations = 6e-5;  // tests/golden/make/README.template.md

struct Golden : test::RetrievalGolden {
    Pipeline<Blip2ItmTiny> blip2 = load<Blip2ItmTiny>(path.string());
    std::vector<Image> images;
    std::vector<std::string> texts;

    Golden() : RetrievalGolden("blip2_itr") {
        const Json expected = test::read_json(path / "expected.json");
        for (const auto& name : expected["images"])
            images.push_back(read_image(test::golden("images/" + name.get<std::string>()), test::as_processors));
        for (const auto& text : expected["texts"]) texts.push_back(text);
    }
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

TEST_CASE("LAVIS ranks the best by contrast, and adds the logit of a match to the cosine") {
    const Golden golden;
    const auto scores = match(golden.blip2, golden.images, golden.texts);
    for (const Index best : {0, 1, 2, 4, 128}) {
        CAPTURE(best);
        const auto ranked = retrieve(golden.blip2, golden.images, golden.texts, best);
        for (Index image = 0; image < 4; ++image)
            for (Index text = 0; text < 4; ++text) {
                CAPTURE(image);
                CAPTURE(text);
                Index better_texts = 0, better_images = 0;
                for (Index other = 0; other < 4; ++other) {
                    better_texts += scores.itc(image, other) > scores.itc(image, text);
                    better_images += scores.itc(other, text) > scores.itc(image, text);
                }
                const float sum = scores.itm_logits(image, text) + scores.itc(image, text);
                const auto same = [](float a, float b) { return std::abs(a - b) < 1e-4f; };
                CHECK(same(ranked.image_to_text(image, text), better_texts < best ? sum : -100.0f));
                CHECK(same(ranked.text_to_image(text, image), better_images < best ? sum : -100.0f));
            }
    }
    CHECK_THROWS_WITH_AS(retrieve(golden.blip2, golden.images, golden.texts, -1),
                         "[option.value] best: expected 0 or more, found -1", Error);
}

TEST_CASE("the largest, of equals the first") {
    const float scores[] = {1, 3, 2, 3};
    CHECK(k_best(scores, 3) == std::vector<Index>{1, 3, 2});
    CHECK(k_best(scores, 9) == std::vector<Index>{1, 3, 2, 0});
    CHECK(k_best(scores, 0).empty());
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

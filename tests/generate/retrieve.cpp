#include <tessera/generate/retrieve.hpp>

#include <doctest/doctest.h>

#include "support/matching_golden.hpp"

namespace generate_retrieve {
using namespace tessera;
using Golden = test::MatchingGolden;

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

TEST_CASE("what was read already is ranked as pictures are, and each picture read once, in order") {
    const Golden golden;
    const auto& model = golden.blip2.model;
    const auto seen = golden.all("vision.last_hidden_state");
    const auto picture = [&](Index i) { return ConstRows<64>(seen.data() + i * 17 * 64, {17, 64}); };
    Scratch s;
    const auto frame = s.frame();
    const TextBatch texts = golden.RetrievalGolden::texts();
    const auto keys = model.qformer.read({seen.data(), {4 * 17, 64}}, s, 4);
    const auto cosines = model.itc(model.image_features(keys, s), model.text_features(texts, s), s);
    const RetrievalScores by_contrast = rank_by_contrast(cosines);
    for (Index i = 0; i < 4; ++i)
        for (Index text = 0; text < 4; ++text) {
            CHECK(by_contrast.image_to_text(i, text) == cosines(i, text));
            CHECK(by_contrast.text_to_image(text, i) == cosines(i, text));
        }
    std::vector<Index> reads;
    const auto read = [&](Index i, Scratch& scratch) {
        reads.push_back(i);
        return model.qformer.read(picture(i), scratch);
    };
    const RetrievalScores found = rerank(model, by_contrast, texts, 2, read, s);
    CHECK(reads == std::vector<Index>{0, 1, 2, 3});
    const RetrievalScores want = retrieve(golden.blip2, golden.images, golden.texts, 2);
    for (Index i = 0; i < 16; ++i) {
        CHECK(std::abs(found.image_to_text.data()[i] - want.image_to_text.data()[i]) < 1e-4f);
        CHECK(std::abs(found.text_to_image.data()[i] - want.text_to_image.data()[i]) < 1e-4f);
    }
}

TEST_CASE("recall: the share that has a right one among the best, in both directions") {
    const float cosines[] = {0.9f, 0.1f, 0.5f,   // pictures 0 and 2 have text 0 in common, which the file may say twice
                             0.2f, 0.3f, 0.8f,   //
                             0.7f, 0.6f, 0.4f};  //
    const auto scores = rank_by_contrast({cosines, {3, 3}});
    const auto own = [](Index picture, Index text) { return picture == text; };
    CHECK(recall_at(1, scores, own).image_to_text == doctest::Approx(1.0 / 3));
    CHECK(recall_at(1, scores, own).text_to_image == doctest::Approx(1.0 / 3));
    CHECK(recall_at(2, scores, own).image_to_text == doctest::Approx(2.0 / 3));
    CHECK(recall_at(2, scores, own).text_to_image == doctest::Approx(2.0 / 3));
    CHECK(recall_at(3, scores, own).image_to_text == 1);
    const auto shared = [](Index picture, Index text) { return picture == text || (picture == 2 && text == 0); };
    CHECK(recall_at(1, scores, shared).image_to_text == doctest::Approx(2.0 / 3));
    CHECK(recall_at(1, scores, shared).text_to_image == doctest::Approx(1.0 / 3));
}

}  // namespace generate_retrieve

// Stage 1 of BLIP-2: the Q-Former learns contrast, matching and captions over a frozen image encoder.
#pragma once
#include <tessera/generate/retrieve.hpp>
#include <tessera/train/loss/itc.hpp>
#include <tessera/train/loss/itg.hpp>
#include <tessera/train/loss/itm.hpp>

#include "language.hpp"

namespace scenes {

struct Stage1Options {
    Index batch = 64, group = 4, single = 20;
    float smoothing = 0.1f;
    float uniform = 0.5f;  // the share of matching's negatives that are not drawn by similarity
    bool leak = false;     // captions under the mask of matching, where each word sees the next
};

/// What the frozen image encoder makes of fresh pictures.
/// shape   [n·(P + 1), Vision::width]
inline tessera::Rows<Vision::width> see(const Vision& vision, const std::vector<Scene>& scenes, Random& random,
                                        tessera::Scratch& s) {
    const auto out = s.rows<Vision::width>(static_cast<Index>(scenes.size()) * vision_config.tokens());
    const auto frame = s.frame();
    const auto seen = vision(draw_pixels(scenes, random, s), s);
    std::copy_n(seen.data(), seen.size(), out.data());
    return out;
}

inline constexpr Token dec_token = bert_tokens - 1;

/// Begins as BLIP-2 does, with the text tower as its BERT: the queries' feed-forward parts are copies of the text's.
inline void begin_stage1(Stage1& model, const tessera::QFormer<qformer_config>& text_tower, std::uint64_t seed) {
    tessera::randomize(model, seed);
    model.temperature.fill(0.07f);
    copy_parameters(text_tower, model.qformer);
    for (auto& layer : model.qformer.layers) {
        copy_parameters(layer.text_mlp.part, layer.query_mlp.part);
        copy_parameters(layer.text_mlp.norm, layer.query_mlp.norm);
    }
}

inline Losses train_stage1(Stage1& model, const Vision& vision, const tessera::Tokenizer& bert,
                           const StageOptions& stage, const Stage1Options& options = {}) {
    constexpr Index queries = qformer_config.queries;
    tessera::Scratch frozen;  // what the tape reads stays until it is cleared
    Texts texts;
    return train(
        model, [](std::string_view path) { return !path.starts_with("vision_norm"); }, stage,
        [&](Random& random, tessera::Tape& tape, Report& report) {
            frozen.clear();
            const std::vector<Scene> scenes =
                draw_batch(random, Split::train, options.batch, options.group, options.single);
            texts = captions_of(scenes, bert);
            const auto patches = see(vision, scenes, random, frozen);

            const auto keys = model.qformer.read(patches, tape, options.batch);
            const auto kept = model.qformer.query_keys(options.batch, tape);
            const auto states = model.qformer(keys, tape, kept);
            const auto contrast = tessera::itc<Stage1::embedding>(
                model.image_features(states, tape), queries, model.text_features(texts.batch(), tape), {},
                model.temperature, tape, {.smoothing = options.smoothing});
            report.add("itc", double{contrast.loss(0, 0)});
            const auto negatives =
                tessera::hard_negatives(contrast.logits, {}, tape, {.uniform = options.uniform, .seed = random.next()});
            const auto matching = tessera::itm(model, keys, texts.batch(), negatives, tape);
            report.add("itm", double{matching.loss(0, 0)});
            report.add("right", double{matching.accuracy()});
            const auto generation =
                options.leak
                    ? tessera::itg(model, keys, texts.batch(), dec_token, tessera::Full{}, tape, options.smoothing)
                    : tessera::itg(model, kept, texts.batch(), dec_token, tape, options.smoothing);
            report.add("itg", double{generation(0, 0)});
            report.add("t", double{*model.temperature.data()});
            return tessera::sum({{contrast.loss}, {matching.loss}, {generation}}, tape);
        });
}

struct Stage1Scores {
    tessera::Recall contrast, matched;  // R@1 by contrast, and after matching has ranked the best again
    double matching = 0;                // of pairs and of captions that differ in one thing
    double captions = 0;                // written without a mistake
};

/// Over `count` pictures of different descriptions.
inline Stage1Scores test_stage1(const Stage1& model, const Vision& vision, const tessera::Tokenizer& bert, Split split,
                                Index count = 256, Index best = 16, Index single = 20) {
    tessera::Scratch s;
    const auto frame = s.frame();
    Random random(77);
    const std::vector<Scene> scenes = draw_batch(random, split, count, 1, single);
    const Texts texts = captions_of(scenes, bert);
    const auto patches = see(vision, scenes, random, s);
    const auto keys = model.qformer.read(patches, s, count);
    const auto kept = model.qformer.query_keys(count, s);
    const auto images = model.image_features(model.qformer(keys, s, kept), s);
    const auto cosines = Stage1::itc(images, model.text_features(texts.batch(), s), s);

    const auto by_contrast = tessera::rank_by_contrast(cosines);
    const auto read = [&](Index i, tessera::Scratch& t) {
        return model.qformer.read(patches.slice(i * vision_config.tokens(), vision_config.tokens()), t);
    };
    const auto is_right = [](Index picture, Index text) { return picture == text; };
    Stage1Scores out{
        .contrast = tessera::recall_at(1, by_contrast, is_right),
        .matched = tessera::recall_at(1, tessera::rerank(model, by_contrast, texts.batch(), best, read, s), is_right)};

    const double each = 1 / static_cast<double>(count);
    std::vector<Scene> edited;
    for (const Scene& scene : scenes) {
        std::vector<Scene> edits = minimal_edits(scene, Split::train);
        const std::vector<Scene> more = minimal_edits(scene, split);
        edits.insert(edits.end(), more.begin(), more.end());
        edited.push_back(edits[static_cast<std::size_t>(random.below(static_cast<Index>(edits.size())))]);
    }
    const Texts wrong = captions_of(edited, bert);
    std::vector<tessera::ImageTextPair> pairs;
    for (Index i = 0; i < count; ++i) pairs.push_back({i, i});
    const auto yes = model.itm(keys, pairs, texts.batch(), s), no = model.itm(keys, pairs, wrong.batch(), s);
    for (Index i = 0; i < count; ++i) out.matching += each / 2 * ((yes(i, 1) > yes(i, 0)) + (no(i, 1) < no(i, 0)));

    const tessera::TextBatch spoken = tessera::with_first_token(texts.batch(), dec_token, s);
    const auto logits = model.logits(model.qformer.text_after(kept, spoken, s), s);
    out.captions = share(written_right(logits, texts.starts, tessera::next_tokens(spoken, s)));
    return out;
}

inline void print(const char* what, const Stage1Scores& scores) {
    std::printf(
        "stage1, %s: R@1 image→text %.3f (%.3f by contrast), text→image %.3f (%.3f), matching %.3f, captions %.3f\n",
        what, scores.matched.image_to_text, scores.contrast.image_to_text, scores.matched.text_to_image,
        scores.contrast.text_to_image, scores.matching, scores.captions);
    std::fflush(stdout);
}

}  // namespace scenes

// Stage 2 of BLIP-2: the Q-Former's output becomes soft prompts for a frozen language model.
#pragma once
#include <tessera/train/start_stage2.hpp>

#include "stage1.hpp"

namespace scenes {

/// Puts the model together: image encoder and language model as they are, the Q-Former of stage 1 (without its text path), and a
/// projection that makes soft prompts about as long as word embeddings are.
template <class Model>
void begin_stage2(Model& model, const Vision& vision, const Stage1* stage1, const auto& language, std::uint64_t seed) {
    tessera::randomize(model, seed);
    copy_parameters(vision, model.vision);
    if (stage1 != nullptr) copy_parameters(stage1->qformer, model.qformer);
    copy_parameters(language, model.language);
    scale_parameters(model.projection, "weight", 0.1f * word_length<std::remove_cvref_t<decltype(language)>>);
}

/// Only captions are trained.
template <class Model>
Losses train_stage2(Model& model, const tessera::Tokenizer& tokenizer, const StageOptions& stage, Index batch = 64,
                    Index single = 20) {
    tessera::Scratch frozen;  // what the tape reads stays until it is cleared
    Prompted prompted;
    return train(model, tessera::learns_in_stage2, stage, [&](Random& random, tessera::Tape& tape, Report& report) {
        frozen.clear();
        prompted = {};
        for (const Scene& scene : draw_batch(random, Split::train, batch, 4, single))
            prompted.add(model.language, tokenizer, scene, {{"", caption(scene)}});
        const auto patches = see(model.vision, prompted.scenes, random, frozen);
        const auto soft = model.projection(model.qformer(patches, tape, batch), tape);
        const auto logits = read(model.language, soft, prompted, tape);
        constexpr Index words = std::remove_cvref_t<decltype(model.language)>::vocabulary;
        const auto loss = tessera::cross_entropy<words>(logits, prompted.written.targets, tape);
        report.add("exact", share(written_right(logits, prompted.written.texts.starts, prompted.written.targets)));
        return loss;
    });
}

struct Stage2Scores {
    double captions, questions, blind;
    std::string by_kind;
};
template <class Model>
Stage2Scores test_stage2(const Model& model, const tessera::Tokenizer& tokenizer, Split split, Index count = 512,
                         Index single = 20) {
    tessera::Scratch s;
    const auto frame = s.frame();
    Random random(55);
    Prompted captioned, asked;
    std::vector<std::string_view> kinds_asked;
    for (Index i = 0; i < count; ++i) {
        const Scene scene = draw_scene(random, split, single);
        const Question question = draw_question(scene, random);
        captioned.add(model.language, tokenizer, scene, {{"", caption(scene)}});
        asked.add(model.language, tokenizer, scene, {question});
        kinds_asked.push_back(question.kind);
    }
    const auto soft = model.projection(model.qformer(see(model.vision, captioned.scenes, random, s), s, count), s);
    const auto right = [&](const Prompted& prompted, bool blind) {
        const auto inner = s.frame();
        const auto logits = read(model.language, blind ? soft.slice(0, 0) : soft, prompted, s);
        return written_right(logits, prompted.written.texts.starts, prompted.written.targets);
    };
    const std::vector<char> answered = right(asked, false);
    return {share(right(captioned, false)), share(answered), share(right(asked, true)),
            shares_by_kind(answered, kinds_asked)};
}

inline void print(const char* what, const Stage2Scores& scores) {
    std::printf("%s: captions %.3f, questions %.3f (blind %.3f): %s\n", what, scores.captions, scores.questions,
                scores.blind, scores.by_kind.c_str());
    std::fflush(stdout);
}

}  // namespace scenes

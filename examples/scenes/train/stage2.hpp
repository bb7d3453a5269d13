// Stage 2 of BLIP-2: the Q-Former's output becomes soft prompts for a frozen language model.
#pragma once
#include <tessera/train/loss/lm.hpp>
#include <tessera/train/start_stage2.hpp>

#include "stage1.hpp"

namespace scenes {

/// What a language model is to read after the soft prompts of each picture, and to write.
struct Prompted {
    ScoredTexts texts;  // OPT: after the soft prompts; T5: what the decoder writes
    Texts prompts;      // T5: what its encoder reads after the soft prompts

    void add(const Blip2Opt&, const tessera::Tokenizer& tokenizer, const Question& said) {
        OptTexts{tokenizer}.add(texts, {"", {said}});
    }
    void add(const Blip2T5&, const tessera::Tokenizer& tokenizer, const Question& said) {
        const std::string prompt = said.question.empty() ? "" : "Question: " + said.question + " Short answer:";
        prompts.add(tokenizer.encode(prompt));
        const ScoredTexts::Part parts[] = {{{0}, false}, {tokenizer.encode(said.answer), true}};
        texts.add(parts);
    }
};

/// Logits of what is written, after soft prompts [n·queries, width]; none: a blind model.
/// shape   [rows of prompted.texts, V]
inline tessera::Rows<Opt::vocabulary> read(const Opt& model, tessera::ConstRows<Opt::embedding_width> soft,
                                           const Prompted& prompted, tessera::Scratch& s) {
    const tessera::TextBatch written = prompted.texts.texts.batch();
    const tessera::SoftTexts at(soft.extent(0), written, s);
    const auto states = model(at.embed(soft, written, model.embedding, s), at.starts, s);
    const auto& own = prompted.texts.texts.starts;
    const auto words = s.rows<Opt::embedding_width>(own.back());
    for (std::size_t i = 0; i + 1 < own.size(); ++i)
        copy_rows(words.slice(own[i], own[i + 1] - own[i]), states.slice(at.starts[i] + at.soft, own[i + 1] - own[i]),
                  s);
    return model.logits(words, s);
}
inline tessera::Rows<T5::vocabulary> read(const T5& model, tessera::ConstRows<T5::embedding_width> soft,
                                          const Prompted& prompted, tessera::Scratch& s) {
    const tessera::TextBatch prompts = prompted.prompts.batch();
    const tessera::SoftTexts at(soft.extent(0), prompts, s);
    const auto source = model.encoder(at.embed(soft, prompts, model.embedding, s), at.starts, s);
    const Texts& written = prompted.texts.texts;
    return model.logits(model.decoder(model.embedding(written.ids, s), written.starts, source, at.starts, s), s);
}

/// Puts the model together: image encoder and language model as they are, the Q-Former of stage 1 (without its text path), and a
/// projection that makes soft prompts about as long as word embeddings are.
template <class Model>
void begin_stage2(Model& model, const Vision& vision, const Stage1* stage1, const auto& language, std::uint64_t seed) {
    tessera::randomize(model, seed);
    copy_parameters(vision, model.vision);
    if (stage1 != nullptr) copy_parameters(stage1->qformer, model.qformer);
    copy_parameters(language, model.language);
    scale_parameters(model.projection, "weight", 0.1f);
}

/// The mean of the squared lengths of rows.
template <Index Width>
tessera::Rows<1> squared_length(tessera::ConstRows<Width> x, tessera::Scratch& s) {
    const Index rows = x.extent(0);
    float *const squares = s.take<float>(rows), *const gradient = s.take<float>(x.size());
    for (Index i = 0; i < rows; ++i) {
        squares[i] = tessera::kernel::dot_row(x.data() + i * Width, x.data() + i * Width, Width);
        for (Index k = 0; k < Width; ++k) gradient[i * Width + k] = 2 * x(i, k) / static_cast<float>(rows);
    }
    return tessera::detail::loss_of(squares, rows, 1 / static_cast<float>(rows), x.data(), gradient, x.size(), s);
}

/// Only captions are trained. Soft prompts stay about as long as embeddings of words, or a language model that reads them well enough for
/// captions does not find in them what is asked.
template <class Model>
Losses train_stage2(Model& model, const tessera::Tokenizer& tokenizer, const StageOptions& stage, Index batch = 64,
                    Index single = 20) {
    tessera::Scratch frozen;
    Prompted prompted;
    return train(model, tessera::learns_in_stage2, stage, [&](Random& random, tessera::Tape& tape, Report& report) {
        frozen.clear();
        const auto frame = frozen.frame();
        prompted = {};
        const std::vector<Scene> scenes = draw_batch(random, Split::train, batch, 4, single);
        for (const Scene& scene : scenes) prompted.add(model, tokenizer, {"", caption(scene)});
        const auto patches = see(model.vision, scenes, random, frozen);
        const auto soft = model.projection(model.qformer(patches, tape, batch), tape);
        const auto logits = read(model.language, soft, prompted, tape);
        constexpr Index words = std::remove_cvref_t<decltype(model.language)>::vocabulary;
        const auto loss = tessera::cross_entropy<words>(logits, prompted.texts.targets, tape);
        report.add("exact",
                   static_cast<double>(written_right(logits, prompted.texts.texts.starts, prompted.texts.targets)) /
                       static_cast<double>(batch));
        const auto length = squared_length<std::remove_cvref_t<decltype(model.language)>::embedding_width>(soft, tape);
        report.add("soft", std::sqrt(double{length(0, 0)}));
        return tessera::sum({{loss}, {length, 0.01f}}, tape);
    });
}

struct Stage2Scores {
    double captions, questions, blind;
};
template <class Model>
Stage2Scores test_stage2(const Model& model, const tessera::Tokenizer& tokenizer, Split split, Index count = 512,
                         Index single = 20) {
    tessera::Scratch s;
    const auto frame = s.frame();
    Random random(55);
    std::vector<Scene> scenes;
    Prompted captioned, asked;
    for (Index i = 0; i < count; ++i) {
        const Scene scene = draw_scene(random, split, single);
        scenes.push_back(scene);
        std::vector<Question> all = questions(scene, random);
        random.shuffle(all);
        captioned.add(model, tokenizer, {"", caption(scene)});
        asked.add(model, tokenizer, all[0]);
    }
    const auto soft = model.projection(model.qformer(see(model.vision, scenes, random, s), s, count), s);
    const auto share = [&](const Prompted& prompted, bool blind) {
        const auto inner = s.frame();
        const auto logits = read(model.language, blind ? soft.slice(0, 0) : soft, prompted, s);
        return static_cast<double>(written_right(logits, prompted.texts.texts.starts, prompted.texts.targets)) /
               static_cast<double>(count);
    };
    return {share(captioned, false), share(asked, false), share(asked, true)};
}

inline void print(const char* what, const Stage2Scores& scores) {
    std::printf("%s: captions %.3f, questions %.3f (blind %.3f)\n", what, scores.captions, scores.questions,
                scores.blind);
    std::fflush(stdout);
}

}  // namespace scenes

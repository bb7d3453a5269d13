// Stage 0: language models out of nothing, on text alone: what is known of a scene, then what is said of it. Only what is said is
// scored. Later soft prompts take the place of what is known.
#pragma once
#include "batch.hpp"
#include "run.hpp"

namespace scenes {

/// Texts of which some tokens are to be predicted.
struct ScoredTexts {
    Texts texts;
    std::vector<Token> targets;  // what follows each token; −1 where that is not scored

    /// One more text: parts one after another, of which `scored` ones count.
    struct Part {
        std::vector<Token> ids;
        bool scored;
    };
    void add(std::span<const Part> parts) {
        std::vector<Token> ids;
        for (const Part& part : parts)
            for (const Token id : part.ids) {
                if (!ids.empty()) targets.push_back(part.scored ? id : -1);
                ids.push_back(id);
            }
        targets.push_back(-1);
        texts.add(ids);
    }
};

/// In how many texts the likeliest token is the right one wherever there is one to predict: so many would be written without a
/// mistake, since a greedy search that has made none yet reads what is read here.
/// shape   logits [T, V]
inline Index written_right(tessera::View<const float, tessera::dyn, tessera::dyn> logits,
                           const std::vector<Index>& starts, std::span<const Token> targets) {
    Index right = 0;
    for (std::size_t text = 0; text + 1 < starts.size(); ++text) {
        bool all = true;
        for (Index row = starts[text]; row < starts[text + 1]; ++row) {
            const Token target = targets[static_cast<std::size_t>(row)];
            if (target < 0) continue;
            const float* const scores = logits.data() + row * logits.extent(1);
            all = all && std::max_element(scores, scores + logits.extent(1)) - scores == target;
        }
        right += all;
    }
    return right;
}

template <Index Width>
void add_noise(tessera::Rows<Width> x, Random& random, float amplitude) {
    for (Index i = 0; i < x.size(); ++i)
        x.data()[i] += amplitude * (static_cast<float>(random.next() >> 40) * 0x1p-23f - 1);
}

// --- OPT ---------------------------------------------------------------------------------------------------------------------

struct OptTexts {
    const tessera::Tokenizer& tokenizer;

    std::vector<Token> encode(const std::string& text) const { return tokenizer.encode(text, tessera::Specials::omit); }
    Token begin() const { return *tokenizer.special_tokens().bos; }

    /// ` context</s>said\nQuestion: … Answer: said\n`
    void add(ScoredTexts& to, const Document& document) const {
        std::vector<ScoredTexts::Part> parts;
        if (!document.context.empty()) parts.push_back({encode(' ' + document.context), false});
        parts.push_back({{begin()}, false});
        for (const auto& [question, answer] : document.said) {
            if (!question.empty()) parts.push_back({encode("Question: " + question + " Answer:"), false});
            parts.push_back({encode((question.empty() ? "" : " ") + answer + '\n'), true});
        }
        to.add(parts);
    }
};

/// Logits of whole texts. The rows of `contexts` tokens at the front of each get noise: soft prompts are no words.
inline tessera::Rows<Opt::vocabulary> read(const Opt& model, const ScoredTexts& scored, tessera::Scratch& s,
                                           float noise = 0, Random* random = nullptr, Token begin = 2) {
    const auto embedded = model.embedding(scored.texts.ids, s);
    for (std::size_t i = 0; noise > 0 && i + 1 < scored.texts.starts.size(); ++i) {
        const Index first = scored.texts.starts[i];
        Index length = 0;
        while (scored.texts.ids[static_cast<std::size_t>(first + length)] != begin) ++length;
        add_noise(embedded.slice(first, length), *random, noise);
    }
    return model.logits(model(embedded, scored.texts.starts, s), s);
}

inline Losses pretrain_opt(Opt& model, const tessera::Tokenizer& tokenizer, const StageOptions& stage,
                           Index batch = 32) {
    tessera::randomize(model, stage.seed);
    const OptTexts writer{tokenizer};
    ScoredTexts scored;  // stays until the tape is cleared
    return train(model, {}, stage, [&](Random& random, tessera::Tape& tape, Report& report) {
        scored = {};
        for (Index i = 0; i < batch; ++i) writer.add(scored, draw_document(draw_scene(random, Split::train), random));
        const auto logits = read(model, scored, tape, 0.05f, &random);
        const auto loss = tessera::cross_entropy<Opt::vocabulary>(logits, scored.targets, tape);
        report.add("tokens", static_cast<double>(scored.texts.ids.size()));
        report.add("lm", double{loss(0, 0)});
        return loss;
    });
}

/// The share of questions, and of captions, that are answered from notes as context: of descriptions that training has not seen.
struct TextScores {
    double questions, captions;
};
/// `add(to, context, said)` adds a text to a batch, `right(batch)` counts those that would be written without a mistake.
template <class Batch>
TextScores test_texts(Split split, Index count, const auto& add, const auto& right) {
    Batch asked, captioned;
    Random random(99);
    for (Index i = 0; i < count; ++i) {
        const Scene scene = draw_scene(random, split);
        const std::string context = notes(scene, random);
        std::vector<Question> all = questions(scene, random);
        random.shuffle(all);
        add(asked, context, all[0]);
        add(captioned, context, Question{"", caption(scene)});
    }
    const auto share = [&](const Batch& batch) {
        return static_cast<double>(right(batch)) / static_cast<double>(count);
    };
    return {share(asked), share(captioned)};
}
inline TextScores test_opt(const Opt& model, const tessera::Tokenizer& tokenizer, Split split, Index count = 256) {
    tessera::Scratch s;
    return test_texts<ScoredTexts>(
        split, count,
        [&](ScoredTexts& to, const std::string& context, const Question& said) {
            OptTexts{tokenizer}.add(to, {context, {said}});
        },
        [&](const ScoredTexts& scored) {
            const auto frame = s.frame();
            return written_right(read(model, scored, s), scored.texts.starts, scored.targets);
        });
}

// --- T5 ----------------------------------------------------------------------------------------------------------------------

/// What the encoder reads, and what the decoder is to write: decoder inputs begin with 0, and `</s>` ends both.
struct T5Batch {
    Texts sources;
    std::vector<Index> contexts;  // how many tokens of each source are its context
    ScoredTexts written;

    void add(const tessera::Tokenizer& tokenizer, const std::string& context, const Question& said) {
        std::vector<Token> source = tokenizer.encode(context, tessera::Specials::omit);
        contexts.push_back(static_cast<Index>(source.size()));
        const std::string prompt = said.question.empty() ? "" : "Question: " + said.question + " Short answer:";
        const std::vector<Token> words = tokenizer.encode(prompt);
        source.insert(source.end(), words.begin(), words.end());
        sources.add(source);
        const ScoredTexts::Part parts[] = {{{0}, false}, {tokenizer.encode(said.answer), true}};
        written.add(parts);
    }
};

inline tessera::Rows<T5::vocabulary> read(const T5& model, const T5Batch& batch, tessera::Scratch& s, float noise = 0,
                                          Random* random = nullptr) {
    const auto embedded = model.embedding(batch.sources.ids, s);
    for (std::size_t i = 0; noise > 0 && i < batch.contexts.size(); ++i)
        add_noise(embedded.slice(batch.sources.starts[i], batch.contexts[i]), *random, noise);
    const auto source = model.encoder(embedded, batch.sources.starts, s);
    // The decoder reads what it has written: all but the last token, which nothing follows.
    const auto& written = batch.written.texts;
    return model.logits(model.decoder(model.embedding(written.ids, s), written.starts, source, batch.sources.starts, s),
                        s);
}

inline Losses pretrain_t5(T5& model, const tessera::Tokenizer& tokenizer, const StageOptions& stage, Index batch = 64) {
    tessera::randomize(model, stage.seed);
    scale_parameters(model, "query.weight",
                     1 / std::sqrt(static_cast<float>(t5_config.head_size)));  // T5 scales no scores
    T5Batch examples;                                                          // stays until the tape is cleared
    return train(model, {}, stage, [&](Random& random, tessera::Tape& tape, Report& report) {
        examples = {};
        for (Index i = 0; i < batch; ++i) {
            const Document document = draw_document(draw_scene(random, Split::train), random, 4);
            for (const Question& said : document.said) examples.add(tokenizer, document.context, said);
        }
        const auto logits = read(model, examples, tape, 0.05f, &random);
        const auto loss = tessera::cross_entropy<T5::vocabulary>(logits, examples.written.targets, tape);
        report.add("tokens", static_cast<double>(examples.sources.ids.size()));
        report.add("lm", double{loss(0, 0)});
        return loss;
    });
}

inline TextScores test_t5(const T5& model, const tessera::Tokenizer& tokenizer, Split split, Index count = 256) {
    tessera::Scratch s;
    return test_texts<T5Batch>(
        split, count,
        [&](T5Batch& to, const std::string& context, const Question& said) { to.add(tokenizer, context, said); },
        [&](const T5Batch& batch) {
            const auto frame = s.frame();
            return written_right(read(model, batch, s), batch.written.texts.starts, batch.written.targets);
        });
}

}  // namespace scenes

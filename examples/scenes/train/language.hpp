// Stage 0: language models out of nothing, on text alone: what is known of a scene, then what is said of it. Only what is said is
// scored. What is known comes as words, or as rows that mix words: later soft prompts take its place.
#pragma once
#include <tessera/train/loss/lm.hpp>

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

/// In which texts the likeliest token is the right one wherever there is one to predict: those would be written without a
/// mistake, since a greedy search that has made none yet reads what is read here.
/// shape   logits [T, V] → one a text
inline std::vector<char> written_right(tessera::View<const float, tessera::dyn, tessera::dyn> logits,
                                       const std::vector<Index>& starts, std::span<const Token> targets) {
    std::vector<char> right;
    for (std::size_t text = 0; text + 1 < starts.size(); ++text) {
        bool all = true;
        for (Index row = starts[text]; row < starts[text + 1]; ++row) {
            const Token target = targets[static_cast<std::size_t>(row)];
            if (target < 0) continue;
            const float* const scores = logits.data() + row * logits.extent(1);
            all = all && std::max_element(scores, scores + logits.extent(1)) - scores == target;
        }
        right.push_back(all);
    }
    return right;
}
inline double share(const std::vector<char>& right) {
    return static_cast<double>(std::ranges::count(right, char{1})) / static_cast<double>(right.size());
}

/// Of each kind of question, how many are answered: `colour .82, size .74`.
inline std::string shares_by_kind(const std::vector<char>& right, const std::vector<std::string_view>& asked) {
    std::string out;
    for (const std::string_view kind : question_kinds) {
        Index count = 0, answered = 0;
        for (std::size_t i = 0; i < right.size(); ++i)
            if (asked[i] == kind) ++count, answered += right[i];
        char text[64];
        std::snprintf(text, sizeof text, "%s%.*s %.3f", out.empty() ? "" : ", ", static_cast<int>(kind.size()),
                      kind.data(), static_cast<double>(answered) / static_cast<double>(count));
        out += text;
    }
    return out;
}

/// A number from `low` to `high`.
inline float between(float low, float high, Random& random) {
    return low + (high - low) * static_cast<float>(random.next() >> 40) * 0x1p-24f;
}

/// How long the vectors of words are when training begins: those of a T5 have a variance of 1, so that what attention adds to them does
/// not drown which word it is.
template <class Model>
inline constexpr float word_length = 1;
template <>
inline constexpr float word_length<T5> = 11.3137f;  // √width

// --- known as words ------------------------------------------------------------------------------------------------------------

/// What an OPT reads: ` context</s>said\nQuestion: … Answer: said\n`.
inline void add(ScoredTexts& to, const tessera::Tokenizer& tokenizer, const Document& document) {
    const auto encode = [&](const std::string& text) { return tokenizer.encode(text, tessera::Specials::omit); };
    std::vector<ScoredTexts::Part> parts;
    if (!document.context.empty()) parts.push_back({encode(' ' + document.context), false});
    parts.push_back({{*tokenizer.special_tokens().bos}, false});
    for (const auto& [question, answer, kind] : document.said) {
        if (!question.empty()) parts.push_back({encode("Question: " + question + " Answer:"), false});
        parts.push_back({encode((question.empty() ? "" : " ") + answer + '\n'), true});
    }
    to.add(parts);
}
/// What a T5 reads after a context.
inline std::string t5_prompt(const Question& said) {
    return said.question.empty() ? "" : "Question: " + said.question + " Short answer:";
}
/// What its decoder is to write: its inputs begin with 0, and `</s>` ends them.
inline void add_written(ScoredTexts& to, const tessera::Tokenizer& tokenizer, const Question& said) {
    const ScoredTexts::Part parts[] = {{{0}, false}, {tokenizer.encode(said.answer), true}};
    to.add(parts);
}

/// Documents, each of which begins with a context.
struct Documents {
    Texts sources;                // T5: what its encoder reads
    std::vector<Index> contexts;  // how many tokens of each text are its context
    ScoredTexts written;          // OPT: all of it

    void add(const Opt&, const tessera::Tokenizer& tokenizer, const Document& document) {
        const Index first = written.texts.starts.back();
        scenes::add(written, tokenizer, document);
        const auto begin = written.texts.ids.begin() + first;
        contexts.push_back(std::find(begin, written.texts.ids.end(), *tokenizer.special_tokens().bos) - begin);
    }
    void add(const T5&, const tessera::Tokenizer& tokenizer, const Document& document) {
        const std::vector<Token> context = tokenizer.encode(document.context, tessera::Specials::omit);
        for (const Question& said : document.said) {
            std::vector<Token> source = context;
            const std::vector<Token> prompt = tokenizer.encode(t5_prompt(said));
            source.insert(source.end(), prompt.begin(), prompt.end());
            sources.add(source);
            contexts.push_back(static_cast<Index>(context.size()));
            add_written(written, tokenizer, said);
        }
    }
    /// Gives the rows of contexts some noise: soft prompts are no words.
    template <Index Width>
    void blur(tessera::Rows<Width> embedded, const Texts& texts, float amplitude, Random* random) const {
        for (std::size_t i = 0; random != nullptr && i < contexts.size(); ++i)
            for (float& x : embedded.slice(texts.starts[i], contexts[i])) x += between(-amplitude, amplitude, *random);
    }
};

/// Logits of what is written.
inline tessera::Rows<Opt::vocabulary> read(const Opt& model, const Documents& documents, tessera::Scratch& s,
                                           Random* noise = nullptr) {
    const Texts& texts = documents.written.texts;
    const auto embedded = model.embedding(texts.ids, s);
    documents.blur(embedded, texts, 0.05f * word_length<Opt>, noise);
    return model.logits(model(embedded, texts.starts, s), s);
}
inline tessera::Rows<T5::vocabulary> read(const T5& model, const Documents& documents, tessera::Scratch& s,
                                          Random* noise = nullptr) {
    const Texts &sources = documents.sources, &written = documents.written.texts;
    const auto embedded = model.embedding(sources.ids, s);
    documents.blur(embedded, sources, 0.05f * word_length<T5>, noise);
    const auto source = model.encoder(embedded, sources.starts, s);
    return model.logits(model.decoder(model.embedding(written.ids, s), written.starts, source, sources.starts, s), s);
}

// --- known as rows -------------------------------------------------------------------------------------------------------------

/// What a language model is to read after soft prompts, and to write.
struct Prompted {
    std::vector<Scene> scenes;  // what the soft prompts of each text tell
    Texts prompts;              // T5: what its encoder reads after them
    ScoredTexts written;        // OPT: all that comes after them

    void add(const Opt&, const tessera::Tokenizer& tokenizer, const Scene& scene, const std::vector<Question>& said) {
        scenes.push_back(scene);
        scenes::add(written, tokenizer, {"", said});
    }
    void add(const T5&, const tessera::Tokenizer& tokenizer, const Scene& scene, const std::vector<Question>& said) {
        for (const Question& each : said) {
            scenes.push_back(scene);
            prompts.add(tokenizer.encode(t5_prompt(each)));
            add_written(written, tokenizer, each);
        }
    }
};

/// Logits of what is written, after soft prompts [n·queries, width]; none: a blind model.
/// shape   [rows of prompted.written, V]
inline tessera::Rows<Opt::vocabulary> read(const Opt& model, tessera::ConstRows<Opt::embedding_width> soft,
                                           const Prompted& prompted, tessera::Scratch& s) {
    const tessera::TextBatch written = prompted.written.texts.batch();
    const tessera::SoftTexts at(soft.extent(0), written, s);
    const auto states = model(at.embed(soft, written, model.embedding, s), at.starts, s);
    const auto words = s.rows<Opt::embedding_width>(written.starts.back());
    for (Index i = 0; i < written.count(); ++i)
        copy_rows(words.slice(written.starts[static_cast<std::size_t>(i)], written.length(i)),
                  states.slice(at.start(i) + at.soft, written.length(i)), s);
    return model.logits(words, s);
}
inline tessera::Rows<T5::vocabulary> read(const T5& model, tessera::ConstRows<T5::embedding_width> soft,
                                          const Prompted& prompted, tessera::Scratch& s) {
    const tessera::TextBatch prompts = prompted.prompts.batch();
    const tessera::SoftTexts at(soft.extent(0), prompts, s);
    const auto source = model.encoder(at.embed(soft, prompts, model.embedding, s), at.starts, s);
    const Texts& written = prompted.written.texts;
    return model.logits(model.decoder(model.embedding(written.ids, s), written.starts, source, at.starts, s), s);
}

/// What a model's embedding makes of a word in the middle of a text, all its tokens together.
/// shape   [Width]
template <class Model>
std::vector<float> vector_of(const std::string& word, const Model& model, const tessera::Tokenizer& tokenizer,
                             tessera::Scratch& s) {
    constexpr bool spaced = std::same_as<Model, Opt>;  // T5's tokenizer puts the space there itself
    const auto frame = s.frame();
    const auto rows = model.embedding(tokenizer.encode(spaced ? ' ' + word : word, tessera::Specials::omit), s);
    std::vector<float> out(static_cast<std::size_t>(Model::embedding_width));
    for (Index i = 0; i < rows.size(); ++i) out[static_cast<std::size_t>(i % Model::embedding_width)] += rows.data()[i];
    return out;
}

/// As much for each model as its words are long. (Each is spelled as it was when it was trained: with other roundings, others
/// would come out.)
template <class Model>
float noise(float scale, Random& random) {
    if constexpr (std::same_as<Model, Opt>) return scale * between(-0.1f, 0.1f, random);
    const float most = 0.1f * scale * word_length<Model>;
    return between(-most, most, random);
}

/// What is known of scenes, in rows each of which mixes the words of one object, by weights that are drawn: there is no order of
/// words to go by, and what lies in a row belongs together. So it will be in soft prompts, which are no words and of any length, so
/// there is noise, and a scale for each scene.
/// shape   [n·queries, Width], constants: embeddings do not learn through them
template <class Model>
tessera::Rows<Model::embedding_width> mixed_words(const std::vector<Scene>& scenes, const Model& model,
                                                  const tessera::Tokenizer& tokenizer, Random& random,
                                                  tessera::Scratch& s) {
    constexpr Index width = Model::embedding_width, queries = qformer_config.queries;
    const auto out = s.rows<width>(static_cast<Index>(scenes.size()) * queries);
    std::fill_n(out.data(), out.size(), 0.0f);
    float* to = out.data();
    for (const Scene& scene : scenes) {
        std::vector<std::vector<float>> words[2];
        for (std::size_t i = 0; i < static_cast<std::size_t>(scene.count); ++i)
            for (const std::string& word : words_of(scene, i)) words[i].push_back(vector_of(word, model, tokenizer, s));
        const float scale = std::exp2(between(-1, 1.5f, random));
        for (Index row = 0; row < queries; ++row, to += width) {
            for (const std::vector<float>& word : words[random.below(scene.count)]) {
                if (random.chance(10)) continue;
                const float weight = between(0.3f, 1, random) * scale;
                for (Index k = 0; k < width; ++k) to[k] += weight * word[static_cast<std::size_t>(k)];
            }
            for (Index k = 0; k < width; ++k) to[k] += noise<Model>(scale, random);
        }
    }
    return out;
}

// --- training ------------------------------------------------------------------------------------------------------------------

/// Positions as sines and cosines, as long as the embeddings of tokens: to look a few tokens back is then the same turn everywhere, and
/// an OPT learns sooner what a question is about.
inline void set_positions(Opt& model) {
    constexpr Index pairs = Opt::width / 2;
    std::vector<float> row(static_cast<std::size_t>(Opt::width));
    for (Index at = 0; at < Opt::most_positions + Opt::position_offset; ++at) {
        for (Index i = 0; i < pairs; ++i) {
            const double turn = std::pow(200.0, -static_cast<double>(i) / pairs) * static_cast<double>(at);
            const double length = std::sqrt(1.0 / pairs);
            row[static_cast<std::size_t>(2 * i)] = static_cast<float>(length * std::sin(turn));
            row[static_cast<std::size_t>(2 * i + 1)] = static_cast<float>(length * std::cos(turn));
        }
        model.position.write(at, row.data(), 1);
    }
}
inline void begin(Opt& model, std::uint64_t seed) {
    tessera::randomize(model, seed);
    set_positions(model);
}
inline void begin(T5& model, std::uint64_t seed) {
    tessera::randomize(model, seed);
    scale_parameters(model, "embedding.weight", word_length<T5>);
    const float balance = std::pow(static_cast<float>(t5_config.head_size), -0.25f);  // T5 scales no scores
    for (const char* side : {"query.weight", "key.weight"}) scale_parameters(model, side, balance);
}

/// Half of a batch knows words, half knows rows; at most `most` things are said of a scene.
template <class Model>
Losses pretrain(Model& model, const tessera::Tokenizer& tokenizer, const StageOptions& stage, Index batch,
                std::size_t most) {
    begin(model, stage.seed);
    Documents documents;  // what the tape reads stays until it is cleared
    Prompted prompted;
    tessera::Scratch known;
    return train(model, {}, stage, [&](Random& random, tessera::Tape& tape, Report& report) {
        documents = {}, prompted = {};
        known.clear();
        const auto frame = known.frame();
        for (Index i = 0; i < batch / 2; ++i)
            documents.add(model, tokenizer, draw_document(draw_scene(random, Split::train), random, most));
        for (Index i = 0; i < batch / 2; ++i) {
            const Scene scene = draw_scene(random, Split::train);
            prompted.add(model, tokenizer, scene, draw_document(scene, random, most).said);
        }
        const auto soft = mixed_words(prompted.scenes, model, tokenizer, random, known);
        const auto from_words = tessera::cross_entropy<Model::vocabulary>(read(model, documents, tape, &random),
                                                                          documents.written.targets, tape);
        const auto from_rows = tessera::cross_entropy<Model::vocabulary>(read(model, soft, prompted, tape),
                                                                         prompted.written.targets, tape);
        report.add("from words", double{from_words(0, 0)});
        report.add("from rows", double{from_rows(0, 0)});
        return tessera::sum({{from_words, 0.5f}, {from_rows, 0.5f}}, tape);
    });
}

/// The shares of captions and of questions that are answered without a mistake.
struct TextScores {
    double captions, questions;
    std::string by_kind;  // of questions
};
inline void print(const char* what, const TextScores& scores) {
    std::printf("%s: captions %.3f, questions %.3f: %s\n", what, scores.captions, scores.questions,
                scores.by_kind.c_str());
    std::fflush(stdout);
}
/// Of descriptions that `split` shows: from notes in words, or from rows of mixed words.
template <class Model>
TextScores test_language(const Model& model, const tessera::Tokenizer& tokenizer, Split split, bool rows,
                         Index count = 512) {
    tessera::Scratch s;
    Documents documents[2];  // captions, questions
    Prompted prompted[2];
    std::vector<std::string_view> kinds_asked;
    Random random(99);
    for (Index i = 0; i < count; ++i) {
        const Scene scene = draw_scene(random, split);
        const std::string context = notes(scene, random);
        const Question question = draw_question(scene, random);
        kinds_asked.push_back(question.kind);
        for (const bool asked : {false, true}) {
            const std::vector<Question> said{asked ? question : Question{"", caption(scene)}};
            documents[asked].add(model, tokenizer, {context, said});
            prompted[asked].add(model, tokenizer, scene, said);
        }
    }
    const auto right = [&](bool asked) {
        const auto frame = s.frame();
        const ScoredTexts& written = rows ? prompted[asked].written : documents[asked].written;
        const auto logits =
            rows ? read(model, mixed_words(prompted[asked].scenes, model, tokenizer, random, s), prompted[asked], s)
                 : read(model, documents[asked], s);
        return written_right(logits, written.texts.starts, written.targets);
    };
    const std::vector<char> answered = right(true);
    return {share(right(false)), share(answered), shares_by_kind(answered, kinds_asked)};
}

}  // namespace scenes

// From what a text begins with to the text.
#pragma once
#include <memory>
#include <numeric>
#include <tessera/generate/beam.hpp>
#include <tessera/generate/sample.hpp>
#include <tessera/mask/catalog/bitmap.hpp>
#include <tessera/mask/catalog/causal.hpp>
#include <tessera/model/language_model.hpp>

namespace tessera::inline TESSERA_ISA {

/// How many rows of a text are read at most after its beginning: what the caches of Beginnings need room for.
inline Index rows_to_generate(const GenerateOptions& options) {
    return std::max<Index>(0, options.max_tokens - 1) * std::max(options.beams, options.n_best);
}

namespace detail {

/// One text of a batch while it is searched for. All its branches are in one cache: the beginning, then the tokens of each
/// step. A branch sees the beginning and its own path, which is a row of bits; choosing among branches moves no keys.
template <class Decoder>
class Branches {
  public:
    Branches(std::size_t place_in_batch, Beginning<Decoder>& text, const SearchRules& rules)
        : index(place_in_batch), text_(&text) {
        const GenerateOptions& o = rules.options;
        if (o.beams > 1)
            search = std::make_unique<BeamSearch>(rules, text.seen);
        else
            search = std::make_unique<TokenByToken>(rules, text.seen, static_cast<Index>(index));
        place_ = text.rows.extent(0);
        const auto most = static_cast<std::size_t>(std::max(o.beams, o.n_best));
        const Index keys = text.cache.length + place_ + rows_to_generate(o);
        for (auto* bits : {&path_, &next_path_})
            bits->reserve(std::max<std::size_t>(most, 1) * static_cast<std::size_t>((keys + 63) / 64));
        positions_.reserve(std::max(most, static_cast<std::size_t>(place_)));
    }

    /// What is read first.
    Continuation<typename Decoder::Cache> beginning() {
        causal_ = Causal::after(text_->cache.length);
        positions_.resize(static_cast<std::size_t>(place_));
        std::iota(positions_.begin(), positions_.end(), Index{0});
        const Index keys = text_->cache.length + place_;
        path_.assign(words(keys), ~std::uint64_t{0});
        path_.back() = masks::ones({0, keys - 64 * (static_cast<Index>(path_.size()) - 1)}, 0);
        return {&text_->cache, place_, causal_, positions_};
    }
    /// What is read next: each branch sees what its parent saw, and itself.
    Continuation<typename Decoder::Cache> next(std::span<const TokenSearch::Branch> branches) {
        const auto rows = static_cast<Index>(branches.size()), before = text_->cache.length, keys = before + rows;
        const std::size_t width = words(keys), parent_width = words(before);
        next_path_.assign(branches.size() * width, 0);
        for (std::size_t row = 0; row < branches.size(); ++row) {
            std::uint64_t* const bits = next_path_.data() + row * width;
            std::copy_n(path_.data() + static_cast<std::size_t>(branches[row].parent) * parent_width, parent_width,
                        bits);
            const Index own = before + static_cast<Index>(row);
            bits[own / 64] |= std::uint64_t{1} << (own % 64);
        }
        std::swap(path_, next_path_);
        mask_ = Bitmap(std::span<const std::uint64_t>(path_), rows, keys);
        positions_.assign(branches.size(), place_++);
        return {&text_->cache, rows, mask_, positions_};
    }

    std::size_t index;  // in the batch
    std::unique_ptr<TokenSearch> search;
    std::span<const TokenSearch::Branch> now;  // what is read next

  private:
    static std::size_t words(Index keys) { return static_cast<std::size_t>((keys + 63) / 64); }

    Beginning<Decoder>* text_;
    Index place_;  // of the next token in the text
    std::vector<Index> positions_;
    Causal causal_;
    Bitmap mask_{std::span<const std::uint64_t>{}, 0, 0};
    std::vector<std::uint64_t> path_, next_path_;  // [branches, keys / 64]: what the rows read last see; spare
};

}  // namespace detail

/// Generates what follows each of `texts`, all together: a step reads every weight once for all texts that are not done.
/// Each is searched for as if it were alone; those that are done leave the batch.
/// shape   n beginnings, whose caches have room for rows_to_generate(options) → for each its texts, the best first
/// errors  Errc::option_value; Errc::sequence_length when prompt and max_tokens exceed the model's positions;
///         Errc::checkpoint_value for logits that are NaN
/// cost    one pass over the beginnings, then one over all weights a step; n · beams rows of logits. After the first step
///         nothing is allocated, but for the texts that are done
template <LanguageModel Decoder>
std::vector<std::vector<Generation>> generate(const Decoder& decoder,
                                              std::type_identity_t<std::span<Beginning<Decoder>>> texts,
                                              const GenerateOptions& options, std::span<const Token> ends, Scratch& s,
                                              const GenerateHooks& hooks = {}) {
    constexpr Index width = Decoder::embedding_width, vocabulary = Decoder::vocabulary;
    const SearchRules rules(options, ends, hooks);
    for (const Beginning<Decoder>& text : texts) {
        const Index length = text.rows.extent(0);
        if (length == 0) throw Error(Errc::option_value, "prompt: expected at least one token, found none");
        if (length + options.max_tokens > Decoder::most_positions)
            throw Error(Errc::sequence_length, "prompt and max_tokens: expected at most ", Decoder::most_positions,
                        " positions, found ", length, " + ", options.max_tokens);
    }
    std::vector<std::vector<Generation>> found(texts.size());
    if (options.max_tokens == 0) {
        for (auto& text : found) text.resize(1);
        return found;
    }
    std::vector<detail::Branches<Decoder>> running;
    std::vector<Continuation<typename Decoder::Cache>> parts;
    std::vector<Token> ids;
    const std::size_t most_rows = texts.size() * static_cast<std::size_t>(std::max(options.beams, options.n_best));
    running.reserve(texts.size()), parts.reserve(texts.size()), ids.reserve(most_rows);
    for (std::size_t i = 0; i < texts.size(); ++i) running.emplace_back(i, texts[i], rules);

    const auto read_beginnings = [&] {
        Index rows = 0, row = 0;
        for (const auto& text : texts) rows += text.rows.extent(0);
        const auto embedded = s.rows<width>(rows), last = s.rows<width>(static_cast<Index>(texts.size()));
        for (const auto& text : texts) {
            copy_rows(embedded.slice(row, text.rows.extent(0)), text.rows, s);
            row += text.rows.extent(0);
        }
        for (auto& text : running) parts.push_back(text.beginning());
        const Rows<width> states = decoder.append(embedded, parts, s);
        row = 0;
        for (std::size_t i = 0; i < texts.size(); ++i) {
            row += texts[i].rows.extent(0);
            copy_rows(last.slice(static_cast<Index>(i), 1), states.slice(row - 1, 1), s);
        }
        return decoder.logits(last, s);
    };
    const auto read_branches = [&] {
        ids.clear(), parts.clear();
        for (auto& text : running) {
            for (const TokenSearch::Branch& branch : text.now) ids.push_back(branch.token);
            parts.push_back(text.next(text.now));
        }
        return decoder.logits(decoder.append(decoder.embedding(ids, s), parts, s), s);
    };
    for (Index step = 0; !running.empty(); ++step) {
        const auto frame = s.frame();
        const Rows<vocabulary> scores = step == 0 ? read_beginnings() : read_branches();
        s.name("step_logits", step, scores);
        Index row = 0;
        for (auto& text : running) {
            const Index rows = step == 0 ? 1 : static_cast<Index>(text.now.size());
            text.now = text.search->advance(scores.slice(row, rows).data(), vocabulary, s);
            row += rows;
            if (text.now.empty()) found[text.index] = text.search->results();
        }
        std::erase_if(running, [](const auto& text) { return text.now.empty(); });
        if (hooks.on_step) hooks.on_step();
    }
    return found;
}
/// The same from prompts.
template <LanguageModel Decoder>
std::vector<std::vector<Generation>> generate(
    const Decoder& decoder, std::type_identity_t<std::span<const Prompt<Decoder::embedding_width>>> prompts,
    const GenerateOptions& options, std::span<const Token> ends, Scratch& s, const GenerateHooks& hooks = {}) {
    require_valid(options);
    const auto frame = s.frame();
    std::vector<Beginning<Decoder>> texts = decoder.begin(prompts, rows_to_generate(options), s, options.cache);
    return generate(decoder, texts, options, ends, s, hooks);
}

}  // namespace tessera::inline TESSERA_ISA

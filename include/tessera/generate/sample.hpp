// Texts that go on token by token, each by itself: the most likely token every time (greedy), or one drawn by chance.
#pragma once
#include <tessera/core/split_mix.hpp>
#include <tessera/generate/search.hpp>
#include <tessera/kernel/row/softmax.hpp>

namespace tessera::inline TESSERA_ISA {

namespace sampling {

/// Random numbers by their place: number `step` of stream `stream` of a seed.
inline std::uint64_t random_bits(std::uint64_t seed, std::uint64_t stream, std::uint64_t step) {
    return split_mix(split_mix(split_mix(seed) ^ stream) ^ step);
}

/// A token drawn with probabilities e^score / Σ e^score. Which one is a function of the scores' bits and of `seed`, `stream`
/// and `step`, and the same on every machine. (The scores are not: two instruction sets add in different orders. So
/// a draw differs between them where it falls on the last bits of a boundary, about once in a million tokens.)
/// errors  Errc::option_value when no token is allowed
inline Token draw(std::span<const float> scores, std::uint64_t seed, std::uint64_t stream, std::uint64_t step,
                  Scratch& s) {
    const auto frame = s.frame();
    const ExpWeights weights(scores, s);
    const std::uint64_t total = weights.total();
    if (total == 0) detail::none_allowed();
    // Numbers below `unfair` would make some remainders more frequent; they are drawn again.
    const std::uint64_t unfair = (0 - total) % total;
    std::uint64_t random = random_bits(seed, stream, step);
    for (std::uint64_t again = 1; random < unfair; ++again) random = random_bits(seed + again, stream, step);
    random %= total;
    Index token = 0;
    for (; random >= weights[token]; ++token) random -= weights[token];
    return static_cast<Token>(token);
}

}  // namespace sampling

/// Follows `n_best` texts, which know nothing of each other.
/// source  transformers _sample: greedy search and multinomial sampling; order of processors as there
class TokenByToken : public TokenSearch {
  public:
    /// `index` is what hooks call the prompt, whose tokens are `seen`.
    TokenByToken(const SearchRules& rules, std::span<const Token> seen, Index index)
        : rules_(rules), index_(index), prompt_(seen.size()) {
        const auto count = static_cast<std::size_t>(rules.options.n_best);
        texts_.resize(count);
        running_.resize(count);
        branches_.reserve(count);
        for (std::size_t i = 0; i < count; ++i) {
            texts_[i].seen.reserve(seen.size() + static_cast<std::size_t>(rules.options.max_tokens));
            texts_[i].seen.assign(seen.begin(), seen.end());
            running_[i] = i;
        }
    }

    std::span<const Branch> advance(float* scores, Index vocabulary, Scratch& s) override {
        const bool first = branches_.empty();  // all go on from the same row
        branches_.clear();
        std::size_t kept = 0;
        for (std::size_t i = 0; i < running_.size(); ++i) {
            const Index row = first ? 0 : static_cast<Index>(i);
            Text& text = texts_[running_[i]];
            const auto frame = s.frame();
            float* now = scores + row * vocabulary;
            if (first && i + 1 < running_.size()) {
                now = s.take<float>(vocabulary);
                std::copy_n(scores, vocabulary, now);
            }
            const Token next = choose({now, static_cast<std::size_t>(vocabulary)}, text, running_[i], s);
            kernel::log_softmax(now, now, 1, vocabulary);
            text.sum += now[next];
            text.seen.push_back(next);
            text.finish = rules_.finish(text.seen, made(text));
            if (texts_.size() == 1 && rules_.hooks.on_token && !rules_.hooks.on_token(index_, next, text.finish) &&
                !text.finish)
                text.finish = Finish::cancelled;
            if (text.finish) continue;
            branches_.push_back({row, next});
            running_[kept++] = running_[i];
        }
        running_.resize(kept);
        return branches_;
    }

    std::vector<Generation> results() override {
        std::vector<Generation> out;
        for (const Text& text : texts_)
            out.push_back({{text.seen.begin() + static_cast<std::ptrdiff_t>(prompt_), text.seen.end()},
                           rules_.score(text.sum, made(text)),
                           text.finish.value()});
        std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.score > b.score; });
        return out;
    }

  private:
    struct Text {
        std::vector<Token> seen;
        float sum = 0;  // of logarithms of probabilities
        std::optional<Finish> finish;
    };
    Index made(const Text& text) const { return static_cast<Index>(text.seen.size() - prompt_); }

    Token choose(std::span<float> scores, const Text& text, std::size_t stream, Scratch& s) const {
        const GenerateOptions& o = rules_.options;
        logits::require_numbers(scores);
        rules_.process(scores, text.seen, made(text));
        if (!o.sample) {
            const Token best = logits::argmax(scores);
            if (scores[static_cast<std::size_t>(best)] == logits::forbidden) detail::none_allowed();
            return best;
        }
        logits::temperature(scores, o.temperature);
        logits::top_k(scores, o.top_k, s);
        logits::top_p(scores, o.top_p, s);
        logits::min_p(scores, o.min_p, s);
        return sampling::draw(scores, o.seed, stream, static_cast<std::uint64_t>(made(text)), s);
    }

    const SearchRules& rules_;
    Index index_;
    std::size_t prompt_;
    std::vector<Text> texts_;
    std::vector<std::size_t> running_;  // which texts the rows are
    std::vector<Branch> branches_;
};

}  // namespace tessera::inline TESSERA_ISA

// Choosing the tokens of one text: the rules that every search keeps, and what a search is.
#pragma once
#include <algorithm>
#include <cmath>
#include <optional>
#include <tessera/generate/generation.hpp>
#include <tessera/generate/logits_processors.hpp>
#include <tessera/generate/options.hpp>
#include <tessera/generate/stop_strings.hpp>

namespace tessera::inline TESSERA_ISA {

/// What a caller of `generate` may add.
struct GenerateHooks {
    const Tokenizer* tokenizer = nullptr;  // needed by stop_strings and bad_words
    /// Called for every new token of text `index`, the last one with why it is the last; false ends the text. Not
    /// called where several texts are followed after one prompt.
    std::function<bool(Index index, Token token, std::optional<Finish> last)> on_token = {};
    /// Called after each step of all texts.
    std::function<void()> on_step = {};
};

/// What holds for all texts of a call.
class SearchRules {
  public:
    /// `ends` are the tokens that end a text; `options` and `hooks` must outlive it.
    /// errors  Errc::option_value
    SearchRules(const GenerateOptions& its_options, std::span<const Token> ends, const GenerateHooks& its_hooks)
        : options(its_options), hooks(its_hooks), ends_(ends.begin(), ends.end()), bad_(options.bad_tokens) {
        require_valid(options);
        ends_.insert(ends_.end(), options.stop.begin(), options.stop.end());
        const Tokenizer* const tokenizer = hooks.tokenizer;
        if (tokenizer == nullptr && !(options.stop_strings.empty() && options.bad_words.empty()))
            throw Error(Errc::option_value,
                        "stop_strings and bad_words: expected a tokenizer that knows what they are, found none");
        for (const std::string& word : options.bad_words)
            for (const char* before : {"", " "})
                if (auto tokens = tokenizer->encode(before + word, Specials::omit); !tokens.empty())
                    bad_.push_back(std::move(tokens));
        std::erase_if(bad_, [&](const auto& tokens) { return tokens.size() == 1 && is_end(tokens[0]); });
    }

    bool is_end(Token id) const { return std::find(ends_.begin(), ends_.end(), id) != ends_.end(); }
    Index end_count() const { return static_cast<Index>(ends_.size()); }

    /// What changes the scores of the token that follows `seen`, of which `made` are new.
    void process(std::span<float> scores, std::span<const Token> seen, Index made) const {
        logits::repetition_penalty(scores, seen, options.repetition_penalty);
        logits::no_repeat_ngram(scores, seen, options.no_repeat_ngram);
        logits::no_bad_words(scores, seen, bad_);
        if (made < options.min_tokens) logits::suppress(scores, ends_);
    }
    /// Why a text ends with the last of `seen`, if it does.
    std::optional<Finish> finish(std::span<const Token> seen, Index made) const {
        if (is_end(seen.back())) return Finish::end;
        if (hooks.tokenizer != nullptr && completes_stop(*hooks.tokenizer, seen, options.stop_strings))
            return Finish::stop_string;
        if (made >= options.max_tokens) return Finish::length;
        return {};
    }
    /// The score of a text of `length` new tokens whose logarithms of probabilities add up to `sum`.
    float score(float sum, Index length) const {
        return sum /
               static_cast<float>(std::pow(static_cast<double>(length), static_cast<double>(options.length_penalty)));
    }

    const GenerateOptions& options;
    const GenerateHooks& hooks;

  private:
    std::vector<Token> ends_;
    std::vector<std::vector<Token>> bad_;
};

namespace detail {
[[noreturn]] inline void none_allowed() {
    throw Error(Errc::option_value, "bad_words, bad_tokens, min_tokens: expected a token that may follow, found none");
}
}  // namespace detail

/// The texts that are followed at once after one prompt: a row of scores for each.
class TokenSearch {
  public:
    /// A token that is read next, after what row `parent` of the last step has read.
    struct Branch {
        Index parent;
        Token token;
    };

    virtual ~TokenSearch() = default;
    /// Chooses what follows, which is read next; nothing when the search is over.
    /// shape   scores [rows, vocabulary], logits of the rows returned last (one at the beginning); they are changed
    /// errors  Errc::checkpoint_value for NaN; Errc::option_value when no token is allowed
    virtual std::span<const Branch> advance(float* scores, Index vocabulary, Scratch& s) = 0;
    /// What was found, the best first.
    virtual std::vector<Generation> results() = 0;
};

}  // namespace tessera::inline TESSERA_ISA

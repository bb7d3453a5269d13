// The most likely token, again and again.
#pragma once
#include <tessera/core/scratch.hpp>
#include <tessera/generate/logits.hpp>
#include <tessera/generate/options.hpp>

namespace tessera::inline TESSERA_ISA {

/// Generates greedily after `prompt`, whose ids are `seen` (placeholders included, for the rules about repetition).
/// Calls `on_token(id)` for each new token, the end included; it may return false to stop.
/// shape   prompt [T, embedding_width], T > 0 → ids of the new tokens
/// errors  Errc::option_value; Errc::sequence_length when prompt and max_tokens exceed the model's positions
/// cost    one pass over the prompt, then one over all weights per token
template <class Decoder>
std::vector<Token> greedy(const Decoder& decoder, std::type_identity_t<ConstRows<Decoder::embedding_width>> prompt,
                          std::vector<Token> seen, std::span<const Token> ends, const GenerateOptions& options,
                          Scratch& s, auto&& on_token) {
    require_valid(options);
    const Index length = prompt.extent(0);
    if (length == 0) throw Error(Errc::option_value, "prompt: expected at least one token, found none");
    if (length + options.max_tokens > Decoder::config.positions)
        throw Error(Errc::sequence_length, "prompt and max_tokens: expected at most ", Decoder::config.positions,
                    " positions, found ", length, " + ", options.max_tokens);
    std::vector<Token> made;
    if (options.max_tokens == 0) return made;
    auto cache = decoder.cache(length + options.max_tokens);

    auto last_scores = [&](ConstRows<Decoder::embedding_width> rows) {
        const auto states = decoder.append(rows, cache, s);
        return decoder.logits(states.slice(rows.extent(0) - 1, 1), s).span();
    };
    for (Index step = 0; step < options.max_tokens; ++step) {
        const auto frame = s.frame();
        const auto scores = step == 0 ? last_scores(prompt) : last_scores(decoder.embedding({&made.back(), 1}, s));
        s.name("step_logits", step,
               View<const float, dyn, Decoder::vocabulary>(scores.data(), {1, Decoder::vocabulary}));
        if (options.repetition_penalty != 1.0f) penalize_repetition(scores, seen, options.repetition_penalty);
        no_repeat_ngram(scores, seen, options.no_repeat_ngram);
        if (step < options.min_tokens) {
            suppress(scores, ends);
            suppress(scores, options.stop);
        }
        const Token next = argmax(scores);
        made.push_back(next);
        seen.push_back(next);
        const auto is_in = [&](std::span<const Token> ids) {
            return std::find(ids.begin(), ids.end(), next) != ids.end();
        };
        if (!on_token(next) || is_in(ends) || is_in(options.stop)) break;
    }
    return made;
}

}  // namespace tessera::inline TESSERA_ISA

// Rules that change scores before a token is chosen, as transformers' logits processors do.
#pragma once
#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>
#include <span>
#include <tessera/nn/embedding.hpp>

namespace tessera::inline TESSERA_ISA {

/// The score of a token that must not be chosen.
inline constexpr float forbidden = -std::numeric_limits<float>::infinity();

/// Makes tokens that occur in `seen` less likely, each once however often it occurs.
/// cost    |seen|²/2 comparisons at most; sequences here are short
/// source  Keskar 2019; transformers RepetitionPenaltyLogitsProcessor
inline void penalize_repetition(std::span<float> scores, std::span<const Token> seen, float penalty) {
    for (std::size_t i = 0; i < seen.size(); ++i) {
        const auto id = static_cast<std::size_t>(seen[i]);
        const auto earlier = seen.first(i);
        if (id >= scores.size() || std::find(earlier.begin(), earlier.end(), seen[i]) != earlier.end()) continue;
        scores[id] = scores[id] < 0 ? scores[id] * penalty : scores[id] / penalty;
    }
}

/// Takes these tokens out of the choice; ids beyond the vocabulary, such as placeholders, are passed over.
inline void suppress(std::span<float> scores, std::span<const Token> tokens) {
    for (const Token id : tokens)
        if (id >= 0 && static_cast<std::size_t>(id) < scores.size()) scores[static_cast<std::size_t>(id)] = forbidden;
}

/// Suppresses every token that would repeat a sequence of `length` tokens that is in `seen`.
inline void no_repeat_ngram(std::span<float> scores, std::span<const Token> seen, Index length) {
    const auto n = static_cast<std::size_t>(length);
    if (n == 0 || seen.size() + 1 < n) return;
    const auto recent = seen.last(n - 1);
    for (std::size_t i = 0; i + n <= seen.size(); ++i)
        if (std::equal(recent.begin(), recent.end(), seen.begin() + static_cast<std::ptrdiff_t>(i)))
            suppress(scores, seen.subspan(i + n - 1, 1));
}

/// The token of the largest score; the first of equals.
/// errors  Errc::checkpoint_value when a score is NaN: the weights or the picture's features overflowed
inline Token argmax(std::span<const float> scores) {
    std::size_t best = 0;
    for (std::size_t i = 0; i < scores.size(); ++i) {
        // By its bits, which -ffast-math does not take for those of some number.
        if ((std::bit_cast<std::uint32_t>(scores[i]) & 0x7fffffffu) > 0x7f800000u)
            throw Error(Errc::checkpoint_value, "logits: expected numbers, found NaN for token ", i);
        if (scores[i] > scores[best]) best = i;
    }
    return static_cast<Token>(best);
}

}  // namespace tessera::inline TESSERA_ISA

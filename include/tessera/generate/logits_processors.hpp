// Rules that change scores before a token is chosen, by the names and in the order of transformers' logits processors.
#pragma once
#include <algorithm>
#include <bit>
#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <tessera/core/scratch.hpp>
#include <tessera/core/token.hpp>
#include <tessera/generate/exp_weights.hpp>
#include <vector>

namespace tessera::inline TESSERA_ISA::logits {

/// The score of a token that must not be chosen.
inline constexpr float forbidden = -std::numeric_limits<float>::infinity();

/// Takes these tokens out of the choice; ids beyond the vocabulary, such as placeholders, are passed over.
inline void suppress(std::span<float> scores, std::span<const Token> tokens) {
    for (const Token id : tokens)
        if (id >= 0 && static_cast<std::size_t>(id) < scores.size()) scores[static_cast<std::size_t>(id)] = forbidden;
}

/// Makes tokens that occur in `seen` less likely, each once however often it occurs.
/// cost    |seen|²/2 comparisons at most; sequences here are short
/// source  Keskar 2019; transformers RepetitionPenaltyLogitsProcessor
inline void repetition_penalty(std::span<float> scores, std::span<const Token> seen, float penalty) {
    if (penalty == 1.0f) return;
    for (std::size_t i = 0; i < seen.size(); ++i) {
        const auto id = static_cast<std::size_t>(seen[i]);
        const auto earlier = seen.first(i);
        if (id >= scores.size() || std::find(earlier.begin(), earlier.end(), seen[i]) != earlier.end()) continue;
        scores[id] = scores[id] < 0 ? scores[id] * penalty : scores[id] / penalty;
    }
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

/// Suppresses every token that would complete one of `sequences`.
/// source  transformers NoBadWordsLogitsProcessor
inline void no_bad_words(std::span<float> scores, std::span<const Token> seen,
                         const std::vector<std::vector<Token>>& sequences) {
    for (const auto& sequence : sequences) {
        const std::size_t before = sequence.size() - 1;
        if (before <= seen.size() && std::equal(sequence.begin(), sequence.end() - 1, seen.last(before).begin()))
            suppress(scores, std::span(sequence).last(1));
    }
}

// The rest is for sampling: it leaves fewer tokens to draw from.

/// Above 1 it makes the less likely tokens more likely, below 1 less.
inline void temperature(std::span<float> scores, float value) {
    if (value == 1.0f) return;
    for (float& score : scores) score /= value;
}

/// Leaves the `count` largest scores, and what equals the least of them; all for 0.
/// source  Fan 2018
inline void top_k(std::span<float> scores, Index count, Scratch& s) {
    const auto size = static_cast<Index>(scores.size());
    if (count <= 0 || count >= size) return;
    const auto frame = s.frame();
    float* const sorted = s.take<float>(size);
    std::copy(scores.begin(), scores.end(), sorted);
    std::nth_element(sorted, sorted + count - 1, sorted + size, std::greater<>());
    for (float& score : scores)
        if (score < sorted[count - 1]) score = forbidden;
}

/// Leaves the fewest of the most likely tokens that are together as likely as `share`, the first of equals; all for 1.
/// source  Holtzman 2019 (nucleus sampling)
inline void top_p(std::span<float> scores, double share, Scratch& s) {
    if (share >= 1.0) return;
    const auto frame = s.frame();
    const auto size = static_cast<Index>(scores.size());
    const ExpWeights weights(scores, s);
    // A heap, of which only the tokens that stay are taken.
    auto* const heap = s.take<Index>(size);
    Index left = 0;
    for (Index i = 0; i < size; ++i)
        if (weights[i] > 0) heap[left++] = i;
    const auto less = [&](Index a, Index b) {
        const float x = scores[static_cast<std::size_t>(a)], y = scores[static_cast<std::size_t>(b)];
        return x < y || (x == y && a > b);
    };
    std::make_heap(heap, heap + left, less);
    auto rest = weights.total();  // of the most likely token that is in doubt, and of all that are less likely
    const auto in_tail = [&] {    // rounded as the reference rounds: ten of fifty equal ones are 0.2f, as is 1 − 0.8
        return static_cast<float>(static_cast<double>(rest) / static_cast<double>(weights.total())) <=
               static_cast<float>(1.0 - share);
    };
    float least = forbidden;
    for (bool first = true; left > 0 && (first || !in_tail()); first = false) {
        std::pop_heap(heap, heap + left, less);
        rest -= weights[heap[--left]];
        least = scores[static_cast<std::size_t>(heap[left])];
    }
    for (Index i = 0; i < left; ++i) scores[static_cast<std::size_t>(heap[i])] = forbidden;
    for (float& score : scores)
        if (score < least) score = forbidden;
}

/// Leaves the tokens that are at least `share` as likely as the most likely one.
/// source  Nguyen 2024
inline void min_p(std::span<float> scores, double share, Scratch& s) {
    if (share <= 0.0) return;
    const auto frame = s.frame();
    const ExpWeights weights(scores, s);
    const double least = share * static_cast<double>(ExpWeights::one);
    for (std::size_t i = 0; i < scores.size(); ++i)
        if (static_cast<double>(weights[static_cast<Index>(i)]) < least) scores[i] = forbidden;
}

/// By its bits, which -ffast-math does not take for those of some number.
inline bool is_nan(float x) { return (std::bit_cast<std::uint32_t>(x) & 0x7fffffffu) > 0x7f800000u; }

/// errors  Errc::checkpoint_value when a score is NaN: the weights or the picture's features overflowed
inline void require_numbers(std::span<const float> scores) {
    for (std::size_t i = 0; i < scores.size(); ++i)
        if (is_nan(scores[i])) throw Error(Errc::checkpoint_value, "logits: expected numbers, found NaN for token ", i);
}

/// The token of the largest score; the first of equals.
inline Token argmax(std::span<const float> scores) {
    std::size_t best = 0;
    for (std::size_t i = 1; i < scores.size(); ++i)
        if (scores[i] > scores[best]) best = i;
    return static_cast<Token>(best);
}

}  // namespace tessera::inline TESSERA_ISA::logits

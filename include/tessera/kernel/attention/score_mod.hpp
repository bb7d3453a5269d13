// Biases and modifiers of scores, on a strip of queries at once: by whole vectors where the change can be had so.
#pragma once
#include <numbers>
#include <tessera/kernel/attention/key_spans.hpp>
#include <tessera/kernel/simd/math.hpp>
#include <tessera/kernel/simd/transpose.hpp>
#include <tessera/mask/score_mod/score_mod.hpp>

namespace tessera::inline TESSERA_ISA::kernel {

/// Scores of neighbouring queries of one head, one in each lane, and the keys of some runs one after another; in powers
/// of two, that is times log₂e.
/// shape   scores [Σ count, lanes]
struct Scores {
    float* scores;
    Index lanes, head;
    Range queries;  // at most `lanes`
    const Run* runs;
    Index count;
};

/// Detail: calls f(score, site) for every score that is visible.
template <class F>
void for_each_visible(const Scores& s, const F& f) {
    float* scores = s.scores;
    for (const Run* run = s.runs; run != s.runs + s.count; ++run)
        for (Index i = 0; i < run->count; ++i, scores += s.lanes)
            for (Index lane = 0; lane < s.queries.size(); ++lane)
                if (run->seen == nullptr || (run->seen[i] >> lane & 1u) != 0)
                    f(scores[lane], Site{s.head, s.queries.begin + lane, run->key + i});
}

/// Detail: adds rows of a bias, turned.
template <RowBias B>
void add_rows(const Scores& s, const B& bias) {
    float* scores = s.scores;
    for (const Run* run = s.runs; run != s.runs + s.count; scores += run++->count * s.lanes)
        for (Index lane = 0; lane < s.queries.size(); lane += width)
            for (Index i = 0; i < run->count; i += width) {
                const Index high = std::min(width, s.queries.size() - lane), wide = std::min(width, run->count - i);
                Square block;
                for (Index r = 0; r < width; ++r)
                    block[static_cast<std::size_t>(r)] =
                        r < high ? load(bias.row(s.head, s.queries.begin + lane + r) + run->key + i, wide)
                                 : broadcast(0.0f);
                transpose(block);
                for (Index j = 0; j < wide; ++j) {
                    float* const to = scores + (i + j) * s.lanes + lane;
                    store(to,
                          fma(block[static_cast<std::size_t>(j)], broadcast(std::numbers::log2e_v<float>), load(to)));
                }
            }
}

/// Detail: adds columns of a bias.
template <ColumnBias B>
void add_columns(const Scores& s, const B& bias) {
    float* scores = s.scores;
    for (const Run* run = s.runs; run != s.runs + s.count; ++run)
        for (Index i = 0; i < run->count; ++i, scores += s.lanes) {
            const float* const column = bias.column(s.head, run->key + i) + s.queries.begin;
            for_each_vec(s.queries.size(), [&](Index lane, Index n) {
                const Vec more = load(column + lane, n) * broadcast(std::numbers::log2e_v<float>);
                store(scores + lane, load(scores + lane) + more);
            });
        }
}

/// Detail: limit · tanh(score / limit), everywhere.
inline void soften(const Scores& s, SoftCap cap) {
    const float limit = cap.limit * std::numbers::log2e_v<float>;
    Index size = 0;
    for (const Run* run = s.runs; run != s.runs + s.count; ++run) size += run->count * s.lanes;
    for (Index i = 0; i < size; i += width)
        store(s.scores + i, broadcast(limit) * tanh(load(s.scores + i) * broadcast(1.0f / limit)));
}

/// Detail: whether a change is one after another.
template <class C>
inline constexpr bool is_composed = false;
template <class A, class B>
inline constexpr bool is_composed<Composed<A, B>> = true;

/// Changes the visible scores as `change` says. What becomes of hidden ones is left open; a change that does not offer
/// whole rows or columns is not asked about them.
/// cost    nothing for NoBias; a load and an addition for each vector of a bias with columns, about twice that with
///         rows; some 25 instructions for each vector of SoftCap; a call for each score of others
template <ScoreMod C>
void change_scores(const Scores& s, const C& change) {
    constexpr float log2e = std::numbers::log2e_v<float>, ln2 = std::numbers::ln2_v<float>;
    if constexpr (std::same_as<C, NoBias>) {
    } else if constexpr (is_composed<C>) {
        change_scores(s, change.a);
        change_scores(s, change.b);
    } else if constexpr (std::same_as<C, SoftCap>) {
        soften(s, change);
    } else if constexpr (ColumnBias<C>) {
        add_columns(s, change);
    } else if constexpr (RowBias<C>) {
        add_rows(s, change);
    } else if constexpr (Bias<C>) {
        for_each_visible(s, [&](float& score, Site at) { score += static_cast<float>(change(at)) * log2e; });
    } else {
        for_each_visible(s, [&](float& score, Site at) { score = change(score * ln2, at) * log2e; });
    }
}

}  // namespace tessera::inline TESSERA_ISA::kernel

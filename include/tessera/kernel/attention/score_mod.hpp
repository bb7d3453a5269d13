// Biases and modifiers of scores, on a block of queries at once: by whole vectors where it offers them.
#pragma once
#include <numbers>
#include <tessera/kernel/attention/key_spans.hpp>
#include <tessera/kernel/simd/math.hpp>
#include <tessera/kernel/simd/transpose.hpp>
#include <tessera/mask/score_mod/score_mod_ref.hpp>

namespace tessera::inline TESSERA_ISA::kernel {

/// ScoreTile of neighbouring queries of one head, one in each lane, and the keys of some spans one after another; in powers
/// of two, that is times log₂e.
/// shape   scores [Σ count, lanes]
struct ScoreTile {
    float* scores;
    Index lanes, head;
    Range queries;  // at most `lanes`
    const KeySpan* spans;
    Index count;
};

/// Detail: modifies score by score; what `in` makes of a score is what the modifier sees. Derivatives go to `derivatives`, which
/// lie as the scores do, if it is not null.
inline void modify_each(const ScoreTile& s, float* derivatives, const ScoreModRef& score_mod, float in) {
    float* scores = s.scores;
    for (const KeySpan* span = s.spans; span != s.spans + s.count; ++span)
        for (Index i = 0; i < span->count; ++i, scores += s.lanes)
            score_mod.apply(scores, derivatives == nullptr ? nullptr : derivatives + (scores - s.scores),
                            {s.head, s.queries, {span->key + i, span->key + i + 1}},
                            span->seen == nullptr ? ~std::uint32_t{0} : span->seen[i], in,
                            std::numbers::log2e_v<float>);
}

/// Detail: adds rows of a bias, turned.
inline void add_rows(const ScoreTile& s, const ScoreModRef& bias) {
    float* scores = s.scores;
    for (const KeySpan* span = s.spans; span != s.spans + s.count; scores += span++->count * s.lanes)
        for (Index lane = 0; lane < s.queries.size(); lane += width)
            for (Index i = 0; i < span->count; i += width) {
                const Index high = std::min(width, s.queries.size() - lane), wide = std::min(width, span->count - i);
                Square block;
                for (Index r = 0; r < width; ++r)
                    block[static_cast<std::size_t>(r)] =
                        r < high ? load(bias.row(s.head, s.queries.begin + lane + r) + span->key + i, wide)
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
inline void add_columns(const ScoreTile& s, const ScoreModRef& bias) {
    float* scores = s.scores;
    for (const KeySpan* span = s.spans; span != s.spans + s.count; ++span)
        for (Index i = 0; i < span->count; ++i, scores += s.lanes) {
            const float* const column = bias.column(s.head, span->key + i) + s.queries.begin;
            for_each_vec(s.queries.size(), [&](Index lane, Index n) {
                const Vec more = load(column + lane, n) * broadcast(std::numbers::log2e_v<float>);
                store(scores + lane, load(scores + lane) + more);
            });
        }
}

/// Detail: limit · tanh(score / limit), everywhere.
inline void soft_cap(const ScoreTile& s, float cap) {
    const float limit = cap * std::numbers::log2e_v<float>;
    Index size = 0;
    for (const KeySpan* span = s.spans; span != s.spans + s.count; ++span) size += span->count * s.lanes;
    for (Index i = 0; i < size; i += width)
        store(s.scores + i, broadcast(limit) * tanh(load(s.scores + i) * broadcast(1.0f / limit)));
}

/// Modifies the visible scores. What becomes of hidden ones is left open; a modifier that does not offer whole rows or columns
/// is not asked about them.
/// cost    nothing for NoBias; a load and an addition for each vector of a bias with columns, about twice that with
///         rows; some 25 instructions for each vector of SoftCap; a call for each score of others
inline void modify_scores(const ScoreTile& s, const ScoreModRef& score_mod) {
    switch (score_mod.kind()) {
        case ScoreModRef::Kind::none:
            return;
        case ScoreModRef::Kind::composed:
            modify_scores(s, score_mod.first());
            return modify_scores(s, score_mod.second());
        case ScoreModRef::Kind::soft_cap:
            return soft_cap(s, score_mod.limit());
        case ScoreModRef::Kind::columns:
            return add_columns(s, score_mod);
        case ScoreModRef::Kind::rows:
            return add_rows(s, score_mod);
        case ScoreModRef::Kind::scores:
            return modify_each(s, nullptr, score_mod, std::numbers::ln2_v<float>);
    }
}

}  // namespace tessera::inline TESSERA_ISA::kernel

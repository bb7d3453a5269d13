// From scores to their gradients, a few keys of a block of queries at a time: the part of attention's backward pass
// between its matrix products. A query is a lane, so nothing is ever summed across lanes.
#pragma once
#include <limits>
#include <numbers>
#include <tessera/kernel/attention/key_spans.hpp>
#include <tessera/kernel/attention/kv_gradients.hpp>
#include <tessera/kernel/attention/score_mod.hpp>
#include <tessera/kernel/attention/score_mod_gradient.hpp>
#include <tessera/kernel/simd/math.hpp>

namespace tessera::inline TESSERA_ISA::kernel {

/// A block of queries of one head: as they are, and turned, a query in each lane. All in scratch memory.
struct GradientBlock {
    Range queries;            // at most block_queries
    float *query, *d_out;     // [block_queries, d]
    float* transposed_query;  // [d, block_queries], scaled
    float* transposed_d_out;  // [d, block_queries]
    float* lse;               // [block_queries], the log-sum-exp in powers of two; ∞ where nothing was visible
    float* delta;             // [block_queries], d_out · out
    bool finite;              // whether all numbers of q and d_out are

    /// Lanes that are computed: whole vectors.
    Index lanes() const { return (queries.size() + width - 1) / width * width; }
    static constexpr Index floats(Index dim) { return (4 * dim + 2) * block_queries; }
};

/// Detail: sums over d of the products of two rows, for as many rows as a vector has lanes.
inline Vec dot_rows(const float* a, Index a_stride, const float* b, Index b_stride, Index rows, Index dim) {
    Square sum;
    for (Index r = 0; r < width; ++r) {
        Vec total = broadcast(0.0f);
        if (r < rows)
            for_each_vec(dim, [&](Index c, Index n) {
                total = fma(load(a + r * a_stride + c, n), load(b + r * b_stride + c, n), total);
            });
        sum[static_cast<std::size_t>(r)] = total;
    }
    transpose(sum);
    for (std::size_t half = sum.size() / 2; half > 0; half /= 2)
        for (std::size_t i = 0; i < half; ++i) sum[i] += sum[i + half];
    return sum[0];
}

/// Fills a block: `block.queries` of one head, whose rows begin at q, d_out, out and whose log-sum-exps at lse.
inline void load_block(GradientBlock& block, const float* q, Index q_stride, const float* d_out, const float* out,
                       Index out_stride, const float* lse, Index dim, float scale) {
    const Index begin = block.queries.begin, count = block.queries.size(), lanes = block.lanes();
    q += begin * q_stride, d_out += begin * out_stride, out += begin * out_stride, lse += begin;
    const bool finite_q = pack_rows_check_finite(block.query, dim, q, q_stride, count, dim);
    block.finite = pack_rows_check_finite(block.d_out, dim, d_out, out_stride, count, dim) && finite_q;
    const auto turn = [&](float* to, const float* from, float factor) {
        transpose(to, block_queries, lanes, dim, [&](Index row, Index column, Index n) {
            return row < count ? load(from + row * dim + column, n) * broadcast(factor) : broadcast(0.0f);
        });
    };
    turn(block.transposed_query, block.query, scale);
    turn(block.transposed_d_out, block.d_out, 1.0f);
    const Vec never = broadcast(std::numeric_limits<float>::infinity());
    for (Index lane = 0; lane < lanes; lane += width) {
        const Index n = std::min(width, count - lane);
        const Vec sum = load(lse + lane, n) * broadcast(std::numbers::log2e_v<float>);
        const Mask blind = sum < broadcast(std::numeric_limits<float>::lowest());
        store(block.lse + lane, select(first(n), select(blind, never, sum), never));
        store(block.delta + lane, dot_rows(block.d_out + lane * dim, dim, out + lane * out_stride, out_stride, n, dim));
    }
}

/// Modifies scores. What only adds finds them in powers of two; other modifiers find them as they are, and `slopes` gets their
/// derivatives.
/// shape   scores, slopes [span.count, block_queries]
inline void modify_scores(float* scores, float* slopes, const GradientBlock& block, Index head, const KeySpan& span,
                          const ScoreModRef& score_mod) {
    const ScoreTile all{scores, block_queries, head, block.queries, &span, 1};
    if (score_mod.adds()) return modify_scores(all, score_mod);
    std::fill_n(slopes, span.count * block_queries, 0.0f);
    modify_each(all, slopes, score_mod, 1.0f);
}

/// p = 2^(scores − lse) and d_scores = factor · p · (d_p − delta), both in place; 0 where the span is hidden. ScoreTile and
/// d_p of hidden keys may be anything.
/// shape   p (scores), d_scores (d_p) [span.count, block_queries]
/// source  Dao 2022 (FlashAttention), algorithm 4
inline void score_gradients(float* p, float* d_scores, const GradientBlock& block, const KeySpan& span, float factor) {
    const Vec zero = broadcast(0.0f);
    const auto rows = [&](auto masked) {
        for (Index lane = 0; lane < block.lanes(); lane += width) {
            const Vec lse = load(block.lse + lane), delta = load(block.delta + lane);
            for (Index i = 0; i < span.count; ++i) {
                float* const weight = p + i * block_queries + lane;
                float* const gradient = d_scores + i * block_queries + lane;
                Vec x = exp2_flushed(load(weight) - lse);
                Vec g = x * (load(gradient) - delta) * broadcast(factor);
                if constexpr (masked) {
                    const Mask seen = mask_of(span.seen[i] >> lane);
                    x = select(seen, x, zero);
                    g = select(seen, g, zero);
                }
                store(weight, x);
                store(gradient, g);
            }
        }
    };
    if (span.seen == nullptr)
        rows(std::false_type{});
    else
        rows(std::true_type{});
}

/// d_scores *= factor · slopes, or just factor without slopes.
inline void scale_gradients(float* d_scores, const float* slopes, const GradientBlock& block, Index count,
                            float factor) {
    for (Index i = 0; i < count; ++i)
        for (Index lane = 0; lane < block.lanes(); lane += width) {
            const Index at = i * block_queries + lane;
            Vec g = load(d_scores + at) * broadcast(factor);
            if (slopes != nullptr) g *= load(slopes + at);
            store(d_scores + at, g);
        }
}

}  // namespace tessera::inline TESSERA_ISA::kernel

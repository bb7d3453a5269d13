// Attention of a block of queries over a few keys: the arithmetic of kernel/attend.
//
// A block is one or two vectors of queries of one head, a query in each lane. So the softmax is vertical (no accs
// across lanes), keys and values are read number by number, and only the queries are transposed. Where only a few queries are
// left, as the last of 257, each is a block by itself.
#pragma once
#include <cmath>
#include <limits>
#include <numbers>
#include <tessera/core/tensor.hpp>
#include <tessera/kernel/attention/dropout.hpp>
#include <tessera/kernel/attention/key_spans.hpp>
#include <tessera/kernel/attention/kv_block.hpp>
#include <tessera/kernel/attention/one_query.hpp>
#include <tessera/kernel/matmul/small_gemm.hpp>
#include <tessera/kernel/simd/math.hpp>
#include <tessera/kernel/simd/transpose.hpp>

namespace tessera::inline TESSERA_ISA::kernel {

/// Vectors in the widest block.
inline constexpr Index block_vectors = 2;
inline constexpr Index block_lanes = block_vectors * width;

/// What is kept of a block from one block of keys to the next; all in scratch memory, [·, lanes] row by row.
struct QueryBlock {
    Index head;
    Range queries;   // at most `lanes`
    Index vectors;   // 2, 1, or 0 for a single query
    float* query;    // [d, lanes], scaled to powers of two
    float* acc;      // [d, lanes], of values times 2^(score − row_max)
    float* row_max;  // [lanes], the largest score so far
    float* row_sum;  // [lanes], the sum of 2^(score − row_max)
    bool has_keys;   // whether `acc` has been written

    Index lanes() const { return vectors == 0 ? 1 : vectors * width; }
    static constexpr Index floats(Index dim) { return 2 * (dim + 1) * block_lanes; }
};

/// A block that has seen nothing yet.
inline void reset_block(QueryBlock& block) {
    std::fill_n(block.row_max, block.lanes(), -std::numeric_limits<float>::infinity());
    std::fill_n(block.row_sum, block.lanes(), 0.0f);
    block.has_keys = false;
}

/// Transposes a block's queries and multiplies them with `scale`: before its first scores, as it may have none.
/// shape   q: row 0 of the head's queries
template <class T>
void transpose_queries(const QueryBlock& block, const T* q, Index stride, Index dim, float scale) {
    const Index lanes = block.lanes(), rows = block.queries.size();
    const T* const from = q + block.queries.begin * stride;
    transpose(block.query, lanes, lanes, dim, [=](Index row, Index column, Index count) {
        if (row >= rows) return broadcast(0.0f);
        return load_floats(from + row * stride + column, count) * broadcast(scale);
    });
}

/// The scores of all keys of `spans`, one after another, before bias and mask.
/// shape   → scores [Σ count, lanes]
template <Index Vectors>
void block_scores(float* scores, const QueryBlock& block, const KeySpan* spans, Index count, const KvBlock& kv,
                  Index dim) {
    constexpr Index lanes = Vectors * width;
    constexpr Index part = 256;  // so much of the queries stays in the first-level cache
    for (Index c = 0; c < dim; c += part) {
        float* to = scores;
        for (const KeySpan* span = spans; span != spans + count; to += span++->count * lanes)
            small_gemm<Vectors>(to, lanes, {kv.keys(span->key) + c, kv.stride(), 1}, {block.query + c * lanes, lanes},
                                span->count, std::min(part, dim - c), c == 0 ? Accumulate::no : Accumulate::yes);
    }
}

/// Detail: adds the values of a span key by key, leaving the lanes alone that do not see the key. Zero times infinity is
/// not a number, so values that are not finite need this care.
template <Index Vectors>
void add_values_one_by_one(const QueryBlock& block, const KeySpan& span, const float* weights, const KvBlock& kv,
                           Index dim) {
    for (Index i = 0; i < span.count; ++i)
        for (Index part = 0; part < Vectors; ++part) {
            const Mask seen = mask_of(span.seen[i] >> part * width);
            const Vec weight = load(weights + (i * Vectors + part) * width);
            const float* const value = kv.values(span.key + i);
            for (Index c = 0; c < dim; ++c) {
                float* sum = block.acc + (c * Vectors + part) * width;
                store(sum, select(seen, fma(weight, broadcast(value[c]), load(sum)), load(sum)));
            }
        }
}

/// Takes the scored keys of `spans` into the block: hides what the mask hides, exponentiates in place, adds the values.
/// shape   scores [Σ count, lanes]
template <Index Vectors>
void online_softmax_update(QueryBlock& block, float* scores, const KeySpan* spans, Index count, const KvBlock& kv,
                           const AttentionShape& shape) {
    constexpr Index lanes = Vectors * width;
    const Index dim = shape.dim;
    const Vec nothing = broadcast(-std::numeric_limits<float>::infinity());
    Vec before[Vectors], row_max[Vectors], row_sum[Vectors];
    unroll<Vectors>([&](auto v) { row_max[v] = before[v] = load(block.row_max + v * width); });
    float* end = scores;
    for (const KeySpan* span = spans; span != spans + count; ++span) {
        const std::uint32_t* seen = span->seen;
        for (Index i = 0; i < span->count; ++i, end += lanes)
            unroll<Vectors>([&](auto v) {
                Vec score = load(end + v * width);
                if (seen != nullptr) {
                    score = select(mask_of<v * width>(seen[i]), score, nothing);
                    store(end + v * width, score);
                }
                row_max[v] = max(score, row_max[v]);  // NaN is passed over
            });
    }

    alignas(alignment) float factor[lanes];
    bool moved = false;
    unroll<Vectors>([&](auto v) {
        moved = moved || any(before[v] < row_max[v]);
        store(block.row_max + v * width, row_max[v]);
        row_max[v] =
            select(nothing < row_max[v], row_max[v], broadcast(0.0f));  // while nothing is visible: 2^(−∞ − 0) is 0
        row_sum[v] = broadcast(0.0f);
    });
    for (float* score = scores; score != end; score += lanes)
        unroll<Vectors>([&](auto v) {
            const Vec weight = exp2_flushed(load(score + v * width) - row_max[v]);
            row_sum[v] += weight;
            store(score + v * width, weight);
        });
    unroll<Vectors>([&](auto v) {
        const Vec rescale = exp2_flushed(before[v] - row_max[v]);
        store(block.row_sum + v * width, fma(load(block.row_sum + v * width), rescale, row_sum[v]));
        store(factor + v * width, rescale);
    });

    // The sum is that of all weights, so that probabilities are dropped as they are after the softmax.
    if (shape.dropout) drop_probabilities({scores, lanes, block.head, block.queries, spans, count}, shape);
    Accumulate accumulate = block.has_keys ? Accumulate::yes : Accumulate::no;
    const float* rescale = block.has_keys && moved ? factor : nullptr;
    for (const KeySpan* span = spans; span != spans + count; ++span) {
        const bool care = span->seen != nullptr && !kv.finite(*span);
        small_gemm<Vectors>(block.acc, lanes, {kv.values(span->key), 1, kv.stride()}, {scores, lanes}, dim,
                            care ? 0 : span->count, accumulate, rescale);
        if (care) add_values_one_by_one<Vectors>(block, *span, scores, kv, dim);
        scores += span->count * lanes;
        accumulate = Accumulate::yes;
        rescale = nullptr;
    }
    block.has_keys = true;
}

/// The same two steps for a block of a single query.
/// shape   scores [Σ count], and a vector behind them
inline void row_scores(float* scores, const QueryBlock& block, const KeySpan* spans, Index count, const KvBlock& kv,
                       Index dim) {
    for (const KeySpan* span = spans; span != spans + count; scores += span++->count)
        for (Index i = 0; i < span->count; i += width)
            dot_products(scores + i, block.query, kv.keys(span->key + i), kv.stride(), std::min(width, span->count - i),
                         dim);
}
inline void online_softmax_update(QueryBlock& block, float* scores, const KeySpan* spans, Index count,
                                  const KvBlock& kv, const AttentionShape& shape) {
    const Index dim = shape.dim;
    constexpr float nothing = -std::numeric_limits<float>::infinity();
    if (!block.has_keys) std::fill_n(block.acc, dim, 0.0f);
    block.has_keys = true;
    float* end = scores;
    for (const KeySpan* span = spans; span != spans + count; end += span++->count)
        if (span->seen != nullptr)
            for (Index i = 0; i < span->count; ++i)
                if ((span->seen[i] & 1u) == 0) end[i] = nothing;
    std::fill_n(end, width, nothing);
    online_softmax_update(scores, (end - scores + width - 1) / width * width, *block.row_max, *block.row_sum, block.acc,
                          dim);
    if (shape.dropout) drop_probabilities({scores, 1, block.head, block.queries, spans, count}, shape);
    for (const KeySpan* span = spans; span != spans + count; scores += span++->count)
        for (Index i = 0; i < span->count; i += width) {
            const Index keys = std::min(width, span->count - i);
            std::uint64_t seen = 0;
            for (Index key = 0; key < keys; ++key)
                seen |= std::uint64_t{span->seen == nullptr ? 1u : span->seen[i + key] & 1u} << key;
            add_values(block.acc, scores + i, kv.values(span->key + i), kv.stride(), seen, dim);
        }
}

/// Ends a block: divides by the row sums and transposes back; queries that saw nothing give zeros.
/// shape   out: row 0 of the head's rows; lse: query 0 of the head's, or null
inline void finish_block(const QueryBlock& block, float* out, Index stride, Index dim, float* lse) {
    const Index lanes = block.lanes();
    alignas(alignment) float inverse[block_lanes];
    for (Index lane = 0; lane < lanes; ++lane) {
        const float row_sum = block.row_sum[lane];
        inverse[lane] = row_sum == 0.0f ? 0.0f : 1.0f / row_sum;
        if (lse != nullptr && lane < block.queries.size())
            lse[block.queries.begin + lane] =
                row_sum == 0.0f ? -std::numeric_limits<float>::infinity()
                                : (block.row_max[lane] + std::log2(row_sum)) * std::numbers::ln2_v<float>;
    }
    out += block.queries.begin * stride;
    const bool has_keys = block.has_keys;
    const float* const sum = block.acc;
    transpose(out, stride, dim, block.queries.size(), [=, &inverse](Index row, Index column, Index count) {
        if (!has_keys) return broadcast(0.0f);
        return load(sum + row * lanes + column, count) * load(inverse + column, count);
    });
}

}  // namespace tessera::inline TESSERA_ISA::kernel

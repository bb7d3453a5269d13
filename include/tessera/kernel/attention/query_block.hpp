// Attention of a strip of queries over a few keys: the arithmetic of kernel/attend.
//
// A strip is one or two vectors of queries of one head, a query in each lane. So the softmax is vertical (no sums
// across lanes), keys and values are read number by number, and only the queries are turned. Where only a few queries are
// left, as the last of 257, each is a strip by itself.
#pragma once
#include <cmath>
#include <limits>
#include <numbers>
#include <tessera/core/tensor.hpp>
#include <tessera/kernel/attention/key_spans.hpp>
#include <tessera/kernel/attention/kv_block.hpp>
#include <tessera/kernel/attention/one_query.hpp>
#include <tessera/kernel/matmul/small_gemm.hpp>
#include <tessera/kernel/simd/math.hpp>
#include <tessera/kernel/simd/transpose.hpp>

namespace tessera::inline TESSERA_ISA::kernel {

/// Vectors in the widest strip.
inline constexpr Index strip_vectors = 2;
inline constexpr Index strip_lanes = strip_vectors * width;

/// What is kept of a strip from one window of keys to the next; all in scratch memory, [·, lanes] row by row.
struct Strip {
    Index head;
    Range queries;  // at most `lanes`
    Index vectors;  // 2, 1, or 0 for a single query
    float* query;   // [d, lanes], scaled to powers of two
    float* sum;     // [d, lanes], of values times 2^(score − top)
    float* top;     // [lanes], the largest score so far
    float* total;   // [lanes], the sum of 2^(score − top)
    bool started;   // whether `sum` has been written

    Index lanes() const { return vectors == 0 ? 1 : vectors * width; }
    static constexpr Index floats(Index dim) { return 2 * (dim + 1) * strip_lanes; }
};

/// A strip that has seen nothing yet.
inline void clear_strip(Strip& strip) {
    std::fill_n(strip.top, strip.lanes(), -std::numeric_limits<float>::infinity());
    std::fill_n(strip.total, strip.lanes(), 0.0f);
    strip.started = false;
}

/// Turns a strip's queries and multiplies them with `scale`: before its first scores, as it may have none.
/// shape   q: row 0 of the head's queries
template <class T>
void turn_queries(const Strip& strip, const T* q, Index stride, Index dim, float scale) {
    const Index lanes = strip.lanes(), rows = strip.queries.size();
    const T* const from = q + strip.queries.begin * stride;
    transpose(strip.query, lanes, lanes, dim, [=](Index row, Index column, Index count) {
        if (row >= rows) return broadcast(0.0f);
        return load_floats(from + row * stride + column, count) * broadcast(scale);
    });
}

/// The scores of all keys of `runs`, one after another, before bias and mask.
/// shape   → scores [Σ count, lanes]
template <Index Vectors>
void strip_scores(float* scores, const Strip& strip, const Run* runs, Index count, const KeyWindow& window, Index dim) {
    constexpr Index lanes = Vectors * width;
    constexpr Index part = 256;  // so much of the queries stays in the first-level cache
    for (Index c = 0; c < dim; c += part) {
        float* to = scores;
        for (const Run* run = runs; run != runs + count; to += run++->count * lanes)
            tile_product<Vectors>(to, lanes, {window.keys(run->key) + c, window.stride(), 1},
                                  {strip.query + c * lanes, lanes}, run->count, std::min(part, dim - c),
                                  c == 0 ? TileStart::zero : TileStart::sum);
    }
}

/// Detail: adds the values of a run key by key, leaving the lanes alone that do not see the key. Zero times infinity is
/// not a number, so values that are not finite need this care.
template <Index Vectors>
void add_values_with_care(const Strip& strip, const Run& run, const float* weights, const KeyWindow& window,
                          Index dim) {
    for (Index i = 0; i < run.count; ++i)
        for (Index part = 0; part < Vectors; ++part) {
            const Mask seen = mask_of(run.seen[i] >> part * width);
            const Vec weight = load(weights + (i * Vectors + part) * width);
            const float* const value = window.values(run.key + i);
            for (Index c = 0; c < dim; ++c) {
                float* sum = strip.sum + (c * Vectors + part) * width;
                store(sum, select(seen, fma(weight, broadcast(value[c]), load(sum)), load(sum)));
            }
        }
}

/// Takes the scored keys of `runs` into the strip: hides what the mask hides, exponentiates in place, adds the values.
/// shape   scores [Σ count, lanes]
template <Index Vectors>
void strip_absorb(Strip& strip, float* scores, const Run* runs, Index count, const KeyWindow& window, Index dim) {
    constexpr Index lanes = Vectors * width;
    const Vec nothing = broadcast(-std::numeric_limits<float>::infinity());
    Vec before[Vectors], top[Vectors], total[Vectors];
    unroll<Vectors>([&](auto v) { top[v] = before[v] = load(strip.top + v * width); });
    float* end = scores;
    for (const Run* run = runs; run != runs + count; ++run) {
        const std::uint32_t* seen = run->seen;
        for (Index i = 0; i < run->count; ++i, end += lanes)
            unroll<Vectors>([&](auto v) {
                Vec score = load(end + v * width);
                if (seen != nullptr) {
                    score = select(mask_of<v * width>(seen[i]), score, nothing);
                    store(end + v * width, score);
                }
                top[v] = max(score, top[v]);  // NaN is passed over
            });
    }

    alignas(alignment) float factor[lanes];
    bool moved = false;
    unroll<Vectors>([&](auto v) {
        moved = moved || any(before[v] < top[v]);
        store(strip.top + v * width, top[v]);
        top[v] = select(nothing < top[v], top[v], broadcast(0.0f));  // while nothing is visible: 2^(−∞ − 0) is 0
        total[v] = broadcast(0.0f);
    });
    for (float* score = scores; score != end; score += lanes)
        unroll<Vectors>([&](auto v) {
            const Vec weight = exp2_flushed(load(score + v * width) - top[v]);
            total[v] += weight;
            store(score + v * width, weight);
        });
    unroll<Vectors>([&](auto v) {
        const Vec shrink = exp2_flushed(before[v] - top[v]);
        store(strip.total + v * width, fma(load(strip.total + v * width), shrink, total[v]));
        store(factor + v * width, shrink);
    });

    TileStart start = strip.started ? TileStart::sum : TileStart::zero;
    const float* shrink = strip.started && moved ? factor : nullptr;
    for (const Run* run = runs; run != runs + count; ++run) {
        const bool care = run->seen != nullptr && !window.finite(*run);
        tile_product<Vectors>(strip.sum, lanes, {window.values(run->key), 1, window.stride()}, {scores, lanes}, dim,
                              care ? 0 : run->count, start, shrink);
        if (care) add_values_with_care<Vectors>(strip, *run, scores, window, dim);
        scores += run->count * lanes;
        start = TileStart::sum;
        shrink = nullptr;
    }
    strip.started = true;
}

/// The same two steps for a strip of a single query.
/// shape   scores [Σ count], and a vector behind them
inline void query_scores(float* scores, const Strip& strip, const Run* runs, Index count, const KeyWindow& window,
                         Index dim) {
    for (const Run* run = runs; run != runs + count; scores += run++->count)
        for (Index i = 0; i < run->count; i += width)
            dot_products(scores + i, strip.query, window.keys(run->key + i), window.stride(),
                         std::min(width, run->count - i), dim);
}
inline void query_absorb(Strip& strip, float* scores, const Run* runs, Index count, const KeyWindow& window,
                         Index dim) {
    constexpr float nothing = -std::numeric_limits<float>::infinity();
    if (!strip.started) std::fill_n(strip.sum, dim, 0.0f);
    strip.started = true;
    float* end = scores;
    for (const Run* run = runs; run != runs + count; end += run++->count)
        if (run->seen != nullptr)
            for (Index i = 0; i < run->count; ++i)
                if ((run->seen[i] & 1u) == 0) end[i] = nothing;
    std::fill_n(end, width, nothing);
    absorb_scores(scores, (end - scores + width - 1) / width * width, *strip.top, *strip.total, strip.sum, dim);
    for (const Run* run = runs; run != runs + count; scores += run++->count)
        for (Index i = 0; i < run->count; i += width) {
            const Index keys = std::min(width, run->count - i);
            std::uint64_t seen = 0;
            for (Index key = 0; key < keys; ++key)
                seen |= std::uint64_t{run->seen == nullptr ? 1u : run->seen[i + key] & 1u} << key;
            add_values(strip.sum, scores + i, window.values(run->key + i), window.stride(), seen, dim);
        }
}

/// Ends a strip: divides by the totals and turns back; queries that saw nothing give zeros.
/// shape   out: row 0 of the head's rows; lse: query 0 of the head's, or null
inline void end_strip(const Strip& strip, float* out, Index stride, Index dim, float* lse) {
    const Index lanes = strip.lanes();
    alignas(alignment) float inverse[strip_lanes];
    for (Index lane = 0; lane < lanes; ++lane) {
        const float total = strip.total[lane];
        inverse[lane] = total == 0.0f ? 0.0f : 1.0f / total;
        if (lse != nullptr && lane < strip.queries.size())
            lse[strip.queries.begin + lane] = total == 0.0f
                                                  ? -std::numeric_limits<float>::infinity()
                                                  : (strip.top[lane] + std::log2(total)) * std::numbers::ln2_v<float>;
    }
    out += strip.queries.begin * stride;
    const bool started = strip.started;
    const float* const sum = strip.sum;
    transpose(out, stride, dim, strip.queries.size(), [=, &inverse](Index row, Index column, Index count) {
        if (!started) return broadcast(0.0f);
        return load(sum + row * lanes + column, count) * load(inverse + column, count);
    });
}

}  // namespace tessera::inline TESSERA_ISA::kernel

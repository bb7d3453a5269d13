// Attention of a strip of queries over a few keys, without a mask in sight: the arithmetic of kernel/attend.
//
// A strip is one or two vectors of queries of one head, a query in each lane. So the softmax is vertical (no sums
// across lanes), keys and values are read where they lie, number by number, and only the queries are turned.
#pragma once
#include <cmath>
#include <limits>
#include <numbers>
#include <tessera/core/tensor.hpp>
#include <tessera/kernel/exponential.hpp>
#include <tessera/kernel/tile.hpp>
#include <tessera/kernel/transpose.hpp>
#include <tessera/kernel/visible_runs.hpp>
#include <type_traits>

namespace tessera::kernel::inline TESSERA_ISA {

/// Vectors in the widest strip.
inline constexpr Index strip_vectors = 2;
inline constexpr Index strip_lanes = strip_vectors * width;
/// Keys a strip takes at a time, so that their scores stay in the first-level cache.
inline constexpr Index window_keys = 128;

/// What is kept of a strip from one window of keys to the next; all in scratch memory, [·, lanes] row by row.
struct Strip {
    Range queries;  // at most `lanes`
    Index vectors;  // 1 or 2
    float* query;   // [d, lanes], scaled to powers of two
    float* sum;     // [d, lanes], of values times 2^(score − top)
    float* top;     // [lanes], the largest score so far
    float* total;   // [lanes], the sum of 2^(score − top)
    bool started;   // whether `sum` has been written

    Index lanes() const { return vectors * width; }
    static constexpr Index floats(Index dim) { return 2 * (dim + 1) * strip_lanes; }
};

/// Starts a strip: turns its queries and multiplies them with `scale`.
inline void begin_strip(Strip& strip, const float* q, Index stride, Index dim, float scale) {
    const Index lanes = strip.lanes();
    transpose(strip.query, lanes, lanes, dim, [&](Index row, Index column, Index count) {
        if (row >= strip.queries.size()) return broadcast(0.0f);
        return load(q + (strip.queries.begin + row) * stride + column, count) * broadcast(scale);
    });
    for (Index lane = 0; lane < lanes; lane += width) {
        store(strip.top + lane, broadcast(-std::numeric_limits<float>::infinity()));
        store(strip.total + lane, broadcast(0.0f));
    }
    strip.started = false;
}

/// The scores of all keys of `runs`, one after another, before bias and mask.
/// shape   → scores [Σ count, lanes]
template <Index Vectors>
void strip_scores(float* scores, const Strip& strip, const Run* runs, Index count, const float* k, Index stride,
                  Index dim) {
    constexpr Index lanes = Vectors * width;
    constexpr Index part = 256;  // so much of the queries stays in the first-level cache
    for (Index c = 0; c < dim; c += part) {
        float* to = scores;
        for (const Run* run = runs; run != runs + count; to += run++->count * lanes)
            tile_product<Vectors>(to, lanes, {k + run->key * stride + c, stride, 1}, {strip.query + c * lanes, lanes},
                                  run->count, std::min(part, dim - c), c == 0 ? TileStart::zero : TileStart::sum);
    }
}

/// Detail: whether no value of these keys is infinite or NaN.
inline bool all_finite(const float* v, Index stride, Index keys, Index dim) {
    Vec zero = broadcast(0.0f);
    for (Index key = 0; key < keys; ++key)
        for_each_vec(dim, [&](Index i, Index n) { zero = fma(load(v + key * stride + i, n), broadcast(0.0f), zero); });
    return reduce_add(zero) == 0.0f;
}

/// Detail: adds the values of a run key by key, leaving the lanes alone that do not see the key. Zero times infinity is
/// not a number, so values that are not finite need this care.
template <Index Vectors>
void add_values_with_care(const Strip& strip, const Run& run, const float* weights, const float* v, Index stride,
                          Index dim) {
    for (Index i = 0; i < run.count; ++i)
        for (Index part = 0; part < Vectors; ++part) {
            const Mask seen = mask_of(run.seen[i] >> part * width);
            const Vec weight = load(weights + (i * Vectors + part) * width);
            for (Index c = 0; c < dim; ++c) {
                float* sum = strip.sum + (c * Vectors + part) * width;
                store(sum, select(seen, fma(weight, broadcast(v[(run.key + i) * stride + c]), load(sum)), load(sum)));
            }
        }
}

/// Takes the scored keys of `runs` into the strip: hides what the mask hides, exponentiates in place, adds the values.
/// shape   scores [Σ count, lanes]
template <Index Vectors>
void strip_absorb(Strip& strip, float* scores, const Run* runs, Index count, const float* v, Index stride, Index dim) {
    constexpr Index lanes = Vectors * width;
    const Vec nothing = broadcast(-std::numeric_limits<float>::infinity());
    Index rows = 0;
    for (const Run* run = runs; run != runs + count; rows += run++->count) {
        if (run->seen == nullptr) continue;
        for (Index i = 0; i < run->count; ++i)
            for (Index part = 0; part < Vectors; ++part) {
                const Mask seen = mask_of(run->seen[i] >> part * width);
                float* score = scores + ((rows + i) * Vectors + part) * width;
                store(score, select(seen, load(score), nothing));
            }
    }

    alignas(alignment) float factor[lanes];
    bool moved = false;
    for (Index part = 0; part < Vectors; ++part) {
        float* const column = scores + part * width;
        const Vec before = load(strip.top + part * width);
        Vec top = before;
        for (Index i = 0; i < rows; ++i) top = max(load(column + i * lanes), top);  // NaN is passed over
        moved = moved || any(before < top);
        store(strip.top + part * width, top);
        top = select(nothing < top, top, broadcast(0.0f));  // as long as nothing is visible: 2^(−∞ − 0) is 0
        const Vec shrink = exp2(before - top);
        Vec total = broadcast(0.0f);
        for (Index i = 0; i < rows; ++i) {
            const Vec weight = exp2(load(column + i * lanes) - top);
            total += weight;
            store(column + i * lanes, weight);
        }
        store(strip.total + part * width, fma(load(strip.total + part * width), shrink, total));
        store(factor + part * width, shrink);
    }

    TileStart start = strip.started ? TileStart::sum : TileStart::zero;
    const float* shrink = strip.started && moved ? factor : nullptr;
    for (const Run* run = runs; run != runs + count; ++run) {
        const TileRight weights{scores, lanes};
        const TileLeft values{v + run->key * stride, 1, stride};
        const bool care = run->seen != nullptr && !all_finite(values.data, stride, run->count, dim);
        tile_product<Vectors>(strip.sum, lanes, values, weights, dim, care ? 0 : run->count, start, shrink);
        if (care) add_values_with_care<Vectors>(strip, *run, scores, v, stride, dim);
        scores += run->count * lanes;
        start = TileStart::sum;
        shrink = nullptr;
    }
    strip.started = true;
}

/// Ends a strip: divides by the totals and turns back; queries that saw nothing give zeros.
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
    transpose(out, stride, dim, strip.queries.size(), [&](Index row, Index column, Index count) {
        if (!strip.started) return broadcast(0.0f);
        return load(strip.sum + row * lanes + column, count) * load(inverse + column, count);
    });
}

}  // namespace tessera::kernel::inline TESSERA_ISA

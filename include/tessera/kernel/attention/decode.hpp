// Attention of a few queries to many keys, as when a decoder takes one token at a time: there are not enough queries for
// a vector of them, so the lanes are parts of a head. What counts is to read the keys and values of all heads once, row
// by row as they lie in memory.
#pragma once
#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <tessera/core/scratch.hpp>
#include <tessera/kernel/attention/one_query.hpp>
#include <tessera/kernel/attention/shape.hpp>
#include <tessera/kernel/parallel.hpp>
#include <tessera/mask/mask_ref.hpp>
#include <tessera/mask/score_mod/score_mod_ref.hpp>

namespace tessera::inline TESSERA_ISA::kernel {

/// Keys that are scored before their values are added.
inline constexpr Index decode_keys = 64;

/// Detail: what some of the keys have given for a row, which is a query of a head; all in memory of their own.
struct Partial {
    float *row_max, *row_sum;  // [rows]: the largest score, the sum of 2^(score − row_max)
    float* acc;                // [rows, d], of values times 2^(score − row_max)
};

/// Detail: modifies the visible scores of one query and neighbouring keys, in powers of two.
inline void modify_scores(float* scores, const ScoreModRef& score_mod, Index head, Index query, Range keys,
                          std::uint64_t seen) {
    constexpr float log2e = std::numbers::log2e_v<float>, ln2 = std::numbers::ln2_v<float>;
    if (score_mod.kind() == ScoreModRef::Kind::none) return;
    if (const float* const bias = score_mod.row(head, query))
        return for_each_vec(keys.size(), [&](Index i, Index n) {
            store(scores + i, fma(load(bias + keys.begin + i, n), broadcast(log2e), load(scores + i, n)), n);
        });
    for (Index i = 0; i < keys.size(); ++i)
        score_mod.apply(scores + i, nullptr, {head, {query, query + 1}, {keys.begin + i, keys.begin + i + 1}},
                        static_cast<std::uint32_t>(seen >> i & 1u), ln2, log2e);
}

/// `attend` for few queries; each part of the keys is taken by one thread for all heads, and the parts are put together in
/// their order, so that the bits do not depend on the number of threads.
/// cost    reads what it sees of k and v once; about 64·H·T·d floats of scratch
template <class Q, class K>
void decode(float* out, const Q* q, const K* k, const K* v, const AttentionShape& shape, const MaskRef& mask,
            Scratch& scratch, const ScoreModRef& score_mod, float* lse) {
    constexpr float log2e = std::numbers::log2e_v<float>, ln2 = std::numbers::ln2_v<float>;
    const Vec nothing = broadcast(-std::numeric_limits<float>::infinity());
    const Index dim = shape.dim, queries = shape.queries, rows = shape.heads * queries;
    const Index sharing = shape.heads / shape.groups(), own = sharing * queries;  // rows with the same keys and values
    const auto frame = scratch.frame();

    const Range keys = masks::key_bounds(mask, {0, queries}, shape.keys);
    constexpr Index most_parts = 64, least_keys = 32;
    const Index each =
        std::max<Index>(1, (keys.size() + most_parts * least_keys - 1) / (most_parts * least_keys)) * least_keys;
    const Index parts = (keys.size() + each - 1) / each;
    float* const row_maxes = scratch.take<float>(parts * rows);
    float* const row_sums = scratch.take<float>(parts * rows);
    float* const accs = scratch.take<float>(parts * rows * dim);
    float* const scaled = scratch.take<float>(rows * dim);
    float* const memory = scratch.take<float>(threads() * rows * decode_keys);
    std::uint64_t* const bits = scratch.take<std::uint64_t>(threads() * rows);

    for (Index row = 0; row < rows; ++row) {
        const Q* const from = q + row % queries * shape.q_stride + row / queries * dim;
        for_each_vec(dim, [&](Index c, Index n) {
            store(scaled + row * dim + c, load_floats(from + c, n) * broadcast(shape.scale * log2e), n);
        });
    }

    parallel_for_workers(
        parts,
        [&](Index index, Index worker) {
            const Partial part{row_maxes + index * rows, row_sums + index * rows, accs + index * rows * dim};
            std::fill_n(part.row_max, rows, -std::numeric_limits<float>::infinity());
            std::fill_n(part.row_sum, rows, 0.0f);
            std::fill_n(part.acc, rows * dim, 0.0f);
            float* const scores = memory + worker * rows * decode_keys;
            std::uint64_t* const seen = bits + worker * rows;
            const Index last = std::min(keys.begin + (index + 1) * each, keys.end);
            for (Range now{keys.begin + index * each, 0}; now.begin < last; now.begin = now.end) {
                now.end = std::min(now.begin + decode_keys, last);
                std::uint64_t any = 0;
                for (Index head = 0; head < shape.heads; ++head) {
                    std::uint64_t* const own_bits = seen + head * queries;
                    const Cover known = mask.cover({head, {0, queries}, now});
                    if (known == Cover::partial)
                        mask.bits(head, {0, queries}, now, own_bits);
                    else
                        std::fill_n(own_bits, queries, known == Cover::full ? masks::ones(now, now.begin) : 0);
                    for (Index query = 0; query < queries; ++query) any |= own_bits[query];
                }
                if (any == 0) continue;
                for (Index i = 0; i < now.size(); i += width)
                    for (Index group = 0; group < shape.groups(); ++group)
                        for (Index row = group * own; row < (group + 1) * own; ++row)
                            dot_products(scores + row * decode_keys + i, scaled + row * dim,
                                         k + (now.begin + i) * shape.k_stride + group * dim, shape.k_stride,
                                         std::min(width, now.size() - i), dim);
                for (Index row = 0; row < rows; ++row) {
                    float* const own_scores = scores + row * decode_keys;
                    modify_scores(own_scores, score_mod, row / queries, row % queries, now, seen[row]);
                    for (Index i = 0; i < decode_keys; i += width) {
                        const Vec score = load(own_scores + i);
                        store(own_scores + i,
                              select(mask_of(static_cast<std::uint32_t>(seen[row] >> i)), score, nothing));
                    }
                    online_softmax_update(own_scores, decode_keys, part.row_max[row], part.row_sum[row],
                                          part.acc + row * dim, dim);
                }
                for (Index i = 0; i < now.size(); i += width)
                    for (Index group = 0; group < shape.groups(); ++group)
                        for (Index row = group * own; row < (group + 1) * own; ++row)
                            add_values(part.acc + row * dim, scores + row * decode_keys + i,
                                       v + (now.begin + i) * shape.v_stride + group * dim, shape.v_stride,
                                       seen[row] >> i, dim);
            }
        },
        4 * rows * keys.size() * dim);

    for (Index row = 0; row < rows; ++row) {
        float row_max = -std::numeric_limits<float>::infinity(), row_sum = 0;
        for (Index part = 0; part < parts; ++part) row_max = std::max(row_max, row_maxes[part * rows + row]);
        const float shift = row_max == -std::numeric_limits<float>::infinity() ? 0.0f : row_max;
        float* const to = out + row % queries * shape.out_stride + row / queries * dim;
        std::fill_n(to, dim, 0.0f);
        for (Index part = 0; part < parts; ++part) {
            const float share = std::exp2(row_maxes[part * rows + row] - shift);
            const float* const sum = accs + (part * rows + row) * dim;
            row_sum += share * row_sums[part * rows + row];
            for_each_vec(dim, [&](Index c, Index n) {
                store(to + c, fma(broadcast(share), load(sum + c, n), load(to + c, n)), n);
            });
        }
        const Vec inverse = broadcast(row_sum == 0.0f ? 0.0f : 1.0f / row_sum);
        for_each_vec(dim, [&](Index c, Index n) { store(to + c, load(to + c, n) * inverse, n); });
        if (lse != nullptr)
            lse[row] = row_sum == 0.0f ? -std::numeric_limits<float>::infinity() : (row_max + std::log2(row_sum)) * ln2;
    }
}

}  // namespace tessera::inline TESSERA_ISA::kernel

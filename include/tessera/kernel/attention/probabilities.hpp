// What one head of an attention looks at, for pictures and studies: computed anew, because attention itself keeps none.
#pragma once
#include <tessera/core/scratch.hpp>
#include <tessera/core/tensor.hpp>
#include <tessera/kernel/attention/query_block.hpp>
#include <tessera/kernel/attention/score_mod.hpp>
#include <tessera/kernel/attention/shape.hpp>
#include <tessera/kernel/parallel.hpp>

namespace tessera::inline TESSERA_ISA::kernel {

/// The probabilities with which each query of `head` looks at each key, from the log-sum-exp that `attend` has given.
/// shape   q [T, H·d], k [S, K·d] as for `attend`; lse [H, T] → p [T, S]
/// units   exactly 0 where the mask hides, and below 2^−126.5
/// errors  std::bad_alloc
/// cost    2·T·S·d flops on the visible tiles, and T·S floats written
template <class T>
void attention_probabilities(float* p, const T* q, const T* k, Index head, const float* lse,
                             const AttentionShape& shape, const MaskRef& mask, Scratch& scratch,
                             const ScoreModRef& score_mod = {}) {
    if (shape.keys == 0) return;  // k may be null
    constexpr float log2e = std::numbers::log2e_v<float>;
    const Index dim = shape.dim, keys = shape.keys, blocks = (shape.queries + block_lanes - 1) / block_lanes;
    const T* const k_head = k + shape.key_head(head) * dim;
    const auto frame = scratch.frame();
    const Index floats = QueryBlock::floats(dim) + kv_block_keys * block_lanes + KvBlock::floats(dim);
    float* const memory = scratch.take<float>(threads() * floats);
    std::uint32_t* const bits = scratch.take<std::uint32_t>(threads() * kv_block_keys);

    parallel_for_workers(
        blocks,
        [&](Index index, Index worker) {
            float* const scores = memory + worker * floats;
            float* const query = scores + kv_block_keys * block_lanes;
            KvBlock kv(query + QueryBlock::floats(dim), dim, k_head, shape.k_stride, k_head, shape.k_stride);
            QueryBlock block{};
            block.head = head;
            block.queries = {index * block_lanes, std::min((index + 1) * block_lanes, shape.queries)};
            block.vectors = block_vectors;
            block.query = query;
            transpose_queries(block, q + head * dim, shape.q_stride, dim, shape.scale * log2e);

            alignas(alignment) float base[block_lanes] = {};
            for (Index lane = 0; lane < block.queries.size(); ++lane) {
                base[lane] = lse[head * shape.queries + block.queries.begin + lane] * log2e;
                std::fill_n(p + (block.queries.begin + lane) * keys, keys, 0.0f);
            }
            for (Range now{0, 0}; now.begin < keys; now.begin = now.end) {
                now.end = std::min(now.begin + kv_block_size(dim), keys);
                KeySpan spans[kv_block_keys / tile_keys];
                const Index found =
                    live_key_spans(spans, bits + worker * kv_block_keys, mask, head, block.queries, now);
                kv.move_to(now.begin);
                kv.need<T>(spans, found, now.end);
                block_scores<block_vectors>(scores, block, spans, found, kv, dim);
                modify_scores({scores, block_lanes, head, block.queries, spans, found}, score_mod);
                const float* score = scores;
                for (const KeySpan* span = spans; span != spans + found; score += span++->count * block_lanes)
                    for (Index lane = 0; lane < block.queries.size(); lane += width)
                        for (Index i = 0; i < span->count; i += width) {
                            const Index wide = std::min(width, span->count - i);
                            Square weights;
                            for (Index j = 0; j < width; ++j) {
                                Vec& weight = weights[static_cast<std::size_t>(j)];
                                weight = broadcast(0.0f);
                                if (j >= wide) continue;
                                weight = exp2_flushed(load(score + (i + j) * block_lanes + lane) - load(base + lane));
                                if (span->seen != nullptr)
                                    weight = select(mask_of(span->seen[i + j] >> lane), weight, broadcast(0.0f));
                            }
                            transpose(weights);
                            for (Index r = 0; r < std::min(width, block.queries.size() - lane); ++r)
                                store(p + (block.queries.begin + lane + r) * keys + span->key + i,
                                      weights[static_cast<std::size_t>(r)], wide);
                        }
            }
        },
        2 * shape.queries * keys * dim);
}

}  // namespace tessera::inline TESSERA_ISA::kernel

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
    const Index dim = shape.dim, keys = shape.keys, strips = (shape.queries + strip_lanes - 1) / strip_lanes;
    const T* const k_head = k + shape.key_head(head) * dim;
    const auto frame = scratch.frame();
    const Index floats = Strip::floats(dim) + window_keys * strip_lanes + KeyWindow::floats(dim);
    float* const memory = scratch.take<float>(threads() * floats);
    std::uint32_t* const bits = scratch.take<std::uint32_t>(threads() * window_keys);

    parallel_for_workers(strips, [&](Index index, Index worker) {
        float* const scores = memory + worker * floats;
        float* const query = scores + window_keys * strip_lanes;
        KeyWindow window(query + Strip::floats(dim), dim, k_head, shape.k_stride, k_head, shape.k_stride);
        Strip strip{};
        strip.head = head;
        strip.queries = {index * strip_lanes, std::min((index + 1) * strip_lanes, shape.queries)};
        strip.vectors = strip_vectors;
        strip.query = query;
        turn_queries(strip, q + head * dim, shape.q_stride, dim, shape.scale * log2e);

        alignas(alignment) float base[strip_lanes] = {};
        for (Index lane = 0; lane < strip.queries.size(); ++lane) {
            base[lane] = lse[head * shape.queries + strip.queries.begin + lane] * log2e;
            std::fill_n(p + (strip.queries.begin + lane) * keys, keys, 0.0f);
        }
        for (Range now{0, 0}; now.begin < keys; now.begin = now.end) {
            now.end = std::min(now.begin + window_size(dim), keys);
            Run runs[window_keys / tile_keys];
            const Index found = visible_runs(runs, bits + worker * window_keys, mask, head, strip.queries, now);
            window.move_to(now.begin);
            window.need<T>(runs, found, now.end);
            strip_scores<strip_vectors>(scores, strip, runs, found, window, dim);
            change_scores({scores, strip_lanes, head, strip.queries, runs, found}, score_mod);
            const float* score = scores;
            for (const Run* run = runs; run != runs + found; score += run++->count * strip_lanes)
                for (Index lane = 0; lane < strip.queries.size(); lane += width)
                    for (Index i = 0; i < run->count; i += width) {
                        const Index wide = std::min(width, run->count - i);
                        Square block;
                        for (Index j = 0; j < width; ++j) {
                            Vec& weight = block[static_cast<std::size_t>(j)];
                            weight = broadcast(0.0f);
                            if (j >= wide) continue;
                            weight = exp2_flushed(load(score + (i + j) * strip_lanes + lane) - load(base + lane));
                            if (run->seen != nullptr)
                                weight = select(mask_of(run->seen[i + j] >> lane), weight, broadcast(0.0f));
                        }
                        transpose(block);
                        for (Index r = 0; r < std::min(width, strip.queries.size() - lane); ++r)
                            store(p + (strip.queries.begin + lane + r) * keys + run->key + i,
                                  block[static_cast<std::size_t>(r)], wide);
                    }
        }
    });
}

}  // namespace tessera::inline TESSERA_ISA::kernel

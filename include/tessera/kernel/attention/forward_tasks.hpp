// How attention is cut into tasks, and what a task does.
#pragma once
#include <algorithm>
#include <tessera/kernel/attention/decode.hpp>
#include <tessera/kernel/attention/forward.hpp>
#include <tessera/kernel/attention/query_block.hpp>
#include <tessera/kernel/attention/score_mod.hpp>
#include <tessera/kernel/parallel.hpp>
#include <tuple>
#include <utility>

namespace tessera::inline TESSERA_ISA::kernel {

/// Detail: what one thread does at a time: blocks of neighbouring queries, of heads that share keys and values. They
/// take the keys block by block, so that a block of keys is copied once for all of them.
struct AttendTask {
    Index head, heads;
    Range queries;
    Index keys;      // how many the queries may see, more or less: what the task costs
    Index sequence;  // where the queries begin that may see the same keys
};

/// Detail: the most blocks in a task: so many that it pays to copy a block of keys for them, and few enough that what is kept
/// of them stays in the second-level cache beside it.
inline constexpr Index task_blocks = 24;
constexpr Index most_blocks(const AttentionShape& shape) {
    constexpr Index cache = 56'000;  // floats
    const Index fit = std::clamp<Index>(cache / QueryBlock::floats(shape.dim), 4, task_blocks);
    const Index all = (shape.queries + block_lanes - 1) / block_lanes * shape.heads;
    return std::clamp<Index>(all / 16, 4,
                             fit);  // with so few tasks that some thread waits long for another, smaller ones
}

/// Detail: how many blocks so many queries are.
constexpr Index blocks_of(Index queries) {
    const Index left = queries % block_lanes;
    return queries / block_lanes + (left <= decode_max_queries ? left : 1);
}

/// Detail: calls f(task) for each task, in any order of cost.
template <class F>
void for_each_task(const AttentionShape& shape, const MaskRef& mask, const F& f) {
    const Index most = most_blocks(shape);
    for (Range rest{0, shape.queries}; !rest.empty();) {
        const Range whole = masks::same_sequence(mask, rest);
        const Index blocks = (whole.size() + block_lanes - 1) / block_lanes, parts = (blocks + most - 1) / most;
        for (Index part = 0; part < parts; ++part) {
            const Range queries{whole.begin + blocks * part / parts * block_lanes,
                                std::min(whole.begin + blocks * (part + 1) / parts * block_lanes, whole.end)};
            const Index keys = masks::key_bounds(mask, queries, shape.keys).size();
            const Index sharing = shape.heads / shape.groups();
            for (Index head = 0; head < shape.heads;) {
                const Index heads = std::clamp<Index>(most / blocks_of(queries.size()), 1, sharing - head % sharing);
                f(AttendTask{head, heads, queries, keys, whole.begin});
                head += heads;
            }
        }
        rest.begin = whole.end;
    }
}

/// Detail: does one task. `floats` is memory for attend_floats(dim) numbers, `seen` for kv_block_keys.
template <class Q, class K>
void attend_task(const AttendTask& task, float* out, const Q* q, const K* k, const K* v, const AttentionShape& shape,
                 const MaskRef& mask, const ScoreModRef& score_mod, float* lse, float* floats, std::uint32_t* seen) {
    const Index dim = shape.dim;
    const auto take = [&floats](Index size) { return std::exchange(floats, floats + size); };
    float* const scores = take(kv_block_keys * block_lanes);
    const Index key_head = shape.keys == 0 ? 0 : shape.key_head(task.head) * dim;  // none may be null
    KvBlock kv(take(KvBlock::floats(dim)), dim, k + key_head, shape.k_stride, v + key_head, shape.v_stride);

    const Range keys = masks::key_bounds(mask, task.queries, shape.keys);
    // Blocks of keys of about the same size.
    const Index kv_blocks = (keys.size() + kv_block_size(dim) - 1) / kv_block_size(dim);
    const Index size = kv_blocks == 0 ? 0 : ((keys.size() + kv_blocks - 1) / kv_blocks + 11) / 12 * 12;

    std::array<QueryBlock, static_cast<std::size_t>(task_blocks + decode_max_queries)> blocks;
    std::size_t count = 0;
    for (Index head = task.head; head < task.head + task.heads; ++head)
        for (Range rest = task.queries; !rest.empty();) {
            QueryBlock& s = blocks[count++];
            s.head = head;
            const bool single = rest.size() <= decode_max_queries;
            s.queries = {rest.begin, single ? rest.begin + 1 : std::min(rest.begin + block_lanes, rest.end)};
            s.vectors = single ? 0 : s.queries.size() > width ? 2 : 1;
            s.query = take(dim * block_lanes);
            s.acc = take(dim * block_lanes);
            s.row_max = take(block_lanes);
            s.row_sum = take(block_lanes);
            reset_block(s);
            rest.begin = s.queries.end;
        }

    const auto update = [&](QueryBlock& s, Range now) {
        KeySpan spans[kv_block_keys / tile_keys];
        const Index found = live_key_spans(spans, seen, mask, s.head, s.queries, now);
        if (found == 0) return;
        kv.template need<K>(spans, found, now.end);
        if (!s.has_keys)
            transpose_queries(s, q + s.head * dim, shape.q_stride, dim, shape.scale * std::numbers::log2e_v<float>);
        const ScoreTile changing{scores, s.lanes(), s.head, s.queries, spans, found};
        const auto work = [&]<Index Vectors>(std::integral_constant<Index, Vectors>) {
            block_scores<Vectors>(scores, s, spans, found, kv, dim);
            modify_scores(changing, score_mod);
            online_softmax_update<Vectors>(s, scores, spans, found, kv, shape);
        };
        if (s.vectors == 2) {
            work(std::integral_constant<Index, 2>{});
        } else if (s.vectors == 1) {
            work(std::integral_constant<Index, 1>{});
        } else {
            row_scores(scores, s, spans, found, kv, dim);
            modify_scores(changing, score_mod);
            online_softmax_update(s, scores, spans, found, kv, shape);
        }
    };
    Range now{keys.begin, keys.begin};
    do {
        now = {now.end, std::min(now.end + size, keys.end)};
        kv.move_to(now.begin);
        for (std::size_t i = 0; i < count; ++i) {
            QueryBlock& s = blocks[i];
            update(s, now);
            if (now.end == keys.end)
                finish_block(s, out + s.head * dim, shape.out_stride, dim,
                             lse == nullptr ? nullptr : lse + s.head * shape.queries);
        }
    } while (now.end < keys.end);
}

/// What kernel/attention/forward declares.
template <class Q, class K>
void attend(float* out, const Q* q, const K* k, const K* v, const AttentionShape& shape, const MaskRef& mask,
            Scratch& scratch, const ScoreModRef& score_mod, float* lse) {
    TESSERA_EXPECTS(shape.key_heads == 0 || shape.heads % shape.key_heads == 0);
    if (shape.queries == 0 || shape.heads == 0) return;
    if (shape.queries <= decode_max_queries && !shape.dropout)  // which a decoder has no use for
        return decode(out, q, k, v, shape, mask, scratch, score_mod, lse);
    const auto frame = scratch.frame();

    Index count = 0;
    for_each_task(shape, mask, [&](const AttendTask&) { ++count; });
    AttendTask* const tasks = scratch.take<AttendTask>(count);
    Index listed = 0, flops = 0;
    for_each_task(shape, mask, [&](const AttendTask& task) {
        tasks[listed++] = task;
        flops += 4 * task.keys * task.heads * task.queries.size() * shape.dim;
    });
    // The longest first, so that threads end together; among equals those of a sequence side by side, as rows of all its heads
    // share pages, and of these the ones with the same keys and values.
    std::sort(tasks, tasks + count, [](const AttendTask& a, const AttendTask& b) {
        return std::tuple(-a.keys * a.heads * a.queries.size(), a.sequence, a.head, a.queries.begin) <
               std::tuple(-b.keys * b.heads * b.queries.size(), b.sequence, b.head, b.queries.begin);
    });

    const Index floats = (most_blocks(shape) + decode_max_queries) * QueryBlock::floats(shape.dim) +
                         kv_block_keys * block_lanes + KvBlock::floats(shape.dim);
    float* const memory = scratch.take<float>(threads() * floats);
    std::uint32_t* const seen = scratch.take<std::uint32_t>(threads() * kv_block_keys);
    parallel_for_workers(
        count,
        [&](Index task, Index worker) {
            attend_task(tasks[task], out, q, k, v, shape, mask, score_mod, lse, memory + worker * floats,
                        seen + worker * kv_block_keys);
        },
        flops);
}

}  // namespace tessera::inline TESSERA_ISA::kernel

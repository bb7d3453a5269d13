// Attention, fused: scores never leave the cache, and only what the mask shows is computed.
#pragma once
#include <algorithm>
#include <tessera/core/scratch.hpp>
#include <tessera/kernel/attention/decode.hpp>
#include <tessera/kernel/attention/query_block.hpp>
#include <tessera/kernel/attention/score_mod.hpp>
#include <tessera/kernel/attention/shape.hpp>
#include <tessera/kernel/parallel.hpp>
#include <tuple>
#include <utility>

namespace tessera::inline TESSERA_ISA::kernel {

/// Detail: what one thread does at a time: strips of neighbouring queries, of heads that share keys and values. They
/// take the keys window by window, so that a window is copied once for all of them.
struct AttendTask {
    Index head, heads;
    Range queries;
    Index keys;      // how many the queries may see, more or less: what the task costs
    Index sequence;  // where the queries begin that may see the same keys
};

/// Detail: the most strips in a task: so many that it pays to copy a window for them, and few enough that what is kept
/// of them stays in the second-level cache beside it.
inline constexpr Index task_strips = 24;
constexpr Index most_strips(const AttentionShape& shape) {
    constexpr Index cache = 56'000;  // floats
    const Index fit = std::clamp<Index>(cache / Strip::floats(shape.dim), 4, task_strips);
    const Index all = (shape.queries + strip_lanes - 1) / strip_lanes * shape.heads;
    return std::clamp<Index>(all / 16, 4,
                             fit);  // with so few tasks that some thread waits long for another, smaller ones
}

/// Detail: how many strips so many queries are.
constexpr Index strips_of(Index queries) {
    const Index left = queries % strip_lanes;
    return queries / strip_lanes + (left <= few_queries ? left : 1);
}

/// Detail: calls f(task) for each task, in any order of cost.
template <class F>
void for_each_task(const AttentionShape& shape, const MaskRef& mask, const F& f) {
    const Index most = most_strips(shape);
    for (Range rest{0, shape.queries}; !rest.empty();) {
        const Range whole = masks::same_sequence(mask, rest);
        const Index strips = (whole.size() + strip_lanes - 1) / strip_lanes, parts = (strips + most - 1) / most;
        for (Index part = 0; part < parts; ++part) {
            const Range queries{whole.begin + strips * part / parts * strip_lanes,
                                std::min(whole.begin + strips * (part + 1) / parts * strip_lanes, whole.end)};
            const Index keys = masks::key_bounds(mask, queries, shape.keys).size();
            const Index sharing = shape.heads / shape.groups();
            for (Index head = 0; head < shape.heads;) {
                const Index heads = std::clamp<Index>(most / strips_of(queries.size()), 1, sharing - head % sharing);
                f(AttendTask{head, heads, queries, keys, whole.begin});
                head += heads;
            }
        }
        rest.begin = whole.end;
    }
}

/// Detail: does one task. `floats` is memory for attend_floats(dim) numbers, `seen` for window_keys.
template <class T>
void attend_task(const AttendTask& task, float* out, const T* q, const T* k, const T* v, const AttentionShape& shape,
                 const MaskRef& mask, const ScoreModRef& score_mod, float* lse, float* floats, std::uint32_t* seen) {
    const Index dim = shape.dim;
    const auto take = [&floats](Index size) { return std::exchange(floats, floats + size); };
    float* const scores = take(window_keys * strip_lanes);
    const Index key_head = shape.keys == 0 ? 0 : shape.key_head(task.head) * dim;  // none may be null
    KeyWindow window(take(KeyWindow::floats(dim)), dim, k + key_head, shape.k_stride, v + key_head, shape.v_stride);

    const Range keys = masks::key_bounds(mask, task.queries, shape.keys);
    // Windows of about the same size.
    const Index windows = (keys.size() + window_size(dim) - 1) / window_size(dim);
    const Index size = windows == 0 ? 0 : ((keys.size() + windows - 1) / windows + 11) / 12 * 12;

    std::array<Strip, static_cast<std::size_t>(task_strips + few_queries)> strips;
    std::size_t count = 0;
    for (Index head = task.head; head < task.head + task.heads; ++head)
        for (Range rest = task.queries; !rest.empty();) {
            Strip& s = strips[count++];
            s.head = head;
            const bool single = rest.size() <= few_queries;
            s.queries = {rest.begin, single ? rest.begin + 1 : std::min(rest.begin + strip_lanes, rest.end)};
            s.vectors = single ? 0 : s.queries.size() > width ? 2 : 1;
            s.query = take(dim * strip_lanes);
            s.sum = take(dim * strip_lanes);
            s.top = take(strip_lanes);
            s.total = take(strip_lanes);
            clear_strip(s);
            rest.begin = s.queries.end;
        }

    const auto absorb = [&](Strip& s, Range now) {
        Run runs[window_keys / tile_keys];
        const Index found = visible_runs(runs, seen, mask, s.head, s.queries, now);
        if (found == 0) return;
        window.need<T>(runs, found, now.end);
        if (!s.started)
            turn_queries(s, q + s.head * dim, shape.q_stride, dim, shape.scale * std::numbers::log2e_v<float>);
        const Scores changing{scores, s.lanes(), s.head, s.queries, runs, found};
        const auto work = [&]<Index Vectors>(std::integral_constant<Index, Vectors>) {
            strip_scores<Vectors>(scores, s, runs, found, window, dim);
            change_scores(changing, score_mod);
            strip_absorb<Vectors>(s, scores, runs, found, window, dim);
        };
        if (s.vectors == 2) {
            work(std::integral_constant<Index, 2>{});
        } else if (s.vectors == 1) {
            work(std::integral_constant<Index, 1>{});
        } else {
            query_scores(scores, s, runs, found, window, dim);
            change_scores(changing, score_mod);
            query_absorb(s, scores, runs, found, window, dim);
        }
    };
    Range now{keys.begin, keys.begin};
    do {
        now = {now.end, std::min(now.end + size, keys.end)};
        window.move_to(now.begin);
        for (std::size_t i = 0; i < count; ++i) {
            Strip& s = strips[i];
            absorb(s, now);
            if (now.end == keys.end)
                end_strip(s, out + s.head * dim, shape.out_stride, dim,
                          lse == nullptr ? nullptr : lse + s.head * shape.queries);
        }
    } while (now.end < keys.end);
}

/// out = softmax(scale·q kᵀ, with `change`, where mask allows)·v for each head.
/// shape   q [T, H·d], k, v [S, K·d] with K heads of keys → out [T, H·d], rows `…_stride` apart; lse [H, T], if it is
///         wanted; k and v may be the same; f32, or q, k and v all in bf16, which is computed with in f32
/// units   lse is the log-sum-exp of the visible scores; a query that sees no key gives 0, and −∞ in lse. Scores, keys
///         and values that the mask hides are not used, whatever they are; NaN where it shows them comes through. A
///         weight below 2^−126.5 of the largest is 0.
/// errors  std::bad_alloc
/// cost    4·T·S·d·H flops on the visible tiles; for each thread about 32·(8·d + 192) + 2·192·d floats of scratch
/// source  Milakov and Gimelshein 2018 (online softmax); Dao 2022 (FlashAttention)
template <class T>
void attend(float* out, const T* q, const T* k, const T* v, const AttentionShape& shape, const MaskRef& mask,
            Scratch& scratch, const ScoreModRef& score_mod = {}, float* lse = nullptr) {
    TESSERA_EXPECTS(shape.key_heads == 0 || shape.heads % shape.key_heads == 0);
    if (shape.queries == 0 || shape.heads == 0) return;
    if (shape.queries <= few_queries) return attend_few(out, q, k, v, shape, mask, scratch, score_mod, lse);
    const auto frame = scratch.frame();

    Index count = 0;
    for_each_task(shape, mask, [&](const AttendTask&) { ++count; });
    AttendTask* const tasks = scratch.take<AttendTask>(count);
    Index listed = 0;
    for_each_task(shape, mask, [&](const AttendTask& task) { tasks[listed++] = task; });
    // The longest first, so that threads end together; among equals those of a sequence side by side, as rows of all its heads
    // share pages, and of these the ones with the same keys and values.
    std::sort(tasks, tasks + count, [](const AttendTask& a, const AttendTask& b) {
        return std::tuple(-a.keys * a.heads * a.queries.size(), a.sequence, a.head, a.queries.begin) <
               std::tuple(-b.keys * b.heads * b.queries.size(), b.sequence, b.head, b.queries.begin);
    });

    const Index floats = (most_strips(shape) + few_queries) * Strip::floats(shape.dim) + window_keys * strip_lanes +
                         KeyWindow::floats(shape.dim);
    float* const memory = scratch.take<float>(threads() * floats);
    std::uint32_t* const seen = scratch.take<std::uint32_t>(threads() * window_keys);
    parallel_for_workers(count, [&](Index task, Index worker) {
        attend_task(tasks[task], out, q, k, v, shape, mask, score_mod, lse, memory + worker * floats,
                    seen + worker * window_keys);
    });
}

}  // namespace tessera::inline TESSERA_ISA::kernel

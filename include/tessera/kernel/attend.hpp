// Attention, fused: scores never leave the cache, and only what the mask shows is computed.
#pragma once
#include <tessera/core/scratch.hpp>
#include <tessera/kernel/parallel.hpp>
#include <tessera/kernel/strip.hpp>
#include <tessera/mask/bias.hpp>
#include <utility>

namespace tessera::kernel::inline TESSERA_ISA {

/// Sizes of an attention, and how many floats lie between the rows of its operands; head h is the columns
/// [h·dim, (h + 1)·dim) of a row of queries. With fewer heads of keys and values than of queries (grouped-query
/// attention; multi-query if there is one) head h looks at theirs number h / (heads / key_heads).
struct AttendShape {
    Index heads, queries, keys, dim;
    Index q_stride, k_stride, v_stride, out_stride;
    float scale;          // of q·k, usually 1/√dim
    Index key_heads = 0;  // a divisor of heads; 0 for as many

    constexpr Index key_head(Index head) const { return key_heads == 0 ? head : head / (heads / key_heads); }
};

/// Detail: adds `bias`, in powers of two, to scores of visible keys.
template <Bias B>
void add_bias(float* scores, const Strip& strip, Index head, const Run* runs, Index count, const B& bias) {
    for (const Run* run = runs; run != runs + count; ++run)
        for (Index i = 0; i < run->count; ++i, scores += strip.lanes())
            for (Index lane = 0; lane < strip.queries.size(); ++lane)
                if (run->seen == nullptr || (run->seen[i] >> lane & 1u) != 0)
                    scores[lane] += static_cast<float>(bias(Site{head, strip.queries.begin + lane, run->key + i})) *
                                    std::numbers::log2e_v<float>;
}

/// out = softmax(scale·q kᵀ + bias, where mask allows)·v for each head.
/// shape   q [T, H·d], k, v [S, K·d] with K heads of keys → out [T, H·d], rows `…_stride` apart; lse [H, T], if it is
///         wanted; k and v may be the same
/// units   lse is the log-sum-exp of the visible scores; a query that sees no key gives 0, and −∞ in lse. Scores, keys
///         and values that the mask hides are not used, whatever they are; NaN where it shows them comes through.
/// errors  std::bad_alloc
/// cost    4·T·S·d·H flops on the visible tiles; for each thread 256·(d + 1) + 32·128 floats of scratch, more or less
template <tessera::Mask M, Bias B = NoBias>
void attend(float* out, const float* q, const float* k, const float* v, const AttendShape& shape, const M& mask,
            Scratch& scratch, const B& bias = {}, float* lse = nullptr) {
    TESSERA_EXPECTS(shape.key_heads == 0 || shape.heads % shape.key_heads == 0);
    const Index dim = shape.dim;
    if (shape.queries == 0 || shape.heads == 0) return;
    const auto frame = scratch.frame();

    // A task is one head of a few strips of queries; they take the keys window by window, so that a window is read from
    // memory once for all of them.
    constexpr Index group_strips = 4;
    const Index strips = (shape.queries + strip_lanes - 1) / strip_lanes;
    const Index groups = (strips + group_strips - 1) / group_strips;
    const Index floats = group_strips * Strip::floats(dim) + window_keys * strip_lanes;
    float* const memory = scratch.take<float>(threads() * floats);
    std::uint32_t* const bits = scratch.take<std::uint32_t>(threads() * window_keys);

    parallel_for_workers(shape.heads * groups, [&](Index task, Index worker) {
        const Index head = task / groups, group = groups - 1 - task % groups;  // causal masks make the last ones long
        const Range own{strips * group / groups * strip_lanes,
                        std::min(strips * (group + 1) / groups * strip_lanes, shape.queries)};
        const float* const k_head = k + shape.key_head(head) * dim;
        const float* const v_head = v + shape.key_head(head) * dim;
        float* p = memory + worker * floats;
        std::uint32_t* const seen = bits + worker * window_keys;
        const auto take = [&p](Index size) { return std::exchange(p, p + size); };

        Strip strip[group_strips];
        Index count = 0;
        for (Range rest = own; !rest.empty(); rest.begin += strip[count++].lanes()) {
            Strip& s = strip[count];
            s.queries = {rest.begin, std::min(rest.begin + strip_lanes, rest.end)};
            s.vectors = s.queries.size() > width ? 2 : 1;
            s.query = take(dim * strip_lanes);
            s.sum = take(dim * strip_lanes);
            s.top = take(strip_lanes);
            s.total = take(strip_lanes);
            begin_strip(s, q + head * dim, shape.q_stride, dim, shape.scale * std::numbers::log2e_v<float>);
        }
        float* const scores = take(window_keys * strip_lanes);

        const Range keys = visible_keys(mask, own, shape.keys);
        for (Index begin = keys.begin; begin < keys.end; begin += window_keys)
            for (Index i = 0; i < count; ++i) {
                const Range window{begin, std::min(begin + window_keys, keys.end)};
                Run runs[window_keys / tile_keys];
                const Index found = visible_runs(runs, seen, mask, head, strip[i].queries, window);
                if (found == 0) continue;
                const auto work = [&]<Index Vectors>(std::integral_constant<Index, Vectors>) {
                    strip_scores<Vectors>(scores, strip[i], runs, found, k_head, shape.k_stride, dim);
                    if constexpr (!std::same_as<B, NoBias>) add_bias(scores, strip[i], head, runs, found, bias);
                    strip_absorb<Vectors>(strip[i], scores, runs, found, v_head, shape.v_stride, dim);
                };
                if (strip[i].vectors == 2)
                    work(std::integral_constant<Index, 2>{});
                else
                    work(std::integral_constant<Index, 1>{});
            }
        for (Index i = 0; i < count; ++i)
            end_strip(strip[i], out + head * dim, shape.out_stride, dim,
                      lse == nullptr ? nullptr : lse + head * shape.queries);
    });
}

}  // namespace tessera::kernel::inline TESSERA_ISA

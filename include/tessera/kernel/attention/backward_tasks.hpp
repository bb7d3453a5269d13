// How the backward pass of attention is cut into tasks, and what a task does.
#pragma once
#include <tessera/kernel/attention/backward.hpp>
#include <tessera/kernel/attention/dropout.hpp>
#include <tessera/kernel/attention/kv_gradients.hpp>
#include <tessera/kernel/attention/score_gradient.hpp>
#include <tessera/kernel/matmul/small_gemm.hpp>
#include <tessera/kernel/parallel.hpp>
#include <utility>

namespace tessera::inline TESSERA_ISA::kernel {

/// Detail: how the work is split, which sizes alone decide. A task is a share of the keys for a few heads, one after
/// another: those that look at the same keys, or all if they share the gradient of a bias. So dk and dv belong to one
/// task each; dq is a sum over the shares.
struct BackwardSplit {
    Index together, shares, blocks;

    BackwardSplit(const AttentionShape& shape, bool all_together)
        : together(all_together           ? shape.heads
                   : shape.key_heads == 0 ? 1
                                          : shape.heads / shape.key_heads),
          shares(std::clamp<Index>(shape.keys / (all_together ? 128 : 512), 1,
                                   all_together ? 8 : 32 * together / shape.heads + 1)),
          blocks((shape.queries + block_queries - 1) / block_queries) {}
};

/// Detail: one backward pass; `task` does a task, when all are done `finish` puts together a block
/// of one head, and `finish_bias` the gradient of the bias.
class AttendBackward {
  public:
    AttendBackward(const AttendGradients& x, const AttentionShape& shape, const MaskRef& mask,
                   const ScoreModRef& score_mod, const BiasGradient& d_bias, const BackwardSplit& split,
                   Scratch& scratch)
        : x_(x), shape_(shape), mask_(mask), score_mod_(score_mod), d_bias_(d_bias), split_(split) {
        const Index parts = shape.heads * split.shares;
        memory_ = scratch.take<float>(threads() * floats());
        bits_ = scratch.take<std::uint32_t>(threads() * most_keys);
        touched_ = scratch.take<bool>(parts * split.blocks);
        std::fill_n(touched_, parts * split.blocks, false);
        if (split.shares > 1) sums_ = scratch.take<float>(parts * shape.queries * shape.dim);
        if (d_bias.learns()) bias_sums_ = scratch.take<float>(parts * d_bias.floats());
    }

    /// Everything that `share` of the keys is to the heads from `first` on.
    void task(Index first, Index share, Index worker) const {
        const Range own{shape_.keys * share / split_.shares, shape_.keys * (share + 1) / split_.shares};
        if (d_bias_.learns())
            for (Index head = first; head < first + split_.together; ++head)
                if (head == first || !d_bias_.one_for_all_heads())
                    d_bias_.clear(bias_sums_ + (head * split_.shares + share) * d_bias_.floats(), head, own);
        if (own.empty()) return;  // k and v may be null
        // Groups of keys outside, so that they stay in the second-level cache with their gradients.
        const Index groups = std::max<Index>(1, (own.size() + group_keys / 2) / group_keys);
        for (Index i = 0; i < groups; ++i) {
            const Range keys{own.begin + own.size() * i / groups, own.begin + own.size() * (i + 1) / groups};
            const bool copying = copies(keys);
            KvGradients group{};
            for (Index head = first; head < first + split_.together; ++head) {
                if (head == first || shape_.key_head(head) != shape_.key_head(head - 1)) {
                    group = group_of(keys, head);
                    if (copying) group = copied(group, memory_ + (worker + 1) * floats() - group_floats(), shape_.dim);
                }
                for (Index block = 0; block < split_.blocks; ++block) accumulate(group, head, share, block, worker);
                if (head + 1 < first + split_.together && shape_.key_head(head) == shape_.key_head(head + 1)) continue;
                end_gradients(group, shape_.dim);
                if (copying) copy_gradients(group_of(keys, head), group, shape_.dim);
            }
        }
    }

    void finish(Index head, Index block) const {
        const Index begin = block * block_queries, end = std::min(begin + block_queries, shape_.queries);
        for (Index query = begin; query < end; ++query) {
            float* const dq = x_.dq + query * shape_.q_stride + head * shape_.dim;
            if (split_.shares > 1 || !touched(head, 0, block)) std::fill_n(dq, shape_.dim, 0.0f);
            for (Index share = 0; share < split_.shares && split_.shares > 1; ++share) {
                if (!touched(head, share, block)) continue;
                const float* const sum = sums_ + ((head * split_.shares + share) * shape_.queries + query) * shape_.dim;
                for_each_vec(shape_.dim,
                             [&](Index c, Index n) { store(dq + c, load(dq + c, n) + load(sum + c, n), n); });
            }
        }
    }

    void finish_bias() const {
        if (d_bias_.learns())
            for (Index head = 0; head < shape_.heads; ++head)
                d_bias_.finish(head, bias_sums_ + head * split_.shares * d_bias_.floats(), split_.shares);
    }

  private:
    static constexpr Index group_keys = 256, most_keys = 2 * group_keys;
    static constexpr Index kv_block_keys = 64, most_window = 2 * kv_block_keys;

    /// Scratch of a worker: its block of queries, what that adds to dq, probabilities, their gradients and derivatives, its group of keys.
    Index floats() const {
        return GradientBlock::floats(shape_.dim) + (shape_.dim + 3 * most_window) * block_queries + group_floats();
    }
    Index group_floats() const { return KvGradients::floats(std::min(shape_.keys, most_keys), shape_.dim); }

    bool& touched(Index head, Index share, Index block) const {
        return touched_[(head * split_.shares + share) * split_.blocks + block];
    }
    Range queries(Index block) const {
        return {block * block_queries, std::min((block + 1) * block_queries, shape_.queries)};
    }

    KvGradients group_of(Range keys, Index head) const {
        const Index column = shape_.key_head(head) * shape_.dim;
        const Index k = keys.begin * shape_.k_stride + column, v = keys.begin * shape_.v_stride + column;
        const auto at = [](float* gradient, Index offset) { return gradient == nullptr ? nullptr : gradient + offset; };
        return {keys,
                x_.k + k,
                x_.v + v,
                at(x_.dk, k),
                at(x_.dv, v),
                shape_.k_stride,
                shape_.v_stride,
                false,
                {keys.begin, keys.begin}};
    }

    /// Whether it is worth it to copy these keys together: whether three blocks of queries, on average, may see a key.
    bool copies(Range keys) const {
        Index seen = 0;
        for (Index block = 0; block < split_.blocks; ++block)
            seen += intersection(keys, masks::key_bounds(mask_, queries(block), shape_.keys)).size();
        return seen * split_.together >= 3 * keys.size();
    }

    /// Adds what a group of keys and a block of queries have to do with each other.
    void accumulate(KvGradients& group, Index head, Index share, Index number, Index worker) const {
        GradientBlock block;
        block.queries = queries(number);
        KeySpan spans[most_keys / tile_keys];
        const Index found = live_key_spans(spans, bits_ + worker * most_keys, mask_, head, block.queries, group.keys);
        if (found == 0) return;

        const Index dim = shape_.dim, column = head * dim;
        float* memory = memory_ + worker * floats();
        const auto take = [&memory](Index size) { return std::exchange(memory, memory + size); };
        block.query = take(dim * block_queries);
        block.d_out = take(dim * block_queries);
        block.transposed_query = take(dim * block_queries);
        block.transposed_d_out = take(dim * block_queries);
        block.lse = take(block_queries);
        block.delta = take(block_queries);
        float* const dq = take(dim * block_queries);
        load_block(block, x_.q + column, shape_.q_stride, x_.d_out + column, x_.out + column, shape_.out_stride,
                   x_.lse + head * shape_.queries, dim,
                   score_mod_.adds() ? shape_.scale * std::numbers::log2e_v<float> : shape_.scale);

        bool started = false;
        for (const KeySpan* span = spans; span != spans + found; ++span) {
            const bool first =
                begin_gradients(group, {span->key, span->key + span->count}, span->seen == nullptr, shape_.dim);
            const Index windows = std::max<Index>(1, (span->count + kv_block_keys / 2) / kv_block_keys);
            for (Index i = 0; i < windows; ++i) {
                const Index begin = span->count * i / windows, end = span->count * (i + 1) / windows;
                accumulate(group, block, head, share,
                           {span->key + begin, end - begin, span->seen == nullptr ? nullptr : span->seen + begin},
                           memory, dq, first, started);
                started = true;
            }
        }

        const bool alone = split_.shares == 1;
        const Index stride = alone ? shape_.q_stride : dim;
        float* const sum = alone
                               ? x_.dq + block.queries.begin * stride + column
                               : sums_ + ((head * split_.shares + share) * shape_.queries + block.queries.begin) * dim;
        bool& any = touched(head, share, number);
        for (Index i = 0; i < block.queries.size(); ++i)
            for_each_vec(dim, [&](Index c, Index n) {
                const Vec more = load(dq + i * dim + c, n);
                store(sum + i * stride + c, any ? load(sum + i * stride + c, n) + more : more, n);
            });
        any = true;
    }

    /// The same for a span of at most most_window keys, whose gradients hold nothing if this is the `first`; dq is the
    /// block's own, and holds nothing unless `started`.
    void accumulate(const KvGradients& group, const GradientBlock& block, Index head, Index share, const KeySpan& span,
                    float* panels, float* dq, bool first, bool started) const {
        const Index dim = shape_.dim, count = span.count, queries = block.queries.size();
        const Index at = span.key - group.keys.begin;
        const float *const k = group.k + at * group.k_stride, *const v = group.v + at * group.v_stride;
        float* const p = panels;
        float* const ds = p + most_window * block_queries;
        float* const slopes = ds + most_window * block_queries;

        small_gemm(p, block_queries, {k, group.k_stride, 1}, {block.transposed_query, block_queries}, count,
                   block.lanes(), dim, Accumulate::no);
        small_gemm(ds, block_queries, {v, group.v_stride, 1}, {block.transposed_d_out, block_queries}, count,
                   block.lanes(), dim, Accumulate::no);
        const auto drop = [&](float* x) {
            if (shape_.dropout) drop_probabilities({x, block_queries, head, block.queries, &span, 1}, shape_);
        };
        drop(ds);
        modify_scores(p, slopes, block, head, span, score_mod_);
        const bool adds = score_mod_.adds(), learns = d_bias_.learns(), plain = adds && !learns;
        score_gradients(p, ds, block, span, plain ? shape_.scale : 1.0f);
        drop(p);

        // Zero times infinity is not a number, so hidden pairs are kept out where that could happen.
        const bool care =
            span.seen != nullptr && !(block.finite && (group.finite || finite_rows(k, group.k_stride, count, dim)));
        // What these queries add to rows of keys or of values; nothing where those are not wanted.
        const auto add_to_keys = [&](float* sums, Index stride, const float* factors, const float* rows) {
            if (sums == nullptr) return;
            sums += at * stride;
            if (!care)
                small_gemm(sums, stride, {factors, block_queries, 1}, {rows, dim}, count, dim, queries,
                           first ? Accumulate::no : Accumulate::yes);
            else
                for_each_seen(span, queries, [&](Index i, Index lane) {
                    add(sums + i * stride, factors[i * block_queries + lane], rows + lane * dim);
                });
        };
        add_to_keys(group.dv, group.v_stride, p, block.d_out);
        if (!plain) {
            // A bias that is added last learns from the gradient by the modified score, one that is added first from that by the
            // score itself.
            const float* rest = adds ? nullptr : slopes;
            if (learns) {
                if (!score_mod_.adds_last()) scale_gradients(ds, std::exchange(rest, nullptr), block, count, 1.0f);
                d_bias_.add(bias_sums_ + (head * split_.shares + share) * d_bias_.floats(), head, block.queries,
                            span.key, count, ds, p);
            }
            scale_gradients(ds, rest, block, count, shape_.scale);
        }
        add_to_keys(group.dk, group.k_stride, ds, block.query);
        if (!care) {
            small_gemm(dq, dim, {ds, 1, block_queries}, {k, group.k_stride}, queries, dim, count,
                       started ? Accumulate::yes : Accumulate::no);
        } else {
            if (!started) std::fill_n(dq, queries * dim, 0.0f);
            for_each_seen(span, queries, [&](Index i, Index lane) {
                add(dq + lane * dim, ds[i * block_queries + lane], k + i * group.k_stride);
            });
        }
    }

    /// sum += factor · x.
    void add(float* sum, float factor, const float* x) const {
        for_each_vec(shape_.dim, [&](Index c, Index n) {
            store(sum + c, fma(broadcast(factor), load(x + c, n), load(sum + c, n)), n);
        });
    }

    template <class F>
    static void for_each_seen(const KeySpan& span, Index queries, const F& f) {
        for (Index i = 0; i < span.count; ++i)
            for (Index lane = 0; lane < queries; ++lane)
                if ((span.seen[i] >> lane & 1u) != 0) f(i, lane);
    }

    const AttendGradients& x_;
    const AttentionShape& shape_;
    const MaskRef& mask_;
    const ScoreModRef& score_mod_;
    const BiasGradient& d_bias_;
    const BackwardSplit& split_;
    float* memory_;
    std::uint32_t* bits_;
    bool* touched_;  // whether a task has found anything for a block of queries
    float *sums_ = nullptr, *bias_sums_ = nullptr;
};

TESSERA_KERNEL void attend_backward(const AttendGradients& x, const AttentionShape& shape, const MaskRef& mask,
                                    Scratch& scratch, const ScoreModRef& score_mod, const BiasGradient& d_bias) {
    TESSERA_EXPECTS(shape.key_heads == 0 || shape.heads % shape.key_heads == 0);
    if (shape.heads == 0) return;
    if (d_bias.learns() && !score_mod.adds_last() && !score_mod.adds_first())
        throw Error(Errc::option_value,
                    "attend_backward: a bias that learns must come first or last in what modifies the scores");
    const auto frame = scratch.frame();
    const BackwardSplit split(shape, d_bias.one_for_all_heads());
    const AttendBackward work(x, shape, mask, score_mod, d_bias, split, scratch);
    const Index sets = shape.heads / split.together;
    parallel_for_workers(
        sets * split.shares,
        [&](Index task, Index worker) {  // causal masks make the first keys long
            work.task(task % sets * split.together, task / sets, worker);
        },
        10 * shape.heads * shape.queries * shape.keys * shape.dim);
    parallel_for(
        shape.heads * split.blocks, [&](Index task) { work.finish(task / split.blocks, task % split.blocks); },
        4 * split.shares * shape.heads * shape.queries * shape.dim);
    work.finish_bias();
}

}  // namespace tessera::inline TESSERA_ISA::kernel

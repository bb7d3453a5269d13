// Cross-attention of few queries to many wide rows, which are read as they are: the layers of keys and values are
// multiplied into the queries instead.
#pragma once
#include <cmath>
#include <limits>
#include <tessera/nn/attention.hpp>
#include <tessera/nn/head_weight.hpp>
#include <type_traits>

namespace tessera::inline TESSERA_ISA {

/// Whether (q·Wₖ)·xᵀ and (P·x)·Wᵥᵀ take fewer multiplications than q·(x·Wₖᵀ)ᵀ and P·(x·Wᵥᵀ).
constexpr bool folding_pays(Index queries, Index keys, Index head_dim, Index context) {
    const Index plain = keys * context * head_dim + queries * keys * head_dim;
    const Index folded = queries * head_dim * context + queries * keys * context;
    return folded < plain;
}

/// What Attention<Width, Heads, Context> computes, in the other order. The bias of the keys moves all scores of a row
/// alike, so softmax does not see it; the bias of the values is added behind, as the probabilities of a row sum to one. In
/// training with dropout that bias is not dropped: the same mean, but not the same numbers as Attention.
/// shape   x [T, Width], context [S, Context] → [T, Width]
/// units   as Attention
/// errors  as Attention
/// cost    4·T·Heads·S·Context on visible tiles + 4·T·Width·Context + 4·T·Width² flops; 2·T·Heads·Context floats of
///         scratch
template <Index Width, Index Heads, Index Context>
struct FoldedAttention {
    static_assert(Width % Heads == 0, "FoldedAttention: Width must be a multiple of Heads");
    static constexpr Index head_dim = Width / Heads;

    Linear<Width, Width> query;
    HeadLinear<Heads, head_dim, Context, Transposed::yes> key;
    HeadLinear<Heads, head_dim, Context, Transposed::no> value;
    Linear<Width, Width> output;

    using Options = AttentionOptions<Width>;

    Rows<Width> operator()(ConstRows<Width> x, ConstRows<Context> context, MaskRef mask, Scratch& s,
                           const ScoreModRef& score_mod = {}) const {
        auto y = s.rows<Width>(x.extent(0));
        into(y, x, context, mask, s, {.score_mod = score_mod});
        return y;
    }

    /// Writes into `y`.
    void into(Rows<Width> y, ConstRows<Width> x, ConstRows<Context> context, MaskRef mask, Scratch& s,
              const Options& options = {}) const {
        const Index queries = x.extent(0), keys = context.extent(0);
        if (!key.weight.is_set() || !value.weight.is_set() || !value.bias.is_set())
            throw Error(Errc::weight_unset, "FoldedAttention<", Width, ", ", Heads, ", ", Context,
                        ">: called before its weights were set");
        detail::require_fit("FoldedAttention", mask, queries, keys);
        const auto frame = s.frame();
        const auto mixed = s.rows<Width>(queries);
        mix(mixed, query(x, s), context, mask, s, options);
        output.into(y, mixed, s, {.residual = options.residual, .dropout = s.next_dropout(DropoutSite::hidden)});
    }

    /// What lies between the queries and the mix of values; the backward pass takes it up again.
    struct Between {
        Rows<Heads * Context> folded;  // queries times key weights
        Rows<Heads * Context> seen;    // mixes of context rows
        const float* lse;              // [Heads, T], of the scores without the bias of the keys
        kernel::AttentionShape shape;
    };

    /// mixed = the values that the queries `q` see, before the output layer. What is returned lies in `s`.
    /// shape   q, mixed [T, Width], context [S, Context]
    Between mix(Rows<Width> mixed, ConstRows<Width> q, ConstRows<Context> context, MaskRef mask, Scratch& s,
                const Options& options = {}) const {
        const Index queries = q.extent(0);
        const auto folded = s.rows<Heads * Context>(queries), seen = s.rows<Heads * Context>(queries);
        float* const lse = s.take<float>(Heads * queries);
        kernel::parallel_for(
            Heads,
            [&](Index h) {
                kernel::gemm(folded.data() + h * Context, Heads * Context, q.data() + h * head_dim, Width, queries,
                             key.weight.packed(h));
            },
            2 * queries * Width * Context);
        kernel::AttentionShape sizes = shape(queries, context.extent(0));
        sizes.dropout = s.next_dropout(DropoutSite::attention, Heads);
        kernel::attend(seen.data(), folded.data(), context.data(), context.data(), sizes, mask, s, options.score_mod,
                       lse);
        kernel::parallel_for(
            Heads,
            [&](Index h) {
                float* const out = mixed.data() + h * head_dim;
                kernel::gemm(out, Width, seen.data() + h * Context, Heads * Context, queries, value.weight.packed(h),
                             {.bias = value.bias.data() + h * head_dim});
                for (Index i = 0; i < queries; ++i)  // a row that sees no key is zero, without the bias too
                    if (lse[h * queries + i] == -std::numeric_limits<float>::infinity())
                        std::fill_n(out + i * Width, head_dim, 0.0f);
            },
            2 * queries * Width * Context);
        for (Index h = 0; h < Heads; ++h)
            s.record(LinearOp{.y = folded.data() + h * Context,
                              .x = q.data() + h * head_dim,
                              .rows = queries,
                              .in = head_dim,
                              .out = Context,
                              .y_stride = Heads * Context,
                              .x_stride = Width,
                              .weight = &key.weight.packed(h),
                              .weight_leaf = &key.weight,
                              .first_row = h * head_dim,
                              .transposed = true});
        s.record(AttendOp{seen.data(), folded.data(), context.data(), context.data(), lse, sizes, mask,
                          options.score_mod, options.bias});
        for (Index h = 0; h < Heads; ++h)
            s.record(LinearOp{.y = mixed.data() + h * head_dim,
                              .x = seen.data() + h * Context,
                              .rows = queries,
                              .in = Context,
                              .out = head_dim,
                              .y_stride = Width,
                              .x_stride = Heads * Context,
                              .weight = &value.weight.packed(h),
                              .bias = value.bias.data() + h * head_dim,
                              .weight_leaf = &value.weight,
                              .bias_leaf = &value.bias,
                              .first_row = h * head_dim,
                              .lse = lse + h * queries});
        return {folded, seen, lse, sizes};
    }

    /// The attention of the folded queries: all heads look at the same rows.
    static kernel::AttentionShape shape(Index queries, Index keys) {
        return {.heads = Heads,
                .queries = queries,
                .keys = keys,
                .dim = Context,
                .q_stride = Heads * Context,
                .k_stride = Context,
                .v_stride = Context,
                .out_stride = Heads * Context,
                .scale = 1.0f / std::sqrt(static_cast<float>(head_dim)),
                .key_heads = 1};
    }

    static void visit(auto& self, auto&& f) {
        f("query", self.query);
        f("key", self.key);
        f("value", self.value);
        f("output", self.output);
    }
};

/// Attention of `Queries` rows to about `Keys` rows of a context, in the cheaper order; any number of either works.
template <Index Width, Index Heads, Index Context, Index Queries, Index Keys>
using CrossAttention = std::conditional_t<folding_pays(Queries, Keys, Width / Heads, Context),
                                          FoldedAttention<Width, Heads, Context>, Attention<Width, Heads, Context>>;

}  // namespace tessera::inline TESSERA_ISA

// The gradients of folded attention: in the forward pass's order of products, so that keys and values are never made.
#pragma once
#include <algorithm>
#include <limits>
#include <tessera/kernel/attention/backward.hpp>
#include <tessera/kernel/matmul/backward.hpp>
#include <tessera/nn/folded_attention.hpp>

namespace tessera::inline TESSERA_ISA {

/// Where the gradients of FoldedAttention<Width, Heads, Context>::mix go. That of the keys' bias is zero: it moves all
/// scores of a row alike.
template <Index Width, Index Context>
struct FoldedGradients {
    Rows<Width> query;                                // [T, Width], overwritten
    View<float, Width, Context> key;                  // the key weight's, added to
    View<float, Width, Context> value;                // the value weight's, added to
    View<float, Width> value_bias;                    // added to
    Rows<Context> context = {nullptr, {0, Context}};  // [S, Context], overwritten; empty where it is frozen
};

/// What `d_mixed`, the gradient of a loss by what `mix` wrote, gives for its inputs; `between` is what `mix` returned.
/// shape   d_mixed, q [T, Width], context [S, Context]
/// units   rows that see no key, and pairs that the mask hides, add nothing; the same bits at any number of threads
/// errors  std::bad_alloc
/// cost    10·T·Heads·S·Context flops on visible tiles, 6·T·Heads·S·Context where the context is frozen, and
///         8·T·Width·Context; 2·T·Heads·Context + S·Context floats of scratch, besides the attention's own
template <Index Width, Index Heads, Index Context>
void folded_attention_backward(const FoldedAttention<Width, Heads, Context>& layer,
                               const typename FoldedAttention<Width, Heads, Context>::Between& between,
                               ConstRows<Width> d_mixed, ConstRows<Width> q, ConstRows<Context> context, MaskRef mask,
                               Scratch& s, const FoldedGradients<Width, Context>& gradients,
                               const ScoreModRef& score_mod = {}) {
    constexpr Index dim = Width / Heads, wide = Heads * Context;
    const Index queries = q.extent(0), keys = context.extent(0);
    TESSERA_EXPECTS(d_mixed.extent(0) == queries && gradients.query.extent(0) == queries);
    TESSERA_EXPECTS(gradients.context.empty() || gradients.context.extent(0) == keys);
    const auto frame = s.frame();

    // The value layer, but for rows that see nothing: they are zero whatever it is.
    const auto d_value = s.rows<Width>(queries);
    std::copy_n(d_mixed.data(), d_mixed.size(), d_value.data());
    for (Index h = 0; h < Heads; ++h)
        for (Index i = 0; i < queries; ++i)
            if (between.lse[h * queries + i] == -std::numeric_limits<float>::infinity())
                std::fill_n(d_value.data() + i * Width + h * dim, dim, 0.0f);
    const auto d_seen = s.rows<wide>(queries), d_folded = s.rows<wide>(queries);
    kernel::parallel_for(
        Heads,
        [&](Index h) {
            kernel::input_gradient(d_seen.data() + h * Context, wide, d_value.data() + h * dim, Width, queries,
                                   layer.value.weight.packed(h));
            kernel::weight_gradient(gradients.value.data() + h * dim * Context, dim, Context, d_value.data() + h * dim,
                                    Width, between.seen.data() + h * Context, wide, queries);
        },
        4 * queries * Width * Context);
    kernel::bias_gradient(gradients.value_bias.data(), d_value.data(), Width, queries, Width);

    // The attention, whose keys and values are the context.
    const Index learning = gradients.context.empty() ? 0 : keys;
    const auto d_keys = gradients.context, d_values = s.rows<Context>(learning);
    kernel::attend_backward({.dq = d_folded.data(),
                             .dk = learning == 0 ? nullptr : d_keys.data(),
                             .dv = learning == 0 ? nullptr : d_values.data(),
                             .d_out = d_seen.data(),
                             .out = between.seen.data(),
                             .lse = between.lse,
                             .q = between.folded.data(),
                             .k = context.data(),
                             .v = context.data()},
                            between.shape, mask, s, score_mod);
    for (Index i = 0; i < d_values.size(); ++i) d_keys.data()[i] += d_values.data()[i];

    // The key layer, which turned queries into folded ones.
    kernel::parallel_for(
        Heads,
        [&](Index h) {
            kernel::input_gradient(gradients.query.data() + h * dim, Width, d_folded.data() + h * Context, wide,
                                   queries, layer.key.weight.packed(h));
            kernel::weight_gradient(gradients.key.data() + h * dim * Context, dim, Context, q.data() + h * dim, Width,
                                    d_folded.data() + h * Context, wide, queries);
        },
        4 * queries * Width * Context);
}

}  // namespace tessera::inline TESSERA_ISA

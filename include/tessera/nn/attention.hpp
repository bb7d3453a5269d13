// Multi-head attention: of rows to themselves, or to a context of another width.
#pragma once
#include <cmath>
#include <tessera/kernel/attention/forward.hpp>
#include <tessera/mask/catalog.hpp>
#include <tessera/mask/score_mod/score_mod.hpp>
#include <tessera/nn/cache.hpp>
#include <tessera/nn/linear.hpp>

namespace tessera::inline TESSERA_ISA {

/// Attends from each row of `x` to the rows of `context` that `mask` allows.
/// shape   x [T, Width], context [S, Context] → [T, Width]
/// units   scores are logits scaled by 1/√(Width/Heads); a row that may see no key gives the output layer's bias
/// errors  Errc::weight_unset; Errc::option_value when the mask does not fit T and S; widths are checked by
///         the compiler
/// cost    4·T·S·Width flops on visible tiles, 4·(T + S)·Width² for the projections (with as many KeyHeads as Heads);
///         scratch for q, k, v and their mix
/// source  Vaswani 2017 eq. 1; Ainslie 2023 (grouped-query attention) for fewer KeyHeads than Heads
template <Index Width, Index Heads, Index Context = Width, Index KeyHeads = Heads>
struct Attention {
    static_assert(Width % Heads == 0, "Attention: Width must be a multiple of Heads");
    static_assert(Heads % KeyHeads == 0, "Attention: Heads must be a multiple of KeyHeads");
    static constexpr Index head_dim = Width / Heads;
    static constexpr Index key_width = KeyHeads * head_dim;

    Linear<Width, Width> query;
    Linear<Context, key_width> key, value;
    Linear<Width, Width> output;

    template <Mask M, Bias B = NoBias>
    Rows<Width> operator()(ConstRows<Width> x, ConstRows<Context> context, const M& mask, Scratch& s,
                           const B& bias = {}) const {
        auto y = s.rows<Width>(x.extent(0));
        into(y, x, context, mask, s, bias);
        return y;
    }

    /// Writes into `y`, on top of `residual` where there is one (which may be `y`).
    template <Mask M, Bias B = NoBias>
    void into(Rows<Width> y, ConstRows<Width> x, ConstRows<Context> context, const M& mask, Scratch& s,
              const B& bias = {}, const float* residual = nullptr) const {
        const auto frame = s.frame();
        const auto k = key(context, s);
        const auto v = value(context, s);
        mix(y, x, k, v, mask, s, bias, residual);
    }

    /// Self-attention of rows that follow what `cache` holds: appends their keys and values, and attends to all so far.
    void append(Rows<Width> y, ConstRows<Width> x, KeyValueCache<key_width>& cache, Index layer, Scratch& s,
                const float* residual = nullptr) const requires(Context == Width) {
        const Index past = cache.length, count = x.extent(0);
        TESSERA_EXPECTS(past + count <= cache.capacity());
        const auto frame = s.frame();
        key.into(cache.keys(layer).slice(past, count), x, s);
        value.into(cache.values(layer).slice(past, count), x, s);
        mix(y, x, cache.keys(layer).slice(0, past + count), cache.values(layer).slice(0, past + count),
            Causal::after(past), s, NoBias{}, residual);
    }

    static void visit(auto& self, auto&& f) {
        f("query", self.query);
        f("key", self.key);
        f("value", self.value);
        f("output", self.output);
    }

  private:
    template <Mask M, Bias B>
    void mix(Rows<Width> y, ConstRows<Width> x, ConstRows<key_width> k, ConstRows<key_width> v, const M& mask,
             Scratch& s, const B& bias, const float* residual) const {
        const Index queries = x.extent(0), keys = k.extent(0);
        if (!masks::fits(mask, queries, keys))
            throw Error(Errc::option_value, "Attention<", Width, ", ", Heads, ">: the mask does not fit ", queries,
                        " queries and ", keys, " keys");
        const auto q = query(x, s);
        const auto mixed = s.rows<Width>(queries);
        kernel::attend(mixed.data(), q.data(), k.data(), v.data(),
                       {.heads = Heads,
                        .queries = queries,
                        .keys = keys,
                        .dim = head_dim,
                        .q_stride = Width,
                        .k_stride = key_width,
                        .v_stride = key_width,
                        .out_stride = Width,
                        .scale = 1.0f / std::sqrt(static_cast<float>(head_dim)),
                        .key_heads = KeyHeads},
                       mask, s, bias);
        s.record(AttendCall{mixed.data(), q.data(), k.data(), v.data(), queries, keys, Heads, head_dim, KeyHeads});
        output.into(y, mixed, s, {.residual = residual});
    }
};

}  // namespace tessera::inline TESSERA_ISA

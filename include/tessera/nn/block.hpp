// Attention and a feed-forward part, each with a norm and a way around it.
#pragma once
#include <tessera/nn/attention.hpp>
#include <tessera/nn/mlp.hpp>
#include <tessera/nn/norm.hpp>

namespace tessera::inline TESSERA_ISA {

/// Where a block's norms stand.
enum class NormPlace : bool {
    before,  // x += part(norm(x)): ViT, OPT
    behind,  // x = norm(x + part(x)): BERT, opt-350m
};

/// One block of an encoder (any mask) or a decoder (with a cache). Works in place.
/// shape   x [rows, Width]
/// errors  as Attention and Linear
/// source  Vaswani 2017 §3.1; norms before: Radford 2019
template <Index Width, Index Heads, Index Hidden, Activation Act = Activation::gelu,
          NormPlace Place = NormPlace::before>
struct Block {
    LayerNorm<Width> norm1;
    Attention<Width, Heads> attention;
    LayerNorm<Width> norm2;
    Mlp<Width, Hidden, Act> mlp;

    explicit Block(float eps = 1e-5f)
        : norm1{.eps = eps, .weight = {}, .bias = {}}, norm2{.eps = eps, .weight = {}, .bias = {}} {}

    template <Mask M>
    void operator()(Rows<Width> x, const M& mask, Scratch& s) const {
        run(x, s, [&](ConstRows<Width> in) { attention.into(x, in, in, mask, s, NoBias{}, x.data()); });
    }
    /// The same for rows that follow what `cache` holds of this layer; see Attention::append.
    void operator()(Rows<Width> x, KeyValueCache<Width>& cache, Index layer, Scratch& s) const {
        run(x, s, [&](ConstRows<Width> in) { attention.append(x, in, cache, layer, s, x.data()); });
    }

    static void visit(auto& self, auto&& f) {
        f("norm1", self.norm1);
        f("attention", self.attention);
        f("norm2", self.norm2);
        f("mlp", self.mlp);
    }

  private:
    void run(Rows<Width> x, Scratch& s, auto&& add_attention) const {
        const auto frame = s.frame();
        if constexpr (Place == NormPlace::before) {
            const auto normed = norm1(x, s);
            add_attention(normed);
            norm2.into(normed, x, s);
            mlp.into(x, normed, s, x.data());
        } else {
            add_attention(x);
            norm1.into(x, x, s);
            mlp.into(x, x, s, x.data());
            norm2.into(x, x, s);
        }
    }
};

}  // namespace tessera::inline TESSERA_ISA

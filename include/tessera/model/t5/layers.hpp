// One layer of T5's encoder, and one of its decoder.
#pragma once
#include <tessera/model/t5/config.hpp>
#include <tessera/nn/block.hpp>

namespace tessera::inline TESSERA_ISA {

/// Attention as T5 has it: no biases, and scores that are not scaled.
template <T5Config C>
using T5Attention = MultiHeadAttention<AttentionSizes{.width = C.width,
                                                      .heads = C.heads,
                                                      .head_size = C.head_size,
                                                      .scale = 1,
                                                      .query_bias = HasBias::no,
                                                      .key_bias = HasBias::no,
                                                      .value_bias = HasBias::no,
                                                      .output_bias = HasBias::no}>;
template <T5Config C>
using T5Mlp = std::conditional_t<C.gated, GatedMlp<C.width, C.hidden, C.activation>,
                                 Mlp<C.width, C.hidden, C.activation, HasBias::no>>;

/// shape   x [rows, Width] → y [rows, Width], which must not be x
/// source  Raffel 2020 (T5) §2.1; Shazeer 2020 for the gated feed-forward part
template <T5Config C>
struct T5EncoderLayer {
    PreNorm<RmsNorm<C.width>, T5Attention<C>> attention{{C.eps}};
    PreNorm<RmsNorm<C.width>, T5Mlp<C>> mlp{{C.eps}};

    /// `attend(y, x, residual)` runs the attention of this layer.
    void into(Rows<C.width> y, ConstRows<C.width> x, Scratch& s, const auto& attend) const {
        const auto frame = s.frame();
        const auto attended = s.rows<C.width>(x.extent(0));
        attention.into(attended, x, s, attend);
        mlp.into(y, attended, s);
    }

    static void visit(auto& self, auto&& f) {
        f("norm1", self.attention.norm);
        f("attention", self.attention.part);
        f("norm2", self.mlp.norm);
        f("mlp", self.mlp.part);
    }
};

/// The same with attention to what the encoder has made, between the other two parts.
template <T5Config C>
struct T5DecoderLayer {
    PreNorm<RmsNorm<C.width>, T5Attention<C>> attention{{C.eps}};
    PreNorm<RmsNorm<C.width>, T5Attention<C>> cross{{C.eps}};
    PreNorm<RmsNorm<C.width>, T5Mlp<C>> mlp{{C.eps}};

    /// `attend(y, x, residual)` and `attend_source(y, x, residual)` run the attentions of this layer.
    void into(Rows<C.width> y, ConstRows<C.width> x, Scratch& s, const auto& attend, const auto& attend_source) const {
        const auto frame = s.frame();
        const auto attended = s.rows<C.width>(x.extent(0)), crossed = s.rows<C.width>(x.extent(0));
        attention.into(attended, x, s, attend);
        cross.into(crossed, attended, s, attend_source);
        mlp.into(y, crossed, s);
    }

    static void visit(auto& self, auto&& f) {
        f("norm1", self.attention.norm);
        f("attention", self.attention.part);
        f("cross_norm", self.cross.norm);
        f("cross", self.cross.part);
        f("norm2", self.mlp.norm);
        f("mlp", self.mlp.part);
    }
};

}  // namespace tessera::inline TESSERA_ISA

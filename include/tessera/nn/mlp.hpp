// The feed-forward part of a block, plain and gated.
#pragma once
#include <tessera/kernel/row/activation.hpp>
#include <tessera/nn/linear.hpp>

namespace tessera::inline TESSERA_ISA {

/// down(activation(up(x))).
/// shape   x [rows, Width] → [rows, Width]
/// errors  Errc::weight_unset; Errc::rows_mismatch
/// cost    4·rows·Width·Hidden flops; rows·Hidden floats of scratch
template <Index Width, Index Hidden, Activation Act = Activation::gelu, HasBias Bias = HasBias::yes>
struct Mlp {
    Linear<Width, Hidden, Bias> up;
    Linear<Hidden, Width, Bias> down;

    Rows<Width> operator()(ConstRows<Width> x, Scratch& s) const {
        auto y = s.rows<Width>(x.extent(0));
        into(y, x, s);
        return y;
    }
    /// Writes into `y`, on top of `residual` where there is one (which may be `y`).
    void into(Rows<Width> y, ConstRows<Width> x, Scratch& s, ConstRows<Width> residual = {}) const {
        const auto frame = s.frame();
        down.into(y, up(x, s, {.activation = Act}), s,
                  {.residual = residual, .dropout = s.next_dropout(DropoutSite::hidden)});
    }

    static void visit(auto& self, auto&& f) {
        f("up", self.up);
        f("down", self.down);
    }
};

/// down(activation(gate(x)) ⊙ up(x)).
/// shape   x [rows, Width] → [rows, Width]
/// errors  Errc::weight_unset; Errc::rows_mismatch
/// cost    6·rows·Width·Hidden flops; 2·rows·Hidden floats of scratch
/// source  Shazeer 2020 (GLU variants); T5 v1.1 and FlanT5 have it without biases
template <Index Width, Index Hidden, Activation Act = Activation::gelu_tanh, HasBias Bias = HasBias::no>
struct GatedMlp {
    Linear<Width, Hidden, Bias> gate, up;
    Linear<Hidden, Width, Bias> down;

    Rows<Width> operator()(ConstRows<Width> x, Scratch& s) const {
        auto y = s.rows<Width>(x.extent(0));
        into(y, x, s);
        return y;
    }
    /// Writes into `y`, on top of `residual` where there is one (which may be `y`).
    void into(Rows<Width> y, ConstRows<Width> x, Scratch& s, ConstRows<Width> residual = {}) const {
        const auto frame = s.frame();
        const auto gates = gate(x, s, {.activation = Act}), values = up(x, s);
        const auto product = s.keeps() ? s.rows<Hidden>(x.extent(0)) : values;
        kernel::multiply(product.data(), gates.data(), values.data(), product.size());
        s.record(MultiplyOp{product.data(), gates.data(), values.data(), product.size()});
        down.into(y, product, s, {.residual = residual, .dropout = s.next_dropout(DropoutSite::hidden)});
    }

    static void visit(auto& self, auto&& f) {
        f("gate", self.gate);
        f("up", self.up);
        f("down", self.down);
    }
};

}  // namespace tessera::inline TESSERA_ISA

// The feed-forward part of a block.
#pragma once
#include <tessera/nn/linear.hpp>

namespace tessera::inline TESSERA_ISA {

/// down(activation(up(x))).
/// shape   x [rows, Width] → [rows, Width]
/// errors  Errc::weight_unset
/// cost    4·rows·Width·Hidden flops; rows·Hidden floats of scratch
template <Index Width, Index Hidden, Activation Act = Activation::gelu>
struct Mlp {
    Linear<Width, Hidden> up;
    Linear<Hidden, Width> down;

    Rows<Width> operator()(ConstRows<Width> x, Scratch& s) const {
        auto y = s.rows<Width>(x.extent(0));
        into(y, x, s);
        return y;
    }
    /// Writes into `y`, on top of `residual` where there is one (which may be `y`).
    void into(Rows<Width> y, ConstRows<Width> x, Scratch& s, const float* residual = nullptr) const {
        const auto frame = s.frame();
        const auto hidden = up(x, s, {.activation = Act});
        down.into(y, hidden, s, {.residual = residual});
    }

    static void visit(auto& self, auto&& f) {
        f("up", self.up);
        f("down", self.down);
    }
};

}  // namespace tessera::inline TESSERA_ISA

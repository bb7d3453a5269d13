// Norms over the width of each row.
#pragma once
#include <tessera/core/scratch.hpp>
#include <tessera/core/visit.hpp>
#include <tessera/kernel/row/norm.hpp>

namespace tessera::inline TESSERA_ISA {

/// (x − mean) / √(variance + eps) · weight + bias, row by row.
/// shape   x [rows, Width] → [rows, Width]
/// errors  Errc::weight_unset before the weights are there
/// source  Ba 2016
template <Index Width>
struct LayerNorm {
    float eps = 1e-5f;
    Parameter<Width> weight, bias;

    /// Writes into `y`, which may be `x`.
    void into(Rows<Width> y, ConstRows<Width> x, Scratch& s) const {
        if (!weight.is_set() || !bias.is_set())
            throw Error(Errc::weight_unset, "LayerNorm<", Width, ">: called before its weights were set");
        kernel::layer_norm(y.data(), x.data(), weight.data(), bias.data(), x.extent(0), Width, eps);
        s.record(NormCall{this, y.data(), x.data(), x.extent(0), Width});
    }
    Rows<Width> operator()(ConstRows<Width> x, Scratch& s) const {
        auto y = s.rows<Width>(x.extent(0));
        into(y, x, s);
        return y;
    }

    static void visit(auto& self, auto&& f) {
        f("weight", self.weight);
        f("bias", self.bias);
    }
};

}  // namespace tessera::inline TESSERA_ISA

// y = activation(x · weightᵀ + bias) + residual
#pragma once
#include <tessera/core/scratch.hpp>
#include <tessera/core/visit.hpp>
#include <tessera/kernel/matmul/matmul.hpp>
#include <tessera/nn/weight.hpp>

namespace tessera::inline TESSERA_ISA {

enum class HasBias : bool { no, yes };

/// What a Linear does with each product before it is stored.
struct LinearOptions {
    Activation activation = Activation::none;
    const float* residual = nullptr;  // [rows, Out]; may be the output itself
};

/// A fully connected layer.
/// shape   x [rows, In] → [rows, Out]
/// errors  Errc::weight_unset before the weights are there; widths are checked by the compiler
/// cost    2·rows·In·Out flops; bias, activation and residual cost no pass over memory
template <Index In, Index Out, HasBias Bias = HasBias::yes>
struct Linear {
    Weight<Out, In> weight;
    Parameter<Bias == HasBias::yes ? Out : 0> bias;

    /// Writes into `y`.
    void into(Rows<Out> y, ConstRows<In> x, Scratch& s, LinearOptions options = {}) const {
        if (!weight.is_set() || !bias.is_set())
            throw Error(Errc::weight_unset, "Linear<", In, ", ", Out, ">: called before its weights were set");
        TESSERA_EXPECTS(x.extent(0) == y.extent(0));
        kernel::gemm(y.data(), Out, x.data(), In, x.extent(0), weight.panels(),
                     {.bias = Bias == HasBias::yes ? bias.data() : nullptr,
                      .activation = options.activation,
                      .residual = options.residual,
                      .residual_stride = Out});
        s.record(LinearCall{this, y.data(), x.data(), options.residual, x.extent(0), In, Out, options.activation});
    }
    Rows<Out> operator()(ConstRows<In> x, Scratch& s, LinearOptions options = {}) const {
        auto y = s.rows<Out>(x.extent(0));
        into(y, x, s, options);
        return y;
    }

    static void visit(auto& self, auto&& f) {
        f("weight", self.weight);
        if constexpr (Bias == HasBias::yes) f("bias", self.bias);
    }
};

}  // namespace tessera::inline TESSERA_ISA

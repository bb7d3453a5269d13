// y = dropout(activation(x · weightᵀ + bias)) + residual
#pragma once
#include <tessera/core/scratch.hpp>
#include <tessera/core/visit.hpp>
#include <tessera/nn/product.hpp>
#include <tessera/nn/record.hpp>
#include <tessera/nn/weight.hpp>

namespace tessera::inline TESSERA_ISA {

enum class HasBias : bool { no, yes };

/// What a Linear does with each product before it is stored.
template <Index Out>
struct LinearOptions {
    Activation activation = Activation::none;
    ConstRows<Out> residual = {};  // [rows, Out], added last; may be the output itself, where there is no dropout
    Dropout dropout = {};          // what a scratch says: `s.next_dropout(DropoutSite::hidden)`
};

namespace detail {
/// errors  Errc::rows_mismatch names the layer, what has the wrong number of rows, and both numbers
inline void require_rows(const char* layer, Index width, const char* what, Index expected, Index found) {
    if (expected != found)
        throw Error(Errc::rows_mismatch, layer, " of width ", width, ": expected ", what, " of ", expected,
                    " rows, found ", found);
}
}  // namespace detail

/// A fully connected layer.
/// shape   x [rows, In] → [rows, Out]
/// errors  Errc::weight_unset before the weights are there; Errc::rows_mismatch; widths are checked by the compiler
/// cost    2·rows·In·Out flops; bias, activation and residual cost no pass over memory; with Products::bf16 x is rounded into scratch
template <Index In, Index Out, HasBias Bias = HasBias::yes>
struct Linear {
    Weight<Out, In> weight;
    Parameter<Bias == HasBias::yes ? Out : 0> bias;

    /// Writes into `y`.
    void into(Rows<Out> y, ConstRows<In> x, Scratch& s, const LinearOptions<Out>& options = {}) const {
        if (!weight.is_set() || !bias.is_set())
            throw Error(Errc::weight_unset, "Linear<", In, ", ", Out, ">: called before its weights were set");
        const Index rows = x.extent(0);
        detail::require_rows("Linear", Out, "an output", rows, y.extent(0));
        const float* const residual = options.residual.data();
        const Dropout& dropout = options.dropout;
        TESSERA_EXPECTS(!dropout || residual != y.data());
        if (residual != nullptr) detail::require_rows("Linear", Out, "a residual", rows, options.residual.extent(0));
        const bool keeps = s.keeps() && options.activation != Activation::none;
        const LinearOp op{.y = y.data(),
                          .x = x.data(),
                          .rows = rows,
                          .in = In,
                          .out = Out,
                          .y_stride = Out,
                          .x_stride = In,
                          .residual = residual,
                          .preactivation = keeps ? s.take<float>(rows * Out) : nullptr,
                          .activation = options.activation,
                          .weight = &weight.packed(),
                          .bias = Bias == HasBias::yes ? bias.data() : nullptr,
                          .weight_leaf = &weight,
                          .bias_leaf = Bias == HasBias::yes ? &bias : nullptr,
                          .dropout = dropout,
                          .products = products_by(weight.packed(), s)};
        compute(op, s);
        s.record(op);
    }
    Rows<Out> operator()(ConstRows<In> x, Scratch& s, const LinearOptions<Out>& options = {}) const {
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

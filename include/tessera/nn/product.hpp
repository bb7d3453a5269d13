// The matrix product of a layer, in the arithmetic that its scratch says, and what is done to it before it is stored.
#pragma once
#include <algorithm>
#include <concepts>
#include <limits>
#include <tessera/core/products.hpp>
#include <tessera/core/scratch.hpp>
#include <tessera/kernel/matmul/matmul.hpp>
#include <tessera/kernel/row/activation.hpp>
#include <tessera/kernel/row/dropout.hpp>
#include <tessera/nn/record.hpp>

namespace tessera::inline TESSERA_ISA {

/// What `s` says of products by this weight: bf16 only where it is stored so.
inline Products products_by(const kernel::PackedB& weight, const Scratch& s) {
    return weight.as_bf16() == nullptr ? Products::f32 : s.products();
}

/// y = activation(x · weightᵀ + bias) + residual, as kernel::gemm; with Products::bf16, which only weights stored as bf16 can have,
/// x is rounded first.
/// shape   x [rows, K] and y [rows, N], strides in elements
/// cost    with Products::bf16 rows·K bf16 of scratch, given back at once
template <std::same_as<float> X>  // not a function: where nobody calls it the tiles of the product are not compiled
void multiply(float* y, Index y_stride, const X* x, Index x_stride, Index rows, const kernel::PackedB& weight,
              const kernel::Epilogue& epilogue, Products products, Scratch& s) {
    if (products == Products::f32) return kernel::gemm(y, y_stride, x, x_stride, rows, weight, epilogue);
    const auto frame = s.frame();
    const Index in = weight.in();
    auto* const rounded = s.take<bf16>(rows * in);
    kernel::to_bf16(rounded, in, x, x_stride, rows, in);
    kernel::gemm(y, y_stride, rounded, in, rows, weight, epilogue);
}

/// Computes what a record says, into op.y and op.preactivation.
template <std::same_as<LinearOp> Op>  // as above
void compute(const Op& op, Scratch& s) {
    const float* const residual = op.dropout ? nullptr : op.residual;  // or it is added afterwards
    if (op.preactivation != nullptr) {
        multiply(op.preactivation, op.out, op.x, op.x_stride, op.rows, *op.weight, {.bias = op.bias}, op.products, s);
        kernel::activate(op.y, op.preactivation, op.rows * op.out, op.activation);
        for (Index i = 0; residual != nullptr && i < op.rows * op.out; ++i) op.y[i] += residual[i];
    } else {
        multiply(op.y, op.y_stride, op.x, op.x_stride, op.rows, *op.weight,
                 {.bias = op.bias, .activation = op.activation, .residual = residual, .residual_stride = op.y_stride},
                 op.products, s);
    }
    if (op.dropout) kernel::dropout(op.y, op.y, op.rows * op.out, op.dropout, op.residual);
    for (Index row = 0; op.lse != nullptr && row < op.rows; ++row)
        if (op.lse[row] == -std::numeric_limits<float>::infinity()) std::fill_n(op.y + row * op.y_stride, op.out, 0.0f);
}

}  // namespace tessera::inline TESSERA_ISA

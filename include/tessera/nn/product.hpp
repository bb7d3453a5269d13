// The matrix product of a layer, in the arithmetic that its scratch says.
#pragma once
#include <tessera/core/products.hpp>
#include <tessera/core/scratch.hpp>
#include <tessera/kernel/matmul/matmul.hpp>

namespace tessera::inline TESSERA_ISA {

/// What `s` says of products by this weight: bf16 only where it is stored so.
inline Products products_by(const kernel::PackedB& weight, const Scratch& s) {
    return weight.as_bf16() == nullptr ? Products::f32 : s.products();
}

/// y = activation(x · weightᵀ + bias) + residual, as kernel::gemm; with Products::bf16, which only weights stored as bf16 can have,
/// x is rounded first.
/// shape   x [rows, K] and y [rows, N], strides in elements
/// cost    with Products::bf16 rows·K bf16 of scratch, given back at once
inline void multiply(float* y, Index y_stride, const float* x, Index x_stride, Index rows,
                     const kernel::PackedB& weight, const kernel::Epilogue& epilogue, Products products, Scratch& s) {
    if (products == Products::f32) return kernel::gemm(y, y_stride, x, x_stride, rows, weight, epilogue);
    const auto frame = s.frame();
    const Index in = weight.in();
    auto* const rounded = s.take<bf16>(rows * in);
    kernel::to_bf16(rounded, in, x, x_stride, rows, in);
    kernel::gemm(y, y_stride, rounded, in, rows, weight, epilogue);
}

}  // namespace tessera::inline TESSERA_ISA

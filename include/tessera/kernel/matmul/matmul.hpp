// The matrix product of every linear layer: activations times packed weights, with what follows it in the same pass.
#pragma once
#include <concepts>
#include <tessera/core/activation.hpp>
#include <tessera/kernel/compiled.hpp>
#include <tessera/kernel/matmul/pack.hpp>

namespace tessera::inline TESSERA_ISA::kernel {

/// What happens to a row after its product: + bias, activation, + residual; each may be left out.
struct Epilogue {
    const float* bias = nullptr;  // [N]
    Activation activation = Activation::none;
    const float* residual = nullptr;  // [rows, N], may be the output itself
    Index residual_stride = 0;
};

/// y[r, :N] = activation(x[r, :K]·Wᵀ + bias) + residual[r, :N] for every row r. From rows of float in float, where bf16 and f16
/// weights count exactly, and i8 ones too up to their scale, which the sum of an output is multiplied by. With i8 weights, on
/// processors with integer dot products (`has_quad_dot`), the inputs of a row, at most 2052 at a time, are rounded to multiples of
/// an 8355000th of their largest magnitude, and a row with an infinite number or NaN becomes NaN.
///
/// From rows of bf16 (`to_bf16` below rounds them), for those who ask for it so, in bf16 arithmetic: products of pairs, sums in
/// float. Where the processor has them (`has_dot`) these are its own dot products, which round in their own way and take
/// subnormal numbers for zero; elsewhere the bits are those of the float product of the rounded rows.
/// shape   x [rows, K] and y [rows, N], strides in elements; rows may be 0; for rows of bf16 so must the weights be stored
/// errors  none; the same bits at any number of threads, and for a row whatever rows are beside it
/// cost    2·rows·N·K flops, in bf16 twice as fast where the processor has dot products, slower elsewhere; allocates
///         nothing, about 35 KB of stack (160 KB with AVX-512)
template <class X>
    requires std::same_as<X, float> || std::same_as<X, bf16>
void gemm(float* y, Index y_stride, const X* x, Index x_stride, Index rows, const PackedB& weight,
          const Epilogue& epilogue = {}) noexcept;

/// y[r, i] = x[r, i] rounded to the nearest bf16, ties to even; NaN stays NaN.
/// shape   x and y [rows, count], strides in elements
TESSERA_KERNEL void to_bf16(bf16* y, Index y_stride, const float* x, Index x_stride, Index rows, Index count) noexcept;

}  // namespace tessera::inline TESSERA_ISA::kernel

#if TESSERA_KERNEL_BODIES
#include <tessera/kernel/matmul/loops.hpp>
#endif

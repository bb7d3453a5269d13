// The matrix product of every linear layer: activations times packed weights, with what follows it in the same pass.
#pragma once
#include <concepts>
#include <tessera/kernel/matmul/pack.hpp>
#include <tessera/kernel/matmul/product.hpp>

namespace tessera::inline TESSERA_ISA::kernel {

/// y[r, :N] = activation(x[r, :K]·Wᵀ + bias) + residual[r, :N] for every row r. From rows of float in float, where bf16
/// weights count exactly.
///
/// From rows of bf16 (`to_bf16` below rounds them), for those who ask for it so, in bf16 arithmetic: products of pairs, sums in
/// float. Where the processor has them (`has_dot`) these are its own dot products, which round in their own way and take
/// subnormal numbers for zero; elsewhere the bits are those of the float product of the rounded rows.
/// shape   x [rows, K] and y [rows, N], strides in elements; rows may be 0; for rows of bf16 so must the weights be stored
/// errors  none; the same bits at any number of threads, and for a row whatever rows are beside it
/// cost    2·rows·N·K flops, in bf16 twice as fast where the processor has dot products, slower elsewhere; allocates
///         nothing, about 35 KB of stack (105 KB with AVX-512)
template <class X>  // so that who does not multiply does not compile it
    requires std::same_as<X, float> || std::same_as<X, bf16>
void gemm(float* y, Index y_stride, const X* x, Index x_stride, Index rows, const PackedB& weight,
          const Epilogue& epilogue = {}) noexcept {
    if constexpr (std::same_as<X, float>)
        if (weight.dtype() == DType::f32)
            return Matmul(y, y_stride, x, x_stride, rows, PackedColumns<float>{weight}, epilogue).run();
    TESSERA_EXPECTS(weight.dtype() == DType::bf16);
    Matmul(y, y_stride, x, x_stride, rows, PackedColumns<bf16>{weight}, epilogue).run();
}

/// y[r, i] = x[r, i] rounded to the nearest bf16, ties to even; NaN stays NaN.
/// shape   x and y [rows, count], strides in elements
inline void to_bf16(bf16* y, Index y_stride, const float* x, Index x_stride, Index rows, Index count) noexcept {
    parallel_ranges(
        rows,
        [&](Index begin, Index end) {
            for (Index r = begin; r < end; ++r) {
                const float* from = x + r * x_stride;
                bf16* to = y + r * y_stride;
                Index i = 0;
                for (; i + width <= count; i += width) store(to + i, load(from + i));
                for (; i < count; ++i) to[i] = tessera::to_bf16(from[i]);
            }
        },
        8 * rows * count);
}

}  // namespace tessera::inline TESSERA_ISA::kernel

// The matrix product of every linear layer: activations times packed weights, with what follows it in the same pass.
#pragma once
#include <tessera/kernel/panels.hpp>
#include <tessera/kernel/product.hpp>

namespace tessera::kernel::inline TESSERA_ISA {

/// y[r, :N] = activation(x[r, :K]·Wᵀ + bias) + residual[r, :N] for every row r, in float; bf16 weights count exactly.
/// shape   x [rows, K] and y [rows, N], strides in elements; rows may be 0
/// errors  none; the same bits at any number of threads, and for a row whatever rows are beside it
/// cost    2·rows·N·K flops; allocates nothing, about 35 KB of stack (105 KB with AVX-512)
inline void gemm(float* y, Index y_stride, const float* x, Index x_stride, Index rows, const Panels& weight,
                 const Epilogue& epilogue = {}) noexcept {
    if (weight.stored() == Stored::f32)
        Product(y, y_stride, x, x_stride, rows, StoredColumns<float>{weight}, epilogue).run();
    else
        Product(y, y_stride, x, x_stride, rows, StoredColumns<bf16>{weight}, epilogue).run();
}

/// The same in bf16 arithmetic, for those who ask for it by giving bf16 activations (`to_bf16` below rounds them): products
/// of pairs, sums in float. Where the processor has them (`has_dot`) these are its own dot products, which round in their
/// own way and take subnormal numbers for zero; elsewhere the bits are those of the f32 product of the rounded activations.
/// shape   x [rows, K] and y [rows, N], strides in elements; the weights must be stored as bf16
/// cost    2·rows·N·K flops, twice as fast as f32 where the processor has dot products, slower elsewhere
inline void gemm(float* y, Index y_stride, const bf16* x, Index x_stride, Index rows, const Panels& weight,
                 const Epilogue& epilogue = {}) noexcept {
    TESSERA_EXPECTS(weight.stored() == Stored::bf16);
    Product(y, y_stride, x, x_stride, rows, StoredColumns<bf16>{weight}, epilogue).run();
}

/// y[r, i] = x[r, i] rounded to the nearest bf16, ties to even; NaN stays NaN.
/// shape   x and y [rows, count], strides in elements
inline void to_bf16(bf16* y, Index y_stride, const float* x, Index x_stride, Index rows, Index count) noexcept {
    parallel_ranges(rows, [&](Index begin, Index end) {
        for (Index r = begin; r < end; ++r) {
            const float* from = x + r * x_stride;
            bf16* to = y + r * y_stride;
            Index i = 0;
            for (; i + width <= count; i += width) store(to + i, load(from + i));
            for (; i < count; ++i) to[i] = tessera::to_bf16(from[i]);
        }
    });
}

}  // namespace tessera::kernel::inline TESSERA_ISA

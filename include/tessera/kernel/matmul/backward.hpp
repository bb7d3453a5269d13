// What gemm's y = x·Wᵀ + b gives back: dx = dy·W, dW += dyᵀ·x, db += Σ dy.
#pragma once
#include <tessera/kernel/compiled.hpp>
#include <tessera/kernel/matmul/pack.hpp>

namespace tessera::inline TESSERA_ISA::kernel {

/// dx[r, :K] = dy[r, :N]·W, or added to what is there. Read from the panels: they are the only copy of a frozen model's
/// weights, bf16 ones too, and turning a piece of them once for all rows of a chunk costs about 2 % at 257 rows (15 % at
/// 32), which a second copy the other way round would not be worth.
/// shape   dy [rows, N] and dx [rows, K], strides in elements; rows may be 0
/// errors  none; the same bits at any number of threads, and for a row whatever rows are beside it
/// cost    2·rows·N·K flops; allocates nothing, about 105 KB of stack (320 KB with AVX-512)
TESSERA_KERNEL void input_gradient(float* dx, Index dx_stride, const float* dy, Index dy_stride, Index rows,
                                   const PackedB& weight, bool add = false) noexcept;

/// The same from rows of bf16 in bf16 arithmetic, as kernel::gemm of such rows: products of pairs of outputs, sums in float.
/// shape   as above; the weights must be stored as bf16
/// cost    half of that in time where the processor has dot products of bf16, more elsewhere; as much stack
TESSERA_KERNEL void input_gradient(float* dx, Index dx_stride, const bf16* dy, Index dy_stride, Index rows,
                                   const PackedB& weight, bool add = false) noexcept;

/// dw[n, k] += Σ_r dy[r, n]·x[r, k]: the rows are summed in equal blocks of at most 384, and those added one after another.
/// shape   dy [rows, N] and x [rows, K], strides in elements; dw [N, K], rows side by side as optimisers see them
/// errors  none; the same bits at any number of threads
/// cost    2·rows·N·K flops; allocates nothing, about 500 KB of stack (600 KB with AVX-512)
TESSERA_KERNEL void weight_gradient(float* dw, Index out, Index in, const float* dy, Index dy_stride, const float* x,
                                    Index x_stride, Index rows) noexcept;

/// db[n] += Σ_r dy[r, n], in the order of the rows.
/// shape   dy [rows, N], stride in elements
/// errors  none; the same bits at any number of threads
/// cost    dy is read once
TESSERA_KERNEL void bias_gradient(float* db, const float* dy, Index dy_stride, Index rows, Index out) noexcept;

}  // namespace tessera::inline TESSERA_ISA::kernel

#if TESSERA_KERNEL_BODIES
#include <tessera/kernel/matmul/input_gradient.hpp>
#include <tessera/kernel/matmul/weight_gradient.hpp>
#endif

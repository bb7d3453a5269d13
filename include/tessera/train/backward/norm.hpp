// Back through layer norm and RMS norm.
#pragma once
#include <tessera/kernel/row/norm_backward.hpp>
#include <tessera/train/backward/context.hpp>

namespace tessera::inline TESSERA_ISA {

inline void backward(const NormOp& op, BackwardContext& c) {
    const float* const dy = c.rows.at(op.y);
    if (dy == nullptr) return;
    const GradientTarget x = c.rows.into(op.x, op.rows, op.width, op.width);
    float *const gain = c.leaves.find(op.gain_leaf), *const bias = c.leaves.find(op.bias_leaf);
    if (op.kind == NormKind::layer)
        kernel::layer_norm_backward(x.to, x.add, dy, op.x, op.gain, op.mean, op.rstd, gain, bias, op.rows, op.width);
    else
        kernel::rms_norm_backward(x.to, x.add, dy, op.x, op.gain, op.rstd, gain, op.rows, op.width);
}

}  // namespace tessera::inline TESSERA_ISA

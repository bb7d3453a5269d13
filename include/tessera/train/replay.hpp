// Runs a recorded kernel call again: the same kernel, the same operands, the same bits, into the same memory.
#pragma once
#include <algorithm>
#include <limits>
#include <tessera/kernel/attention/forward.hpp>
#include <tessera/kernel/row/activation.hpp>
#include <tessera/kernel/row/dropout.hpp>
#include <tessera/kernel/row/mean.hpp>
#include <tessera/kernel/row/norm.hpp>
#include <tessera/kernel/row/normalize.hpp>
#include <tessera/nn/product.hpp>
#include <tessera/nn/record.hpp>

namespace tessera::inline TESSERA_ISA {

inline void replay(const LinearOp& op, Scratch& s) {
    const kernel::Epilogue bias{.bias = op.bias};
    const float* const residual = op.dropout ? nullptr : op.residual;  // or it is added afterwards
    if (op.preactivation != nullptr) {
        auto* const before = const_cast<float*>(op.preactivation);
        multiply(before, op.out, op.x, op.x_stride, op.rows, *op.weight, bias, op.products, s);
        kernel::activate(op.y, before, op.rows * op.out, op.activation);
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

inline void replay(const NormOp& op, Scratch&) {
    if (op.kind == NormKind::layer)
        kernel::layer_norm(op.y, op.x, op.gain, op.bias, op.rows, op.width, op.eps, op.mean, op.rstd);
    else
        kernel::rms_norm(op.y, op.x, op.gain, op.rows, op.width, op.eps, op.rstd);
}

inline void replay(const AttendOp& op, Scratch& s) {
    kernel::attend(op.out, op.q, op.k, op.v, op.shape, op.mask, s, op.score_mod, op.lse);
}

inline void replay(const AddOp& op, Scratch&) {
    const Index count = op.rows * op.width;
    if (op.added == nullptr)
        std::copy_n(op.x, count, op.y);
    else
        for (Index i = 0; i < count; ++i) op.y[i] = op.x[i] + op.added[i];
}

// These are in no block; a tape says so.
inline void replay(const EmbedOp&, Scratch&) {}
inline void replay(const FunctionOp&, Scratch&) {}

inline void replay(const MultiplyOp& op, Scratch&) { kernel::multiply(op.y, op.a, op.b, op.count); }

inline void replay(const NormalizeOp& op, Scratch&) { kernel::normalize_rows(op.y, op.x, op.norms, op.rows, op.width); }

inline void replay(const DropoutOp& op, Scratch&) { kernel::dropout(op.y, op.x, op.count, op.dropout); }

inline void replay(const MeanOp& op, Scratch&) {
    kernel::mean_rows(op.y, op.x, op.groups, op.rows_per_group, op.width);
}

}  // namespace tessera::inline TESSERA_ISA

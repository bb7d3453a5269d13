// Runs a recorded kernel call again: the same kernel, the same operands, the same bits, into the same memory.
#pragma once
#include <algorithm>
#include <tessera/kernel/attention/forward.hpp>
#include <tessera/kernel/row/dropout.hpp>
#include <tessera/kernel/row/mean.hpp>
#include <tessera/kernel/row/norm.hpp>
#include <tessera/kernel/row/normalize.hpp>
#include <tessera/nn/product.hpp>
#include <tessera/nn/record.hpp>

namespace tessera::inline TESSERA_ISA {

inline void replay(const LinearOp& op, Scratch& s) { compute(op, s); }

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

// The backward pass of attention, fused: probabilities are computed anew from the log-sum-exp, scores never leave the
// cache, and only what the mask shows is computed.
#pragma once
#include <tessera/core/scratch.hpp>
#include <tessera/kernel/attention/score_mod_gradient.hpp>
#include <tessera/kernel/attention/shape.hpp>
#include <tessera/kernel/compiled.hpp>
#include <tessera/mask/mask_ref.hpp>
#include <tessera/mask/score_mod/score_mod_ref.hpp>

namespace tessera::inline TESSERA_ISA::kernel {

/// Operands of the backward pass; the gradients lie as what they are gradients of does. dk and dv may be null where nobody
/// wants them, and then cost nothing.
struct AttendGradients {
    float *dq, *dk, *dv;
    const float *d_out, *out, *lse, *q, *k, *v;
};

/// What `d_out`, the gradient of a loss by `out` of `attend`, gives for its inputs.
/// shape   d_out, out [T, H·d], lse [H, T] → dq [T, H·d], dk, dv [S, K·d], overwritten; rows of gradients are as far
///         apart as those of what they are gradients of. d_bias: DiagonalGradient or AdditiveGradient.
/// units   queries that see no key, and pairs that the mask hides, add nothing, whatever their numbers are. The result
///         does not depend on the number of threads. `shape` says what `attend` dropped.
/// errors  std::bad_alloc; Errc::option_value where a bias learns that is neither first nor last in `score_mod`
/// cost    10·T·S·d·H flops on the visible tiles, 2·T·S·d·H less for each of dk and dv that is not wanted; scratch of 160·d + 12288 floats for each thread and 4·d for each of
///         at most 512 keys, T·H·d for each share
///         of the keys if there is more than one (32/H, at most one for 512 keys), T + S for each and a DiagonalGradient
/// source  Dao 2022 (FlashAttention), algorithm 4
TESSERA_KERNEL void attend_backward(const AttendGradients& x, const AttentionShape& shape, const MaskRef& mask,
                                    Scratch& scratch, const ScoreModRef& score_mod = {},
                                    const BiasGradient& d_bias = {});

}  // namespace tessera::inline TESSERA_ISA::kernel

#if TESSERA_KERNEL_BODIES
#include <tessera/kernel/attention/backward_tasks.hpp>
#endif

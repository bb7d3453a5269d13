// Attention, fused: scores never leave the cache, and only what the mask shows is computed.
#pragma once
#include <tessera/core/dtype.hpp>
#include <tessera/core/scratch.hpp>
#include <tessera/kernel/attention/shape.hpp>
#include <tessera/kernel/compiled.hpp>
#include <tessera/mask/mask_ref.hpp>
#include <tessera/mask/score_mod/score_mod_ref.hpp>

namespace tessera::inline TESSERA_ISA::kernel {

/// out = dropout(softmax(scale·q kᵀ, modified by `score_mod`, where mask allows))·v for each head.
/// shape   q [T, H·d], k, v [S, K·d] with K heads of keys → out [T, H·d], rows `…_stride` apart; lse [H, T], if it is
///         wanted; k and v may be the same; f32, or k and v in bf16, or all three, which is computed with in f32
/// units   lse is the log-sum-exp of the visible scores; a query that sees no key gives 0, and −∞ in lse. Scores, keys
///         and values that the mask hides are not used, whatever they are; NaN where it shows them comes through. A
///         weight below 2^−126.5 of the largest is 0.
/// errors  std::bad_alloc
/// cost    4·T·S·d·H flops on the visible tiles; for each thread about 32·(8·d + 192) + 2·192·d floats of scratch
/// source  Milakov and Gimelshein 2018 (online softmax); Dao 2022 (FlashAttention)
template <class Q, class K>
void attend(float* out, const Q* q, const K* k, const K* v, const AttentionShape& shape, const MaskRef& mask,
            Scratch& scratch, const ScoreModRef& score_mod = {}, float* lse = nullptr);

}  // namespace tessera::inline TESSERA_ISA::kernel

#if TESSERA_KERNEL_BODIES
#include <tessera/kernel/attention/forward_tasks.hpp>
#endif

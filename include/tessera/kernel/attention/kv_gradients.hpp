// A few hundred keys of one head with their values and gradients, for attention's backward pass: where they lie, or
// copied together, because rows of several heads lie a power of two apart and push each other out of the cache.
#pragma once
#include <algorithm>
#include <tessera/kernel/row/pack_rows.hpp>
#include <tessera/mask/mask_ref.hpp>
#include <utility>

namespace tessera::inline TESSERA_ISA::kernel {

/// Whether all numbers of these rows are finite.
inline bool finite_rows(const float* x, Index stride, Index rows, Index dim) {
    Vec zero = broadcast(0.0f);
    for (Index r = 0; r < rows; ++r)
        for_each_vec(dim, [&](Index c, Index n) { zero = fma(load(x + r * stride + c, n), broadcast(0.0f), zero); });
    return reduce_add(zero) == 0.0f;
}

/// Keys of one head; gradients lie as what they are gradients of does, or are null where they are not wanted.
struct KvGradients {
    Range keys;
    const float *k, *v;
    float *dk, *dv;
    Index k_stride, v_stride;
    bool finite;  // whether all numbers of k are known to be
    Range begun;  // those whose gradients hold something

    /// What a copy of `count` keys takes: a little more than they need, so that the four arrays do not meet in the same
    /// lines of the cache.
    static constexpr Index floats(Index count, Index dim) { return 4 * ((count * dim + 15) / 16 * 16 + 48); }
};

/// The same keys and values in `memory`, with room for their gradients.
inline KvGradients copied(const KvGradients& from, float* memory, Index dim) {
    const Index count = from.keys.size();
    const auto take = [&] { return std::exchange(memory, memory + KvGradients::floats(count, dim) / 4); };
    float *const k = take(), *const v = take(), *const dk = take(), *const dv = take();
    const bool finite = pack_rows_check_finite(k, dim, from.k, from.k_stride, count, dim);
    pack_rows_check_finite(v, dim, from.v, from.v_stride, count, dim);
    return {from.keys, k,      v,         from.dk == nullptr ? nullptr : dk, from.dv == nullptr ? nullptr : dv, dim,
            dim,       finite, from.begun};
}

inline void clear_gradients(const KvGradients& group, Range keys, Index dim) {
    for (Index i = keys.begin - group.keys.begin; i < keys.end - group.keys.begin; ++i) {
        if (group.dk != nullptr) std::fill_n(group.dk + i * group.k_stride, dim, 0.0f);
        if (group.dv != nullptr) std::fill_n(group.dv + i * group.v_stride, dim, 0.0f);
    }
}

/// Before something is added to the gradients of `keys`: clears those that hold nothing. Where that is all of them and
/// `whole`, which says that every number will be written, they are left alone, and true is returned.
inline bool begin_gradients(KvGradients& group, Range keys, bool whole, Index dim) {
    const Range before = group.begun.empty() ? Range{keys.begin, keys.begin} : group.begun;
    const bool first = whole && intersection(before, keys).empty();
    clear_gradients(group, {first ? keys.end : keys.begin, before.begin}, dim);
    clear_gradients(group, {before.end, first ? keys.begin : keys.end}, dim);
    group.begun = hull(before, keys);
    return first;
}

/// When nothing more is added.
inline void end_gradients(const KvGradients& group, Index dim) {
    clear_gradients(group, {group.keys.begin, group.begun.begin}, dim);
    clear_gradients(group, {group.begun.end, group.keys.end}, dim);
}

inline void copy_gradients(const KvGradients& to, const KvGradients& from, Index dim) {
    if (to.dk != nullptr) pack_rows_check_finite(to.dk, to.k_stride, from.dk, from.k_stride, from.keys.size(), dim);
    if (to.dv != nullptr) pack_rows_check_finite(to.dv, to.v_stride, from.dv, from.v_stride, from.keys.size(), dim);
}

}  // namespace tessera::inline TESSERA_ISA::kernel

// The mean of groups of rows, as of the logits of a picture's queries, and what that gives back.
#pragma once
#include <tessera/kernel/compiled.hpp>
#include <tessera/kernel/row/rows.hpp>

namespace tessera::inline TESSERA_ISA::kernel {

/// y[g] = the mean of the rows g·per_group … (g + 1)·per_group − 1 of x, which are added in this order.
/// shape   x [groups·per_group, D] → y [groups, D]; per_group ≥ 1
TESSERA_KERNEL void mean_rows(float* y, const float* x, Index groups, Index per_group, Index size) noexcept;

/// Each row of a group gets dy[g] / per_group.
/// shape   dy [groups, D] → dx [groups·per_group, D], overwritten or (`add`) added to
TESSERA_KERNEL void mean_rows_backward(float* dx, bool add, const float* dy, Index groups, Index per_group,
                                       Index size) noexcept;

#if TESSERA_KERNEL_BODIES
TESSERA_KERNEL void mean_rows(float* y, const float* x, Index groups, Index per_group, Index size) noexcept {
    const Vec count = broadcast(static_cast<float>(per_group));
    for_each_row(groups, per_group * size, [=](Index group) {
        const float* const from = x + group * per_group * size;
        for_each_vec(size, [&](Index i, Index n) {
            Vec sum = broadcast(0.0f);
            for (Index row = 0; row < per_group; ++row) sum += load(from + row * size + i, n);
            store(y + group * size + i, sum / count, n);
        });
    });
}

TESSERA_KERNEL void mean_rows_backward(float* dx, bool add, const float* dy, Index groups, Index per_group,
                                       Index size) noexcept {
    const Vec count = broadcast(static_cast<float>(per_group));
    for_each_row(groups, per_group * size, [=](Index group) {
        for_each_vec(size, [&](Index i, Index n) {
            const Vec each = load(dy + group * size + i, n) / count;
            for (Index row = 0; row < per_group; ++row) {
                float* const to = dx + (group * per_group + row) * size + i;
                store(to, add ? load(to, n) + each : each, n);
            }
        });
    });
}
#endif

}  // namespace tessera::inline TESSERA_ISA::kernel

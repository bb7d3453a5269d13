// Rows made as long as 1, and what that gives back.
#pragma once
#include <cmath>
#include <tessera/kernel/compiled.hpp>
#include <tessera/kernel/row/rows.hpp>

namespace tessera::inline TESSERA_ISA::kernel {

/// Shorter rows than this are not made as long as 1.
inline constexpr float shortest_row = 1e-12f;

/// y = x / max(‖x‖, 1e-12), row by row.
/// shape   x [T, D] → y [T, D], may be x; norms [T], which receive ‖x‖, if they are wanted
/// units   squares are added up as floats: right for lengths from 1e-18 to 1e19
/// source  torch.nn.functional.normalize
TESSERA_KERNEL void normalize_rows(float* y, const float* x, float* norms, Index rows, Index size) noexcept;

/// dx = (dy − y·(y·dy)) / ‖x‖; for a row shorter than 1e-12 just dy / 1e-12.
/// shape   dy, y [T, D], norms [T] as normalize_rows gave them → dx [T, D], overwritten or (`add`) added to, may be dy
/// errors  none; the same bits at any number of threads
TESSERA_KERNEL void normalize_rows_backward(float* dx, bool add, const float* dy, const float* y, const float* norms,
                                            Index rows, Index size) noexcept;

#if TESSERA_KERNEL_BODIES
TESSERA_KERNEL void normalize_rows(float* y, const float* x, float* norms, Index rows, Index size) noexcept {
    for_each_row(rows, size, [=](Index row) {
        const float* const from = x + row * size;
        const float norm = std::sqrt(dot_row(from, from, size));
        if (norms != nullptr) norms[row] = norm;
        const Vec scale = broadcast(1 / (norm < shortest_row ? shortest_row : norm));
        for_each_vec(size, [&](Index i, Index n) { store(y + row * size + i, load(from + i, n) * scale, n); });
    });
}

TESSERA_KERNEL void normalize_rows_backward(float* dx, bool add, const float* dy, const float* y, const float* norms,
                                            Index rows, Index size) noexcept {
    for_each_row(rows, size, [=](Index row) {
        const float* const d = dy + row * size;
        const float* const unit = y + row * size;
        float* const to = dx + row * size;
        const bool constant = norms[row] < shortest_row;
        const Vec along = broadcast(constant ? 0.0f : dot_row(d, unit, size));
        const Vec scale = broadcast(1 / (constant ? shortest_row : norms[row]));
        for_each_vec(size, [&](Index i, Index n) {
            const Vec back = (load(d + i, n) - load(unit + i, n) * along) * scale;
            store(to + i, add ? load(to + i, n) + back : back, n);
        });
    });
}
#endif

}  // namespace tessera::inline TESSERA_ISA::kernel

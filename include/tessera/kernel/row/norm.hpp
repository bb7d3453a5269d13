// Layer norm and RMS norm, a row at a time.
#pragma once
#include <cmath>
#include <tessera/kernel/compiled.hpp>
#include <tessera/kernel/row/rows.hpp>

namespace tessera::inline TESSERA_ISA::kernel {

/// y = (x − mean) / √(variance + eps) · gain + bias, row by row. The variance is that of the centred values, so large
/// means do not spoil it.
/// shape   x [T, D], gain, bias [D] → y [T, D]; y may be x; means, rstds [T], if they are wanted
/// cost    three passes over a row, which stays in the first-level cache
/// source  Ba et al. 2016
TESSERA_KERNEL void layer_norm(float* y, const float* x, const float* gain, const float* bias, Index rows, Index size,
                               float eps, float* means = nullptr, float* rstds = nullptr) noexcept;

/// y = x / √(mean of x² + eps) · gain, row by row: the norm of T5.
/// shape   x [T, D], gain [D] → y [T, D]; y may be x; rstds [T], if they are wanted
/// cost    two passes over a row
/// source  Zhang and Sennrich 2019
TESSERA_KERNEL void rms_norm(float* y, const float* x, const float* gain, Index rows, Index size, float eps,
                             float* rstds = nullptr) noexcept;

#if TESSERA_KERNEL_BODIES
TESSERA_KERNEL void layer_norm(float* y, const float* x, const float* gain, const float* bias, Index rows, Index size,
                               float eps, float* means, float* rstds) noexcept {
    for_each_row(rows, size, [=](Index row) {
        const float* const from = x + row * size;
        const float count = static_cast<float>(size);
        const float average = sum_row(from, size, [](Vec a) { return a; }) / count;
        const Vec mean = broadcast(average);
        const float variance = sum_row(from, size, [=](Vec a) { return (a - mean) * (a - mean); }) / count;
        const float rstd = 1.0f / std::sqrt(variance + eps);
        const Vec scale = broadcast(rstd);
        if (means != nullptr) means[row] = average;
        if (rstds != nullptr) rstds[row] = rstd;
        for_each_vec(size, [&](Index i, Index n) {
            const Vec centred = (load(from + i, n) - mean) * scale;
            store(y + row * size + i, fma(centred, load(gain + i, n), load(bias + i, n)), n);
        });
    });
}

TESSERA_KERNEL void rms_norm(float* y, const float* x, const float* gain, Index rows, Index size, float eps,
                             float* rstds) noexcept {
    for_each_row(rows, size, [=](Index row) {
        const float* const from = x + row * size;
        const float square = sum_row(from, size, [](Vec a) { return a * a; }) / static_cast<float>(size);
        const float rstd = 1.0f / std::sqrt(square + eps);
        const Vec scale = broadcast(rstd);
        if (rstds != nullptr) rstds[row] = rstd;
        for_each_vec(size, [&](Index i, Index n) {
            store(y + row * size + i, load(from + i, n) * scale * load(gain + i, n), n);
        });
    });
}

#endif

}  // namespace tessera::inline TESSERA_ISA::kernel

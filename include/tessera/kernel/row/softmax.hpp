// Softmax of rows, and its logarithm.
#pragma once
#include <cmath>
#include <limits>
#include <tessera/kernel/compiled.hpp>
#include <tessera/kernel/row/rows.hpp>
#include <tessera/kernel/simd/math.hpp>

namespace tessera::inline TESSERA_ISA::kernel {

/// y = eˣ / Σ eˣ, row by row; −∞ gives exactly 0, a row of nothing but −∞ gives zeros, NaN fills its row with NaN.
/// shape   x [T, V] → y [T, V]; y may be x
TESSERA_KERNEL void softmax(float* y, const float* x, Index rows, Index size) noexcept;

/// y = x − log Σ eˣ, row by row; a row of nothing but −∞ stays so, NaN fills its row with NaN.
/// shape   x [T, V] → y [T, V]; y may be x
TESSERA_KERNEL void log_softmax(float* y, const float* x, Index rows, Index size) noexcept;

#if TESSERA_KERNEL_BODIES
/// Detail: the largest number of a row; −∞ where there is none. NaN may be passed over.
inline float largest(const float* x, Index size) {
    constexpr float nothing = -std::numeric_limits<float>::infinity();
    return reduce_max(fold_row(
        x, size, nothing, [](Vec a) { return a; }, [](Vec a, Vec b) { return max(b, a); }));
}

TESSERA_KERNEL void softmax(float* y, const float* x, Index rows, Index size) noexcept {
    for_each_row(rows, size, [=](Index row) {
        const float* const from = x + row * size;
        float* const to = y + row * size;
        const float top = largest(from, size);
        const Vec shift = broadcast(top == -std::numeric_limits<float>::infinity() ? 0.0f : top);
        for_each_vec(size, [&](Index i, Index n) { store(to + i, exp(load(from + i, n) - shift), n); });
        const float total = sum_row(to, size, [](Vec a) { return a; });
        const Vec scale = broadcast(total == 0.0f ? 0.0f : 1.0f / total);
        for_each_vec(size, [&](Index i, Index n) { store(to + i, load(to + i, n) * scale, n); });
    });
}

TESSERA_KERNEL void log_softmax(float* y, const float* x, Index rows, Index size) noexcept {
    for_each_row(rows, size, [=](Index row) {
        const float* const from = x + row * size;
        const float top = largest(from, size);
        const Vec shift = broadcast(top == -std::numeric_limits<float>::infinity() ? 0.0f : top);
        const float total = sum_row(from, size, [=](Vec a) { return exp(a - shift); });
        const Vec rest = broadcast(total == 0.0f ? 0.0f : std::log(total));
        for_each_vec(size, [&](Index i, Index n) { store(y + row * size + i, (load(from + i, n) - shift) - rest, n); });
    });
}

#endif

}  // namespace tessera::inline TESSERA_ISA::kernel

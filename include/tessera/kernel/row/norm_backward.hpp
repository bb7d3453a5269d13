// What the norms of kernel/row/norm give back. With g = dy·gain and x̂ the normed x: dx = rstd·(g − mean g − x̂·mean(g·x̂)), where
// RMS norm has no mean g; d_gain = Σ dy·x̂ and d_bias = Σ dy over the rows.
#pragma once
#include <algorithm>
#include <tessera/core/tensor.hpp>
#include <tessera/kernel/compiled.hpp>
#include <tessera/kernel/row/rows.hpp>

namespace tessera::inline TESSERA_ISA::kernel {

/// The gradients of layer_norm.
/// shape   dy, x [T, D], gain [D], means, rstds [T] as layer_norm gave them → dx [T, D], overwritten or (`add`) added to, may be
///         dy; d_gain, d_bias [D], added to. dx, d_gain and d_bias may each be null
/// errors  none; the same bits at any number of threads
/// cost    dy and x are read once for dx, a row staying in the first-level cache, and once for d_gain and d_bias; 8 KB of stack
/// source  Ba et al. 2016
TESSERA_KERNEL void layer_norm_backward(float* dx, bool add, const float* dy, const float* x, const float* gain,
                                        const float* means, const float* rstds, float* d_gain, float* d_bias,
                                        Index rows, Index size) noexcept;

/// The gradients of rms_norm, which has neither means nor a bias.
/// shape   as those of layer_norm_backward
/// source  Zhang and Sennrich 2019
TESSERA_KERNEL void rms_norm_backward(float* dx, bool add, const float* dy, const float* x, const float* gain,
                                      const float* rstds, float* d_gain, Index rows, Index size) noexcept;

#if TESSERA_KERNEL_BODIES
/// Detail: d_gain += Σ dy·x̂, d_bias += Σ dy, in the order of the rows. Without means they are 0.
inline void norm_parameter_gradients(float* d_gain, float* d_bias, const float* dy, const float* x, const float* means,
                                     const float* rstds, Index rows, Index size) {
    constexpr Index most =
        64 * width;  // columns whose sums stay in the first-level cache: memory is read in long stretches
    const auto columns = [&](Index first, Index count) {
        alignas(alignment) float gains[most], biases[most];
        std::fill_n(gains, count, 0.0f), std::fill_n(biases, count, 0.0f);
        for (Index r = 0; r < rows; ++r) {
            const Vec mean = broadcast(means == nullptr ? 0.0f : means[r]), rstd = broadcast(rstds[r]);
            const Index at = r * size + first;
            for_each_vec(count, [&](Index i, Index n) {
                const Vec d = load(dy + at + i, n);
                store(gains + i, fma(d, (load(x + at + i, n) - mean) * rstd, load(gains + i, n)), n);
                store(biases + i, load(biases + i, n) + d, n);
            });
        }
        const auto add = [&](float* to, const float* sums) {
            if (to == nullptr) return;
            to += first;
            for_each_vec(count, [&](Index i, Index n) { store(to + i, load(to + i, n) + load(sums + i, n), n); });
        };
        add(d_gain, gains), add(d_bias, biases);
    };
    parallel_ranges((size + width - 1) / width,
                    [&](Index begin, Index end) {
                        const Index last = std::min(end * width, size);
                        for (Index first = begin * width; first < last; first += most)
                            columns(first, std::min(most, last - first));
                    },
                    8 * rows * size);
}

/// Detail: dx of either norm; `Centred` is layer norm.
template <bool Centred>
void norm_input_gradient(float* dx, bool add, const float* dy, const float* x, const float* gain, const float* means,
                         const float* rstds, Index rows, Index size) {
    for_each_row(rows, size, [=](Index row) {
        const float* const d = dy + row * size;
        const float* const from = x + row * size;
        float* const to = dx + row * size;
        const Vec mean = broadcast(Centred ? means[row] : 0.0f), rstd = broadcast(rstds[row]);
        const auto normed = [=](Index i, Index n) {
            if constexpr (Centred) return (load(from + i, n) - mean) * rstd;
            return load(from + i, n) * rstd;
        };
        Vec sum[2], dot[2];
        unroll<2>([&](auto v) { sum[v] = dot[v] = broadcast(0.0f); });
        const auto absorb = [&](auto v, Index i, Index n) {
            const Vec g = load(d + i, n) * load(gain + i, n);
            if constexpr (Centred) sum[v] += g;
            dot[v] = fma(g, normed(i, n), dot[v]);
        };
        Index i = 0;
        for (; i + 2 * width <= size; i += 2 * width) unroll<2>([&](auto v) { absorb(v, i + v * width, width); });
        for_each_vec(size - i, [&](Index j, Index n) { absorb(std::integral_constant<int, 0>{}, i + j, n); });
        const float count = static_cast<float>(size);
        const Vec mean_g = broadcast(reduce_add(sum[0] + sum[1]) / count);
        const Vec mean_gx = broadcast(reduce_add(dot[0] + dot[1]) / count);
        for_each_vec(size, [&](Index j, Index n) {
            Vec g = load(d + j, n) * load(gain + j, n);
            if constexpr (Centred) g -= mean_g;
            const Vec back = (g - normed(j, n) * mean_gx) * rstd;
            store(to + j, add ? load(to + j, n) + back : back, n);
        });
    });
}

TESSERA_KERNEL void layer_norm_backward(float* dx, bool add, const float* dy, const float* x, const float* gain,
                                        const float* means, const float* rstds, float* d_gain, float* d_bias,
                                        Index rows, Index size) noexcept {
    if (d_gain != nullptr || d_bias != nullptr)  // first, as dx may be dy
        norm_parameter_gradients(d_gain, d_bias, dy, x, means, rstds, rows, size);
    if (dx != nullptr) norm_input_gradient<true>(dx, add, dy, x, gain, means, rstds, rows, size);
}

TESSERA_KERNEL void rms_norm_backward(float* dx, bool add, const float* dy, const float* x, const float* gain,
                                      const float* rstds, float* d_gain, Index rows, Index size) noexcept {
    if (d_gain != nullptr) norm_parameter_gradients(d_gain, nullptr, dy, x, nullptr, rstds, rows, size);
    if (dx != nullptr) norm_input_gradient<false>(dx, add, dy, x, gain, nullptr, rstds, rows, size);
}
#endif

}  // namespace tessera::inline TESSERA_ISA::kernel

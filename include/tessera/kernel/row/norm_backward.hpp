// What the norms of kernel/row/norm give back. With g = dy·gain and x̂ the normed x: dx = rstd·(g − mean g − x̂·mean(g·x̂)), where
// RMS norm has no mean g; d_gain = Σ dy·x̂ and d_bias = Σ dy over the rows.
#pragma once
#include <tessera/kernel/compiled.hpp>
#include <tessera/kernel/row/rows.hpp>

namespace tessera::inline TESSERA_ISA::kernel {

/// The gradients of layer_norm.
/// shape   dy, x [T, D], gain [D], means, rstds [T] as layer_norm gave them → dx [T, D], overwritten or (`add`) added to, may be
///         dy; d_gain, d_bias [D], added to. dx, d_gain and d_bias may each be null
/// errors  none; the same bits at any number of threads
/// cost    dy and x are read once for dx, a row staying in the first-level cache, and once for d_gain and d_bias
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
    constexpr int vectors = 4;  // of columns that go together: so many chains of two sums, and so much of each row
    constexpr Index wide = vectors * width;
    const auto sums = [&](Index first, Index lanes, auto count, Vec* gains, Vec* biases) {
        for (Index r = 0; r < rows; ++r) {
            const Vec mean = broadcast(means == nullptr ? 0.0f : means[r]), rstd = broadcast(rstds[r]);
            unroll<count>([&](auto v) {
                const Index at = r * size + first + v * width;
                const Vec d = load(dy + at, lanes);
                gains[v] = fma(d, (load(x + at, lanes) - mean) * rstd, gains[v]);
                biases[v] += d;
            });
        }
        unroll<count>([&](auto v) {
            const Index at = first + v * width;
            if (d_gain != nullptr) store(d_gain + at, load(d_gain + at, lanes) + gains[v], lanes);
            if (d_bias != nullptr) store(d_bias + at, load(d_bias + at, lanes) + biases[v], lanes);
        });
    };
    parallel_ranges((size + wide - 1) / wide,
                    [&](Index begin, Index end) {
                        for (Index first = begin * wide; first < std::min(end * wide, size); first += wide) {
                            Vec gains[vectors], biases[vectors];
                            unroll<vectors>([&](auto v) { gains[v] = biases[v] = broadcast(0.0f); });
                            if (first + wide <= size)
                                sums(first, width, std::integral_constant<int, vectors>{}, gains, biases);
                            else
                                for_each_vec(size - first, [&](Index i, Index lanes) {
                                    gains[0] = biases[0] = broadcast(0.0f);
                                    sums(first + i, lanes, std::integral_constant<int, 1>{}, gains, biases);
                                });
                        }
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

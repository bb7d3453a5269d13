// One step of AdamW, and the sum of squares that gradients are clipped by.
#pragma once
#include <array>
#include <cmath>
#include <tessera/kernel/compiled.hpp>
#include <tessera/kernel/row/rows.hpp>

namespace tessera::inline TESSERA_ISA::kernel {

/// The numbers of step t = 1, 2, …; in double, as 1 − beta would lose digits of a float.
struct AdamWNumbers {
    double rate, beta1, beta2, eps, decay;
    double correction1, correction2;  // 1 − beta1ᵗ, 1 − beta2ᵗ
    double gradient_scale = 1;
};

/// With g = gradient_scale·g: w −= rate·decay·w; m += (1 − beta1)·(g − m); v = beta2·v + (1 − beta2)·g²;
/// w −= rate/correction1 · m / (√v/√correction2 + eps).
/// shape   count numbers each
/// errors  none; the same bits at any number of threads
/// cost    as fast as memory: 4 numbers read and 3 written each
/// source  Loshchilov and Hutter 2019; torch.optim.AdamW, one tensor at a time, without amsgrad
TESSERA_KERNEL void adamw(float* w, float* m, float* v, const float* g, Index count, const AdamWNumbers& n) noexcept;

/// Σ x²: squares are floats, added up in double in an order that does not depend on the number of threads.
/// units   right for numbers of a size from 1e-18 to 1e19
TESSERA_KERNEL double sum_of_squares(const float* x, Index count) noexcept;

#if TESSERA_KERNEL_BODIES
TESSERA_KERNEL void adamw(float* w, float* m, float* v, const float* g, Index count, const AdamWNumbers& n) noexcept {
    const auto all = [](double number) { return broadcast(static_cast<float>(number)); };
    const Vec scale = all(n.gradient_scale), kept = all(1 - n.rate * n.decay), share1 = all(1 - n.beta1);
    const Vec beta2 = all(n.beta2), share2 = all(1 - n.beta2), eps = all(n.eps);
    const Vec root2 = all(std::sqrt(n.correction2)), step = all(-n.rate / n.correction1);
    for_each_piece(count, 16, [=](Index first, Index numbers) {
        for_each_vec(numbers, [&](Index i, Index lanes) {
            const Index at = first + i;
            const Vec gradient = load(g + at, lanes) * scale;
            const Vec old = load(m + at, lanes);
            const Vec momentum = fma(share1, gradient - old, old);
            const Vec square = fma(share2 * gradient, gradient, load(v + at, lanes) * beta2);
            const Vec deviation = sqrt(square) / root2 + eps;
            store(m + at, momentum, lanes);
            store(v + at, square, lanes);
            store(w + at, load(w + at, lanes) * kept + step * momentum / deviation, lanes);
        });
    });
}

TESSERA_KERNEL double sum_of_squares(const float* x, Index count) noexcept {
    constexpr Index shares = 64, piece = 1024;
    std::array<double, shares> sums{};
    parallel_for(
        shares,
        [&](Index share) {
            const Index end = count * (share + 1) / shares;
            for (Index first = count * share / shares; first < end; first += piece)
                sums[static_cast<std::size_t>(share)] +=
                    double{dot_row(x + first, x + first, std::min(piece, end - first))};
        },
        4 * count);
    double total = 0;
    for (const double sum : sums) total += sum;
    return total;
}
#endif

}  // namespace tessera::inline TESSERA_ISA::kernel

// The gradient of a linear layer's input: the matrix product with the weights the other way round.
#pragma once
#include <tessera/kernel/panels.hpp>
#include <tessera/kernel/product.hpp>
#include <tessera/kernel/transpose.hpp>

namespace tessera::kernel::inline TESSERA_ISA {

/// Detail: the weights of inputs [first, first + panel_width) and outputs [begin, end), outputs under each other,
/// `begin` a multiple of panel_width.
/// shape   → to [end − begin rounded up to vectors, panel_width]
inline void turn_panels(float* to, const Panels& weight, Index first, Index begin, Index end) {
    for (Index out = begin; out < end; out += width) {
        const Index stride = weight.width_of(out / Panels::panel_width);
        for (Index v = 0; v < Panels::vectors; ++v) {
            Square block;
            const Index from = first + v * width;
            const Index inputs = std::clamp<Index>(weight.in() - from, 0, width);
            const auto at = [&](Index k) -> Vec& { return block[static_cast<std::size_t>(k)]; };
            Index k = 0;
            if (weight.stored() == Stored::f32) {
                const float* w = weight.at<float>(out) + from * stride;
                for (; k < inputs; ++k) at(k) = load(w + k * stride);
            } else {
                const bf16* w = weight.at<bf16>(out) + from * stride;  // vectors begin at even inputs
                for (; k < inputs; k += 2) {
                    const Pair pair = load_pairs(w + k * stride);
                    at(k) = pair.even, at(k + 1) = pair.odd;
                }
            }
            for (; k < width; ++k) at(k) = broadcast(0.0f);
            transpose(block);
            for (Index i = 0; i < width; ++i)
                store(to + (out - begin + i) * Panels::panel_width + v * width, block[static_cast<std::size_t>(i)]);
        }
    }
}

/// dx[r, :K] = dy[r, :N]·W, or added to what is there. Read from the panels: they are the only copy of a frozen model's
/// weights, bf16 ones too, and turning a piece of them once for all rows of a chunk costs about 2 % at 257 rows (15 % at
/// 32), which a second copy the other way round would not be worth.
/// shape   dy [rows, N] and dx [rows, K], strides in elements; rows may be 0
/// errors  none; the same bits at any number of threads, and for a row whatever rows are beside it
/// cost    2·rows·N·K flops; allocates nothing, about 105 KB of stack (320 KB with AVX-512)
inline void input_gradient(float* dx, Index dx_stride, const float* dy, Index dy_stride, Index rows,
                           const Panels& weight, bool add = false) noexcept {
    const auto fill = [&](float* to, Index panel, Index begin, Index end) {
        turn_panels(to, weight, panel * Panels::panel_width, begin, end);
    };
    Product(dx, dx_stride, dy, dy_stride, rows, PreparedColumns<decltype(fill)>{weight.in(), weight.out(), fill},
            Epilogue{.residual = add ? dx : nullptr, .residual_stride = dx_stride})
        .run();
}

}  // namespace tessera::kernel::inline TESSERA_ISA

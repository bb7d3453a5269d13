// The gradient of a linear layer's input: the matrix product with the weights the other way round.
#pragma once
#include <tessera/kernel/matmul/pack.hpp>
#include <tessera/kernel/matmul/product.hpp>
#include <tessera/kernel/simd/transpose.hpp>

namespace tessera::inline TESSERA_ISA::kernel {

/// Detail: weights the other way round as PackOnTheFly: its inputs are the layer's outputs, its panels the layer's inputs.
struct TransposedB {
    const PackedB& weight;

    /// `begin` is a multiple of panel_width.
    /// shape   → to [end − begin rounded up to vectors, panel_width]
    void write(float* to, Index panel, Index begin, Index end) const {
        for (Index out = begin; out < end; out += width)
            for (Index v = 0; v < PackedB::panel_width; v += width) {
                Square block = turned(out, panel * PackedB::panel_width + v);
                for (Index i = 0; i < width; ++i)
                    store(to + (out - begin + i) * PackedB::panel_width + v, block[static_cast<std::size_t>(i)]);
            }
    }

    /// In each panel of the weights the few inputs lie together: some of these panels for each strip.
    Prefetch prefetch(Index panel, Index begin, Index end, Index strip, Index strips) const {
        const Index panels = (end - begin) / PackedB::panel_width;
        const Index number = panels * strip / strips;
        if (number == panels * (strip + 1) / strips) return {};
        const Index out = begin + number * PackedB::panel_width, stride = weight.width_of(out / PackedB::panel_width);
        const auto part = [&](const auto* w) {
            const Index bytes = PackedB::panel_width * stride * Index{sizeof(*w)};
            return Prefetch{reinterpret_cast<const char*>(w + panel * PackedB::panel_width * stride),
                            std::max<Index>(1, bytes / (end - begin))};
        };
        return weight.dtype() == DType::f32 ? part(weight.at<float>(out)) : part(weight.at<bf16>(out));
    }

  private:
    /// A vector of outputs from `out` on for each of a few inputs from `from` on, turned.
    Square turned(Index out, Index from) const {
        Square block;
        const Index stride = weight.width_of(out / PackedB::panel_width);
        const Index inputs = std::clamp<Index>(weight.in() - from, 0, width);
        constexpr int count = static_cast<int>(width);
        if (weight.dtype() == DType::f32) {
            const float* w = weight.at<float>(out) + from * stride;
            unroll<count>([&](auto k) { block[k] = k < inputs ? load(w + k * stride) : broadcast(0.0f); });
        } else {
            const bf16* w = weight.at<bf16>(out) + from * stride;  // vectors begin at even inputs
            unroll<count / 2>([&](auto i) {
                constexpr std::size_t k = 2 * i;
                const Pair none{broadcast(0.0f), broadcast(0.0f)};
                const Pair pair = Index{k} < inputs ? load_pairs(w + Index{k} * stride) : none;
                block[k] = pair.even, block[k + 1] = pair.odd;
            });
        }
        transpose(block);
        return block;
    }
};

/// dx[r, :K] = dy[r, :N]·W, or added to what is there. Read from the panels: they are the only copy of a frozen model's
/// weights, bf16 ones too, and turning a piece of them once for all rows of a chunk costs about 2 % at 257 rows (15 % at
/// 32), which a second copy the other way round would not be worth.
/// shape   dy [rows, N] and dx [rows, K], strides in elements; rows may be 0
/// errors  none; the same bits at any number of threads, and for a row whatever rows are beside it
/// cost    2·rows·N·K flops; allocates nothing, about 105 KB of stack (320 KB with AVX-512)
inline void input_gradient(float* dx, Index dx_stride, const float* dy, Index dy_stride, Index rows,
                           const PackedB& weight, bool add = false) noexcept {
    const TransposedB turned{weight};
    Matmul(dx, dx_stride, dy, dy_stride, rows, PackOnTheFly<TransposedB>{weight.in(), weight.out(), turned},
           Epilogue{.residual = add ? dx : nullptr, .residual_stride = dx_stride})
        .run();
}

}  // namespace tessera::inline TESSERA_ISA::kernel

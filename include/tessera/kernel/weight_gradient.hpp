// The gradient of a linear layer's weight: the product of two activations over their rows.
#pragma once
#include <array>
#include <tessera/kernel/product.hpp>
#include <tessera/kernel/transpose.hpp>

namespace tessera::kernel::inline TESSERA_ISA {

/// dw[n, k] += Σ_r dy[r, n]·x[r, k]: the rows are summed in blocks of 256, and those added one after another.
/// shape   dy [rows, N] and x [rows, K], strides in elements; dw [N, K], rows side by side as optimisers see them
/// errors  none; the same bits at any number of threads
/// cost    2·rows·N·K flops; allocates nothing, about 300 KB of stack (510 KB with AVX-512)
inline void weight_gradient(float* dw, Index out, Index in, const float* dy, Index dy_stride, const float* x,
                            Index x_stride, Index rows) noexcept {
    constexpr Index block_rows = 256;  // of activations
    constexpr Index high = 192;        // outputs whose gradients of a block lie transposed in the second-level cache
    const Index panels = (in + Panels::panel_width - 1) / Panels::panel_width;
    const Index chunks = (out + high - 1) / high;
    const Index piece = std::clamp<Index>(chunks * panels / (4 * threads()), 1, std::max<Index>(panels, 1));
    if (rows <= 0) return;
    parallel_pieces(chunks * panels, piece, [&](Index from, Index to) {
        alignas(alignment) std::array<float, static_cast<std::size_t>(high * block_rows)> turned;
        while (from < to) {
            const Index chunk = from / panels, first = from % panels, last = std::min(panels, first + to - from);
            const Index row = out * chunk / chunks, height = out * (chunk + 1) / chunks - row;
            for (Index begin = 0; begin < rows; begin += block_rows) {
                const Index count = std::min(block_rows, rows - begin);
                transpose(turned.data(), block_rows, count, height, [&](Index r, Index c, Index lanes) {
                    return load(dy + (begin + r) * dy_stride + row + c, lanes);
                });
                const auto fill = [&](float* piece_of_x, Index panel, Index b, Index e) {
                    const Index column = panel * Panels::panel_width;
                    for (Index r = b; r < e; ++r)
                        for (Index v = 0; v < Panels::panel_width; v += width)
                            store(piece_of_x + (r - b) * Panels::panel_width + v,
                                  load(x + (begin + r) * x_stride + column + v,
                                       std::clamp<Index>(in - column - v, 0, width)));
                };
                float* gradient = dw + row * in;
                const PreparedColumns<decltype(fill)> columns{in, count, fill};
                const Epilogue added{.residual = gradient, .residual_stride = in};
                Product(gradient, in, turned.data(), block_rows, height, columns, added).block(0, height, first, last);
            }
            from += last - first;
        }
    });
}

}  // namespace tessera::kernel::inline TESSERA_ISA

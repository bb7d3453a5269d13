// The gradient of a linear layer's weight: the product of two activations over their rows.
#pragma once
#include <array>
#include <tessera/kernel/product.hpp>
#include <tessera/kernel/transpose.hpp>

namespace tessera::kernel::inline TESSERA_ISA {

/// Detail: rows of activations as PreparedColumns: inputs are rows, panels are columns.
struct RowColumns {
    const float* x;
    Index stride, columns;

    void write(float* to, Index panel, Index begin, Index end) const {
        const Index column = panel * Panels::panel_width;
        const float* from = x + begin * stride + column;
        const bool full = columns - column >= Panels::panel_width;
        for (Index r = begin; r < end; ++r, from += stride, to += Panels::panel_width)
            unroll<Panels::vectors>([&](auto v) {
                const Index at = v * width;
                store(to + at,
                      full ? load(from + at) : load(from + at, std::clamp<Index>(columns - column - at, 0, width)));
            });
    }
    Ahead ahead(Index panel, Index begin, Index, Index strip, Index) const {
        if (strip > 0) return {};
        return {reinterpret_cast<const char*>(x + begin * stride + panel * Panels::panel_width),
                stride * Index{sizeof(float)}};
    }
};

/// dw[n, k] += Σ_r dy[r, n]·x[r, k]: the rows are summed in equal blocks of at most 384, and those added one after another.
/// shape   dy [rows, N] and x [rows, K], strides in elements; dw [N, K], rows side by side as optimisers see them
/// errors  none; the same bits at any number of threads
/// cost    2·rows·N·K flops; allocates nothing, about 400 KB of stack (600 KB with AVX-512)
inline void weight_gradient(float* dw, Index out, Index in, const float* dy, Index dy_stride, const float* x,
                            Index x_stride, Index rows) noexcept {
    constexpr Index most_rows = 384;  // of activations in a block
    constexpr Index high = 192;       // outputs whose gradients of a block lie transposed in the second-level cache
    const Index panels = (in + Panels::panel_width - 1) / Panels::panel_width;
    const Index chunks = (out + high - 1) / high;
    const Index piece = std::clamp<Index>(chunks * panels / (4 * threads()), 1, std::max<Index>(panels, 1));
    const Index blocks = (rows + most_rows - 1) / most_rows;
    if (rows <= 0) return;
    parallel_pieces(chunks * panels, piece, [&](Index from, Index to) {
        alignas(alignment) std::array<float, static_cast<std::size_t>(high * most_rows)> turned;
        while (from < to) {
            const Index chunk = from / panels, first = from % panels, last = std::min(panels, first + to - from);
            const Index row = out * chunk / chunks, height = out * (chunk + 1) / chunks - row;
            for (Index block = 0; block < blocks; ++block) {
                const Index begin = rows * block / blocks, count = rows * (block + 1) / blocks - begin;
                transpose(turned.data(), most_rows, count, height, [&](Index r, Index c, Index lanes) {
                    return load(dy + (begin + r) * dy_stride + row + c, lanes);
                });
                float* gradient = dw + row * in;
                const RowColumns source{x + begin * x_stride, x_stride, in};
                const PreparedColumns<RowColumns> columns{in, count, source};
                const Epilogue added{.residual = gradient, .residual_stride = in};
                Product(gradient, in, turned.data(), most_rows, height, columns, added).block(0, height, first, last);
            }
            from += last - first;
        }
    });
}

}  // namespace tessera::kernel::inline TESSERA_ISA

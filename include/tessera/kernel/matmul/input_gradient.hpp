// The gradient of a linear layer's input: the matrix product with the weights the other way round.
#pragma once
#include <tessera/kernel/matmul/backward.hpp>
#include <tessera/kernel/matmul/loops.hpp>
#include <tessera/kernel/simd/transpose.hpp>

namespace tessera::inline TESSERA_ISA::kernel {

/// Detail: B of the gradient, which are packed weights the other way round: its inputs are the layer's outputs, its panels the
/// layer's inputs. It is packed on the fly, a piece at a time, in memory on the stack: as floats, or bf16 as they are.
template <class T, class N = float>
struct TransposedB {
    using Number = N;
    static constexpr bool in_place = false;
    static constexpr bool by_digits = false;
    static constexpr Index most_inputs = 512;
    static constexpr Index align = panel_width;
    struct Workspace {
        alignas(alignment)
            std::array<N, static_cast<std::size_t>((most_inputs + align) * panel_width * most_panels)> numbers;
    };

    const Panels<T>& weight;

    Index out() const { return weight.in(); }
    Index in() const { return weight.out(); }
    Index columns(Index) const { return panel_width; }
    static const float* scales(Index) { return nullptr; }

    /// Inputs [begin, end) of a panel, panel_width numbers each; `begin` is a multiple of panel_width.
    const N* pack(Workspace& workspace, Index slot, Index panel, Index begin, Index end) const {
        N* const to = workspace.numbers.data() + slot * (most_inputs + align) * panel_width;
        for (Index row = begin; row < end; row += width * beside)
            for (Index v = 0; v < panel_width; v += width) {
                N* const at = to + (row - begin) * panel_width + v * beside;
                if constexpr (beside == 1) {
                    const Square block = transposed(row, panel * panel_width + v);
                    for (Index i = 0; i < width; ++i) store(at + i * panel_width, block[static_cast<std::size_t>(i)]);
                } else {
                    store_transposed_pairs(at, row, row + width < end, panel * panel_width + v);
                }
            }
        return to;
    }

    Prefetch prefetch(Index panel, Index count, Index begin, Index end, Index strip, Index strips) const {
        if (end < in()) return prefetch_piece(panel, end, std::min(in(), end + end - begin), strip, strips);
        if ((panel + count) * panel_width >= out()) return {};
        return prefetch_piece(panel + count, 0, std::min(in(), end - begin), strip, strips);
    }

  private:
    static constexpr Index beside = inputs_beside<N>;

    /// In each panel of the weights the few inputs lie together: some of these panels for each strip.
    Prefetch prefetch_piece(Index panel, Index begin, Index end, Index strip, Index strips) const {
        const Index panels = (end - begin) / panel_width, number = panels * strip / strips;
        if (number == panels * (strip + 1) / strips) return {};
        const Index row = begin + number * panel_width, stride = weight.width_of(row / panel_width);
        const Index bytes = panel_width * stride * Index{sizeof(T)};
        return {reinterpret_cast<const char*>(weight.at(row) + panel * panel_width * stride),
                std::max<Index>(1, beside * bytes / (end - begin))};
    }

    /// A vector of outputs from `row` on for each of a few inputs from `from` on, transposed.
    Square transposed(Index row, Index from) const {
        Square block;
        const Index stride = weight.width_of(row / panel_width);
        const Index inputs = std::clamp<Index>(weight.in() - from, 0, width);
        const T* const w = weight.at(row) + from * stride;
        constexpr int count = static_cast<int>(width);
        if constexpr (inputs_beside<T> == 1) {
            unroll<count>([&](auto k) { block[k] = k < inputs ? load(w + k * stride) : broadcast(0.0f); });
        } else if constexpr (Panels<T>::scaled) {
            const Vec scale = load(weight.scales(row)), unit = broadcast(quarter_unit);
            unroll<count>([&](auto k) {  // fours begin at multiples of 4
                constexpr int first = k / 4 * 4;
                block[k] =
                    first < inputs ? scale * (unit * load_quarter<k % 4>(w + Index{first} * stride)) : broadcast(0.0f);
            });
        } else {
            unroll<count / 2>([&](auto i) {  // vectors begin at even inputs
                constexpr std::size_t k = 2 * i;
                const Pair none{broadcast(0.0f), broadcast(0.0f)};
                const Pair pair = Index{k} < inputs ? load_pairs(w + Index{k} * stride) : none;
                block[k] = pair.even, block[k + 1] = pair.odd;
            });
        }
        transpose(block);
        return block;
    }

    /// Twice a vector of outputs from `row` on, or only once, for each of a few inputs from `from` on: pairs of inputs, which are
    /// transposed as if they were floats, become pairs of outputs. Of each four rows of the block two are of either vector.
    void store_transposed_pairs(bf16* to, Index row, bool twice, Index from) const {
        Square block;
        const Index inputs = std::clamp<Index>(weight.in() - from, 0, width);
        unroll<2>([&](auto second) {
            const bool there = second == 0 || twice;
            const Index at = there ? row + second * width : row, stride = weight.width_of(at / panel_width);
            const auto* const w = reinterpret_cast<const float*>(weight.at(at) + from * stride);
            unroll<static_cast<int>(width / 2)>([&](auto pair) {
                constexpr std::size_t line = pair / 2 * 4 + pair % 2 + 2 * second;
                block[line] = there && 2 * pair < inputs ? load(w + Index{pair} * stride) : broadcast(0.0f);
            });
        });
        transpose(block);
        unroll<static_cast<int>(width / 2)>([&](auto i) {
            const Vec a = block[2 * i], b = block[2 * i + 1];
            float* const pairs = reinterpret_cast<float*>(to + Index{2 * i} * panel_width);
            store(pairs, zip_low(a, b));
            if (twice) store(pairs + width / 2 * panel_width, zip_high(a, b));
        });
    }
};

TESSERA_KERNEL void input_gradient(float* dx, Index dx_stride, const float* dy, Index dy_stride, Index rows,
                                   const PackedB& weight, bool add) noexcept {
    const Epilogue epilogue{.residual = add ? dx : nullptr, .residual_stride = dx_stride};
    weight.visit([&]<class T>(const Panels<T>& panels) {
        Matmul(dx, dx_stride, dy, dy_stride, rows, TransposedB<T>{panels}, epilogue).run();
    });
}

TESSERA_KERNEL void input_gradient(float* dx, Index dx_stride, const bf16* dy, Index dy_stride, Index rows,
                                   const PackedB& weight, bool add) noexcept {
    TESSERA_EXPECTS(weight.as_bf16() != nullptr);
    const Epilogue epilogue{.residual = add ? dx : nullptr, .residual_stride = dx_stride};
    Matmul(dx, dx_stride, dy, dy_stride, rows, TransposedB<bf16, bf16>{*weight.as_bf16()}, epilogue).run();
}

}  // namespace tessera::inline TESSERA_ISA::kernel

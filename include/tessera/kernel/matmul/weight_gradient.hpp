// The gradients of a linear layer's weight, the product of two activations over their rows, and of its bias.
#pragma once
#include <algorithm>
#include <array>
#include <tessera/kernel/matmul/backward.hpp>
#include <tessera/kernel/matmul/microkernel.hpp>
#include <tessera/kernel/parallel.hpp>

namespace tessera::inline TESSERA_ISA::kernel {

/// Detail: adds to a piece of a weight's gradient what a block of rows gives. Both activations are copied to where tiles read
/// them in order: those of the outputs in strips, once, and those of the inputs in panels, two at a time, so that each stays
/// in the first-level cache for all strips.
class WeightGradient {
  public:
    static constexpr Index most_rows = 384;  // of activations in a block
    static constexpr Index high = 288;       // outputs, whose strips lie in the second-level cache

    /// shape   dw [·, in]
    WeightGradient(float* dw, Index in) : dw_(dw), in_(in) {}

    /// The outputs [row, row + height) of a block: those that `add` adds to from now on.
    /// shape   dy [count, ·], of which columns from `row` on are taken
    void take_outputs(const float* dy, Index stride, Index count, Index row, Index height) {
        row_ = row, height_ = height, count_ = count;
        for (Index r = 0; r < count; ++r)
            for (Index top = 0; top < height; top += strip_rows) {
                const Index there = std::min(strip_rows, height - top);
                const float* const from = dy + r * stride + row + top;
                float* const to = &strip(top / strip_rows)[r * strip_rows].value;
                // A vector may end in the numbers of the next row, which are written next.
                for (Index i = 0; i < strip_rows; i += width) {
                    const bool whole = i + width <= height - top;
                    store(to + i, whole ? load(from + i) : load(from + i, std::clamp<Index>(there - i, 0, width)));
                }
            }
    }

    /// PackedB [first, last) of inputs.
    /// shape   x [count, in]
    void add(const float* x, Index stride, Index first, Index last) {
        constexpr Index at_once = 2;
        for (; first < last; first += at_once) {
            const Index count = std::min(at_once, last - first);
            for (Index i = 0; i < count; ++i)
                copy_panel(panels_[static_cast<std::size_t>(i)].data(), x, stride, first + i);
            for (Index top = 0; top < height_; top += strip_rows)
                for (Index i = 0; i < count; ++i) {
                    const bool prefetches = top == 0 && first + i + at_once < last;
                    const auto* next = reinterpret_cast<const char*>(x + (first + i + at_once) * panel_width);
                    add_tile(top, first + i, panels_[static_cast<std::size_t>(i)].data(),
                             prefetches ? Prefetch{next, stride * Index{sizeof(float)}} : Prefetch{});
                }
        }
    }

  private:
    using Panel = std::array<float, static_cast<std::size_t>(most_rows* panel_width)>;

    PackedA* strip(Index number) { return strips_.data() + number * (count_ * strip_rows + width); }

    void copy_panel(float* to, const float* x, Index stride, Index panel) const {
        const Index column = panel * panel_width, left = in_ - column;
        const bool whole = left >= panel_width;
        const float* from = x + column;
        for (Index r = 0; r < count_; ++r, from += stride, to += panel_width)
            unroll<panel_vectors>([&](auto v) {
                const Index at = v * width;
                store(to + at, whole ? load(from + at) : load(from + at, std::clamp<Index>(left - at, 0, width)));
            });
    }

    void add_tile(Index top, Index panel, const float* x, Prefetch prefetch_from) {
        const Index rows = std::min(strip_rows, height_ - top), column = panel * panel_width;
        float* const to = dw_ + (row_ + top) * in_ + column;
        const PackedA* const dy = strip(top / strip_rows);
        if (column + panel_width <= in_)
            return multiply(rows, panel_vectors, 1, to, in_, dy, 0, x, 0, count_, true, prefetch_from);
        alignas(alignment) std::array<float, static_cast<std::size_t>(strip_rows * panel_width)> sums{};
        multiply(rows, panel_vectors, 1, sums.data(), panel_width, dy, 0, x, 0, count_, true, prefetch_from);
        for (Index r = 0; r < rows; ++r)
            for_each_vec(in_ - column, [&](Index i, Index n) {
                const Vec more = load(sums.data() + r * panel_width + i);
                store(to + r * in_ + i, load(to + r * in_ + i, n) + more, n);
            });
    }

    float* dw_;
    Index in_, row_ = 0, height_ = 0, count_ = 0;
    alignas(alignment) std::array<Panel, 2> panels_;
    alignas(alignment)
        std::array<PackedA, static_cast<std::size_t>(high / strip_rows * (most_rows * strip_rows + width))> strips_;
};

TESSERA_KERNEL void weight_gradient(float* dw, Index out, Index in, const float* dy, Index dy_stride, const float* x,
                                    Index x_stride, Index rows) noexcept {
    constexpr Index high = WeightGradient::high, most_rows = WeightGradient::most_rows;
    const Index panels = (in + panel_width - 1) / panel_width;
    // As many chunks of outputs for each thread, so that whole ones, whose strips are made once, can be handed out.
    const Index strips = (out + strip_rows - 1) / strip_rows, team = threads();
    const Index least = (strips * strip_rows + high - 1) / high;
    const Index chunks = std::min(strips, (least + team - 1) / team * team);
    const Index piece = std::clamp<Index>(chunks * panels / (2 * team), 1, std::max<Index>(panels, 1));
    const Index blocks = (rows + most_rows - 1) / most_rows;
    parallel_pieces(
        chunks * panels, piece,
        [&](Index from, Index to) {
            WeightGradient gradient(dw, in);
            while (from < to) {
                const Index chunk = from / panels, first = from % panels, last = std::min(panels, first + to - from);
                const Index row = strips * chunk / chunks * strip_rows;
                const Index height = std::min(strips * (chunk + 1) / chunks * strip_rows, out) - row;
                for (Index block = 0; block < blocks; ++block) {
                    const Index begin = rows * block / blocks, count = rows * (block + 1) / blocks - begin;
                    gradient.take_outputs(dy + begin * dy_stride, dy_stride, count, row, height);
                    gradient.add(x + begin * x_stride, x_stride, first, last);
                }
                from += last - first;
            }
        },
        2 * rows * out * in);
}

TESSERA_KERNEL void bias_gradient(float* db, const float* dy, Index dy_stride, Index rows, Index out) noexcept {
    constexpr Index wide = 8 * width;  // columns that go together: so many chains of sums, and so much of each row
    parallel_ranges(
        (out + wide - 1) / wide,
        [&](Index begin, Index end) {
            for (Index block = begin; block < end; ++block) {
                const Index first = block * wide, count = std::min(wide, out - first);
                if (count == wide) {
                    Vec sum[8];
                    unroll<8>([&](auto v) { sum[v] = broadcast(0.0f); });
                    for (Index r = 0; r < rows; ++r)
                        unroll<8>([&](auto v) { sum[v] += load(dy + r * dy_stride + first + v * width); });
                    unroll<8>([&](auto v) { store(db + first + v * width, load(db + first + v * width) + sum[v]); });
                } else {
                    for_each_vec(count, [&](Index i, Index lanes) {
                        Vec sum = broadcast(0.0f);
                        for (Index r = 0; r < rows; ++r) sum += load(dy + r * dy_stride + first + i, lanes);
                        store(db + first + i, load(db + first + i, lanes) + sum, lanes);
                    });
                }
            }
        },
        4 * rows * out);
}

}  // namespace tessera::inline TESSERA_ISA::kernel

// How a matrix product is cut into tiles: over threads, and so that what is read again is still in a near cache.
#pragma once
#include <algorithm>
#include <array>
#include <tessera/core/activation.hpp>
#include <tessera/kernel/matmul/microkernel.hpp>
#include <tessera/kernel/parallel.hpp>
#include <tessera/kernel/row/activation.hpp>

namespace tessera::inline TESSERA_ISA::kernel {

/// What happens to a row after its product: + bias, activation, + residual; each may be left out.
struct Epilogue {
    const float* bias = nullptr;  // [N]
    Activation activation = Activation::none;
    const float* residual = nullptr;  // [rows, N], may be the output itself
    Index residual_stride = 0;
};

/// Detail: the second-level cache that blocks are made for: Zen 3 has 512 KB, Zen 4 and what else has AVX-512 at least 1 MB.
inline constexpr Index second_level_cache = registers >= 32 ? Index{1} << 20 : Index{1} << 19;
/// Detail: panels that take turns with one strip of rows, so that it comes from the third-level cache once for all of them.
inline constexpr Index most_panels = 2;
/// Detail: rows that go together; the 257 of a picture do.
inline constexpr Index chunk_rows = 272;

/// Detail: columns of weights as they are stored.
template <class T>
struct PackedColumns {
    using Weight = T;
    static constexpr bool in_place = true;
    /// Inputs of one pass. Half of the second-level cache holds the panels of one, the other half what comes next.
    static constexpr Index most_inputs = 1536;
    static constexpr Index align = 2;
    struct Workspace {};

    const PackedB& weight;

    Index out() const { return weight.out(); }
    Index in() const { return weight.in(); }
    Index columns(Index panel) const { return weight.width_of(panel); }
    const T* piece(Index panel, Index begin) const {
        return weight.at<T>(panel * PackedB::panel_width) + begin * columns(panel);
    }
    const T* pack(Workspace&, Index, Index panel, Index begin, Index) const { return piece(panel, begin); }

    /// What to ask memory for during a tile: one of `strips` that take turns with inputs [begin, end) of `panel`, one of
    /// `count` in its group. Each strip brings in its part of what the group reads next, so that memory and arithmetic are
    /// busy all the time; a lone strip asks a few pages ahead of itself.
    Prefetch prefetch(Index panel, Index count, Index begin, Index end, Index strip, Index strips) const {
        constexpr Index near = 16 << 10;  // bytes
        const char* const here = reinterpret_cast<const char*>(piece(panel, begin));
        const Index bytes = columns(panel) * 4;  // of what a tile reads at a time: an input as f32, a pair as bf16
        if (strips == 1) return {here + near, bytes};
        const Index input = columns(panel) * Index{sizeof(T)}, size = (end - begin) * input;
        // The pieces of one panel follow each other, and so do panels.
        const Index next = end < in() ? size : size * count + begin * input * (count - 1);
        return {here + next + size * strip / strips, bytes / strips};
    }
};

/// Detail: columns that are brought into order first, a piece at a time, in memory on the stack. `fill.write(to, panel, begin,
/// end)` writes the inputs [begin, end) of a panel, panel_width floats each; `fill.prefetch(panel, begin, end, strip, strips)` says
/// what one of the strips that take turns shall ask memory for, that this be there when it is written.
template <class Fill>
struct PackOnTheFly {
    using Weight = float;
    static constexpr bool in_place = false;
    static constexpr Index most_inputs = 512;
    static constexpr Index align = PackedB::panel_width;
    struct Workspace {
        alignas(alignment) std::array<float, static_cast<std::size_t>((most_inputs + align) * PackedB::panel_width *
                                                                      most_panels)> floats;
    };

    Index outputs, inputs;
    const Fill& fill;

    Index out() const { return outputs; }
    Index in() const { return inputs; }
    Index columns(Index) const { return PackedB::panel_width; }
    const float* pack(Workspace& workspace, Index slot, Index panel, Index begin, Index end) const {
        float* to = workspace.floats.data() + slot * (most_inputs + align) * PackedB::panel_width;
        fill.write(to, panel, begin, end);
        return to;
    }
    Prefetch prefetch(Index panel, Index count, Index begin, Index end, Index strip, Index strips) const {
        if (end < inputs) return fill.prefetch(panel, end, std::min(inputs, end + end - begin), strip, strips);
        if ((panel + count) * PackedB::panel_width >= outputs) return {};
        return fill.prefetch(panel + count, 0, std::min(inputs, end - begin), strip, strips);
    }
};

/// Detail: one product of rows and columns. The sums of all inputs are taken in one order, whatever is cut where: a pass
/// over inputs goes on from the sums that the one before has left.
template <class X, class Columns>
class Matmul {
  public:
    using T = typename Columns::Weight;

    Matmul(float* y, Index y_stride, const X* x, Index x_stride, Index rows, const Columns& weight,
           const Epilogue& epilogue)
        : y_(y), y_stride_(y_stride), x_(x), x_stride_(x_stride), rows_(rows), weight_(weight), epilogue_(epilogue) {}

    void run() const {
        const Index panels = (weight_.out() + PackedB::panel_width - 1) / PackedB::panel_width;
        const Index chunks = (rows_ + chunk_rows - 1) / chunk_rows;
        parallel_pieces(
            chunks * panels, group(rows_),
            [&](Index begin, Index end) {
                while (begin < end) {
                    const Index chunk = begin / panels, first = begin % panels;
                    const Index last = std::min(panels, first + end - begin);
                    const Index row = rows_ * chunk / chunks;
                    block(row, rows_ * (chunk + 1) / chunks - row, first, last);
                    begin += last - first;
                }
            },
            2 * rows_ * weight_.out() * weight_.in());
    }

  private:
    static constexpr Index most_at_once = std::max<Index>(most_panels, panels_at_once(1));

    static Index strips(Index rows) { return (rows + strip_rows - 1) / strip_rows; }
    /// A single strip reads no weight twice, and makes a single pass over them.
    Index passes(Index rows) const {
        if (Columns::in_place && strips(rows) == 1) return 1;
        return std::max<Index>(1, (weight_.in() + Columns::most_inputs - 1) / Columns::most_inputs);
    }
    Index cut(Index pass, Index of) const {
        return pass == of ? weight_.in() : weight_.in() * pass / of / Columns::align * Columns::align;
    }
    Index group(Index rows) const {
        if (strips(rows) == 1) return Columns::in_place ? panels_at_once(rows) : most_panels;
        const Index bytes = (weight_.in() / passes(rows) + 1) * PackedB::panel_width * Index{sizeof(T)};
        return std::clamp<Index>(second_level_cache / 2 / bytes, 1, most_panels);
    }

    /// Rows [row, row + rows), at most chunk_rows, × panels [first, last).
    void block(Index row, Index rows, Index first, Index last) const {
        typename Columns::Workspace workspace;
        const Index most = group(rows);
        for (; first < last; first += most) group_of_panels(workspace, row, rows, first, std::min(last, first + most));
    }

    /// Rows × a group of panels.
    void group_of_panels(typename Columns::Workspace& workspace, Index row, Index rows, Index first, Index last) const {
        alignas(alignment) std::array<float, static_cast<std::size_t>(chunk_rows * PackedB::panel_width * most_panels)>
            memory;
        const Index count = last - first, all = strips(rows), rounds = passes(rows);
        const Index height_between = (rounds == 1 ? strip_rows : chunk_rows) * PackedB::panel_width;
        std::array<const T*, static_cast<std::size_t>(most_at_once)> pieces;
        for (Index round = 0; round < rounds; ++round) {
            const Index begin = cut(round, rounds), end = cut(round + 1, rounds);
            const bool ends = round + 1 == rounds;
            for (Index i = 0; i < count; ++i)
                pieces[static_cast<std::size_t>(i)] = weight_.pack(workspace, i, first + i, begin, end);
            for (Index strip = 0; strip < all; ++strip) {
                const Index top = rows * strip / all, height = rows * (strip + 1) / all - top;
                float* sums = memory.data() + (rounds == 1 ? 0 : top * PackedB::panel_width);
                const X* x = x_ + (row + top) * x_stride_ + begin;
                if (ends && epilogue_.residual != nullptr)  // else its loads hold up what comes behind them
                    for (Index r = 0; r < height; ++r)
                        for (Index i = 0; i < count; ++i)
                            prefetch(epilogue_.residual + (row + top + r) * epilogue_.residual_stride +
                                     (first + i) * PackedB::panel_width);
                const Index together =
                    count == panels_at_once(height) && weight_.columns(last - 1) == PackedB::panel_width ? count : 1;
                for (Index i = 0; i < count; i += together) {
                    const T* w = pieces[static_cast<std::size_t>(i)];
                    const Index columns = weight_.columns(first + i);
                    multiply(height, columns / width, together, sums + i * height_between, height_between, x, x_stride_,
                             w, together > 1 ? pieces[1] - w : 0, end - begin, round > 0,
                             weight_.prefetch(first + i, count, begin, end, strip, all));
                }
                if (ends)
                    for (Index i = 0; i < count; ++i)
                        finish(sums + i * height_between, row + top, height, (first + i) * PackedB::panel_width,
                               weight_.columns(first + i));
            }
        }
    }

    /// Sums to outputs.
    void finish(const float* sums, Index row, Index rows, Index column, Index columns) const {
        const Index count = std::min(columns, weight_.out() - column);
        with_activation(epilogue_.activation, [&](auto activation) {
            for (Index r = 0; r < rows; ++r) {
                const float* sum = sums + r * PackedB::panel_width;
                const float* residual = epilogue_.residual == nullptr
                                            ? nullptr
                                            : epilogue_.residual + (row + r) * epilogue_.residual_stride + column;
                const float* bias = epilogue_.bias == nullptr ? nullptr : epilogue_.bias + column;
                float* y = y_ + (row + r) * y_stride_ + column;
                const auto end = [&](Index i, Index lanes) __attribute__((always_inline)) {
                    Vec value = load(sum + i);
                    if (bias != nullptr) value += load(bias + i, lanes);
                    value = activation(value);
                    if (residual != nullptr) value += load(residual + i, lanes);
                    store(y + i, value, lanes);
                };
                if (count == PackedB::panel_width)
                    unroll<PackedB::vectors>([&](auto v) __attribute__((always_inline)) { end(v * width, width); });
                else
                    for_each_vec(count, end);
            }
        });
    }

    float* y_;
    Index y_stride_;
    const X* x_;
    Index x_stride_;
    Index rows_;
    const Columns& weight_;
    const Epilogue& epilogue_;
};

}  // namespace tessera::inline TESSERA_ISA::kernel

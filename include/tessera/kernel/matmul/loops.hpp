// The loops around the microkernel: how a matrix product is cut over threads, and so that what is read again is still in a near
// cache. kernel/matmul/matmul.hpp says what it computes.
#pragma once
#include <algorithm>
#include <array>
#include <tessera/kernel/matmul/digits.hpp>
#include <tessera/kernel/matmul/matmul.hpp>
#include <tessera/kernel/matmul/microkernel.hpp>
#include <tessera/kernel/parallel.hpp>
#include <tessera/kernel/row/activation.hpp>
#include <type_traits>

namespace tessera::inline TESSERA_ISA::kernel {

/// Detail: the second-level cache that blocks are made for: Zen 3 has 512 KB, Zen 4 and what else has AVX-512 at least 1 MB.
inline constexpr Index second_level_cache = registers >= 32 ? Index{1} << 20 : Index{1} << 19;
/// Detail: panels that take turns with one strip of rows, so that it comes from the third-level cache once for all of them.
inline constexpr Index most_panels = 2;
/// Detail: rows that go together; the 257 of a picture do. By digits a quarter of them, and four times the panels.
inline constexpr Index chunk_rows = 272;

/// Detail: B as it is stored.
template <class T>
struct PackedColumns {
    using Number = T;
    static constexpr bool in_place = true;
    /// Whether rows are multiplied as digits (kernel/matmul/digits.hpp).
    static constexpr bool by_digits = has_quad_dot && std::same_as<T, std::int8_t>;
    static constexpr Index align = 4;
    /// Inputs of one pass, and fewer than `align` more: few, since a sum is rounded once for each of them and then added to the
    /// others'. Whole numbers are not rounded.
    static constexpr Index most_inputs = by_digits ? Digits::most_inputs - align : 384;
    struct Plain {};
    using Workspace = std::conditional_t<by_digits, Digits, Plain>;

    const Panels<T>& weight;

    Index out() const { return weight.out(); }
    Index in() const { return weight.in(); }
    Index columns(Index panel) const { return weight.width_of(panel); }
    const float* scales(Index panel) const { return weight.scales(panel * panel_width); }
    const T* piece(Index panel, Index begin) const { return weight.at(panel * panel_width) + begin * columns(panel); }
    const T* pack(Workspace&, Index, Index panel, Index begin, Index) const { return piece(panel, begin); }

    /// What to fetch during a tile: one of `strips` that take turns with inputs [begin, end) of `panel`, one of `count` in its
    /// group. Each strip brings in its part of what the group reads next, so that memory and arithmetic are busy all the
    /// time; a lone strip fetches a few pages ahead of itself. By digits, a strip's three planes are strips in this.
    Prefetch prefetch(Index panel, Index count, Index begin, Index end, Index strip, Index strips) const {
        constexpr Index soon = 16 << 10;  // bytes
        const char* const here = reinterpret_cast<const char*>(piece(panel, begin));
        const Index bytes = columns(panel) * 4;  // of what a tile reads at a time: an input, a pair, a four
        if (strips == 1) return {here + soon, bytes};
        const Index input = columns(panel) * Index{sizeof(T)}, size = (end - begin) * input;
        // The pieces of one panel follow each other, and so do panels.
        const Index next = end < in() ? size : size * count + begin * input * (count - 1);
        return {here + next + size * strip / strips, bytes / strips};
    }
};

/// Detail: sums of some rows of one panel to outputs.
/// shape   sums [rows, panel_width], changed; scales [panel_width], which count `unit`, or null; y [rows, count]: outputs from
///         `column` on
inline void finish_rows(float* sums, const float* scales, float unit, float* y, Index y_stride, Index row, Index rows,
                        Index column, Index count, const Epilogue& epilogue) {
    for (Index r = 0; scales != nullptr && r < rows; ++r)
        for (Index c = 0; c < panel_width; c += width) {
            float* const sum = sums + r * panel_width + c;
            store(sum, load(sum) * broadcast(unit) * load(scales + c));
        }
    const float* bias = epilogue.bias == nullptr ? nullptr : epilogue.bias + column;
    if (epilogue.activation !=
        Activation::none) {  // in place first: one loop for each function, not one for each product
        for (Index r = 0; r < rows; ++r) {
            float* const sum = sums + r * panel_width;
            if (bias != nullptr)
                for_each_vec(count,
                             [&](Index i, Index lanes) { store(sum + i, load(sum + i) + load(bias + i, lanes)); });
            activate(sum, sum, count, epilogue.activation);
        }
        bias = nullptr;
    }
    for (Index r = 0; r < rows; ++r) {
        const float* const sum = sums + r * panel_width;
        const float* const residual =
            epilogue.residual == nullptr ? nullptr : epilogue.residual + (row + r) * epilogue.residual_stride + column;
        float* const to = y + (row + r) * y_stride + column;
        const auto end = [&](Index i, Index lanes) __attribute__((always_inline)) {
            Vec value = load(sum + i);
            if (bias != nullptr) value += load(bias + i, lanes);
            if (residual != nullptr) value += load(residual + i, lanes);
            store(to + i, value, lanes);
        };
        if (count == panel_width)
            unroll<panel_vectors>([&](auto v) __attribute__((always_inline)) { end(v * width, width); });
        else
            for_each_vec(count, end);
    }
}

/// Detail: one product of rows and columns. The sums of all inputs are taken in one order, whatever is cut where: those of a pass
/// over inputs are added to those of the passes before, so that rounding grows with the inputs of one pass, not with all.
template <class X, class Columns>
class Matmul {
  public:
    using T = typename Columns::Number;

    Matmul(float* y, Index y_stride, const X* x, Index x_stride, Index rows, const Columns& weight,
           const Epilogue& epilogue)
        : y_(y), y_stride_(y_stride), x_(x), x_stride_(x_stride), rows_(rows), weight_(weight), epilogue_(epilogue) {}

    void run() const {
        const Index panels = (weight_.out() + panel_width - 1) / panel_width;
        const Index chunks = (rows_ + most_rows - 1) / most_rows;
        // A group of digits is large: where there are many threads, smaller ones for all of them.
        const Index piece = by_digits ? std::min(group(rows_), chunks * panels / threads()) : group(rows_);
        parallel_pieces(
            chunks * panels, piece,
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
    static constexpr bool by_digits = Columns::by_digits;
    /// Digits are written for each group anew: groups are larger, of fewer rows.
    static constexpr Index most_in_group = by_digits ? 4 * most_panels : most_panels;
    static constexpr Index most_rows = by_digits ? chunk_rows / 4 / strip_rows * strip_rows : chunk_rows;
    static constexpr Index most_at_once = std::max<Index>(most_in_group, panels_at_once(1));

    static Index strips(Index rows) { return (rows + strip_rows - 1) / strip_rows; }
    Index passes() const {
        return std::max<Index>(1, (weight_.in() + Columns::most_inputs - 1) / Columns::most_inputs);
    }
    Index cut(Index pass, Index of) const {
        return pass == of ? weight_.in() : weight_.in() * pass / of / Columns::align * Columns::align;
    }
    Index group(Index rows) const {
        if (strips(rows) == 1 && !by_digits) return Columns::in_place ? panels_at_once(rows) : most_panels;
        // Half of the second-level cache holds the panels of a pass, the other half what comes next.
        const Index bytes = (weight_.in() / passes() + 1) * panel_width * Index{sizeof(T)};
        return std::clamp<Index>(second_level_cache / 2 / bytes, 1, most_in_group);
    }

    /// Rows [row, row + rows), at most most_rows, × panels [first, last).
    void block(Index row, Index rows, Index first, Index last) const {
        typename Columns::Workspace workspace;
        Index most = group(rows);
        if constexpr (by_digits)
            if (one_by_digits(rows)) {  // panels as they lie in memory, each with all its inputs
                for (Index round = 0; round < passes(); ++round) {
                    const Index begin = cut(round, passes());
                    workspace.set(round, x_ + row * x_stride_ + begin, cut(round + 1, passes()) - begin);
                }
                most = panels_of_digits(1);
            }
        for (; first < last; first += most) group_of_panels(workspace, row, rows, first, std::min(last, first + most));
    }

    /// Whether all digits are written once, those of each pass as a row.
    bool one_by_digits(Index rows) const { return rows == 1 && passes() <= Digits::most_rows; }

    /// Rows × a group of panels.
    void group_of_panels(typename Columns::Workspace& workspace, Index row, Index rows, Index first, Index last) const {
        alignas(alignment) std::array<float, static_cast<std::size_t>(most_rows * panel_width * most_in_group)> memory;
        const Index count = last - first, all = strips(rows), rounds = passes();
        const Index height_between = (rounds == 1 || all == 1 ? strip_rows : most_rows) * panel_width;
        std::array<const T*, static_cast<std::size_t>(most_at_once)> pieces;
        for (Index round = 0; round < rounds; ++round) {
            const Index begin = cut(round, rounds), end = cut(round + 1, rounds);
            const bool ends = round + 1 == rounds;
            for (Index i = 0; i < count; ++i)
                pieces[static_cast<std::size_t>(i)] = weight_.pack(workspace, i, first + i, begin, end);
            for (Index strip = 0; strip < all; ++strip) {
                const Index top = rows * strip / all, height = rows * (strip + 1) / all - top;
                float* sums = memory.data() + (rounds == 1 ? 0 : top * panel_width);
                const X* x = x_ + (row + top) * x_stride_ + begin;
                if (ends && epilogue_.residual != nullptr)  // else its loads hold up what comes behind them
                    for (Index r = 0; r < height; ++r)
                        for (Index i = 0; i < count; ++i)
                            prefetch(epilogue_.residual + (row + top + r) * epilogue_.residual_stride +
                                     (first + i) * panel_width);
                if constexpr (by_digits) {
                    const bool written = one_by_digits(rows);
                    for (Index r = 0; !written && r < height; ++r) workspace.set(r, x + r * x_stride_, end - begin);
                    for (Index i = 0, together = 1; i < count; i += together) {
                        together = std::min<Index>(panels_of_digits(height), count - i);
                        const T* const* const piece = pieces.data() + i;
                        multiply(workspace, written ? round : 0, height, together, sums + i * height_between,
                                 height_between, piece[0], piece[together - 1] - piece[0], (end - begin + 3) / 4,
                                 round > 0, [&](int part, int parts) {
                                     return weight_.prefetch(first + i, count, begin, end, strip * parts + part,
                                                             all * parts);
                                 });
                    }
                } else {
                    const Index together =
                        count == panels_at_once(height) && weight_.columns(last - 1) == panel_width ? count : 1;
                    for (Index i = 0; i < count; i += together) {
                        const T* w = pieces[static_cast<std::size_t>(i)];
                        const Index columns = weight_.columns(first + i);
                        multiply(height, columns / width, together, sums + i * height_between, height_between, x,
                                 x_stride_, w, together > 1 ? pieces[1] - w : 0, end - begin, round > 0,
                                 weight_.prefetch(first + i, count, begin, end, strip, all));
                    }
                }
                if (ends)
                    for (Index i = 0; i < count; ++i)
                        finish_rows(
                            sums + i * height_between, weight_.scales(first + i), by_digits ? 1.0f : quarter_unit, y_,
                            y_stride_, row + top, height, (first + i) * panel_width,
                            std::min(weight_.columns(first + i), weight_.out() - (first + i) * panel_width), epilogue_);
            }
        }
    }

    float* y_;
    Index y_stride_;
    const X* x_;
    Index x_stride_;
    Index rows_;
    const Columns& weight_;
    const Epilogue& epilogue_;
};

template <class X>
    requires std::same_as<X, float> || std::same_as<X, bf16>
void gemm(float* y, Index y_stride, const X* x, Index x_stride, Index rows, const PackedB& weight,
          const Epilogue& epilogue) noexcept {
    const auto multiply = [&]<class T>(const Panels<T>& panels) {
        Matmul(y, y_stride, x, x_stride, rows, PackedColumns<T>{panels}, epilogue).run();
    };
    if constexpr (std::same_as<X, float>) {
        weight.visit(multiply);
    } else {
        TESSERA_EXPECTS(weight.as_bf16() != nullptr);
        multiply(*weight.as_bf16());
    }
}

TESSERA_KERNEL void to_bf16(bf16* y, Index y_stride, const float* x, Index x_stride, Index rows, Index count) noexcept {
    parallel_ranges(
        rows,
        [&](Index begin, Index end) {
            for (Index r = begin; r < end; ++r) {
                const float* from = x + r * x_stride;
                bf16* to = y + r * y_stride;
                Index i = 0;
                for (; i + width <= count; i += width) store(to + i, load(from + i));
                for (; i < count; ++i) to[i] = tessera::to_bf16(from[i]);
            }
        },
        8 * rows * count);
}

}  // namespace tessera::inline TESSERA_ISA::kernel

// A weight matrix in the order in which the matrix product reads it.
#pragma once
#include <algorithm>
#include <bit>
#include <concepts>
#include <cstdint>
#include <tessera/core/dtype.hpp>
#include <tessera/core/tensor.hpp>
#include <tessera/kernel/parallel.hpp>
#include <tessera/kernel/simd/transpose.hpp>
#include <tessera/kernel/simd/vec.hpp>
#include <utility>
#include <variant>
#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace tessera::inline TESSERA_ISA::kernel {

/// Vectors side by side in one panel: three keep 8 rows of sums in 32 registers, two 6 rows in 16.
inline constexpr Index panel_vectors = registers >= 32 ? 3 : 2;
inline constexpr Index panel_width = panel_vectors * width;

/// A weight of out × in numbers of T, cut into panels; the last is as many whole vectors wide as it needs. Within a panel of
/// width W the element of output column c and input k is at
///     f32   k·W + c
///     bf16  (k/2·W + c)·2 + k%2       pairs of inputs beside each other, as the dot-product instructions want them
/// Columns after the last output, and the input after an odd last one, are zeros.
template <class T>
class Panels {
  public:
    using Number = T;

    Panels() = default;
    Panels(Index out, Index in) : out_(out), in_(in), data_(padded_out() * padded_in()) {
        advise_huge_pages();
        clear_padding();
    }

    Index out() const { return out_; }
    Index in() const { return in_; }
    Index bytes() const { return data_.size() * Index{sizeof(T)}; }

    /// Columns of a panel: `panel_width` but for the last one.
    Index width_of(Index panel) const { return std::min(panel_width, padded_out() - panel * panel_width); }
    /// Where the column of output `row` begins in its panel.
    const T* at(Index row) const {
        const Index column = row % panel_width;
        return data_.data() + (row - column) * padded_in() + column * pair;
    }
    /// One number.
    float get(Index row, Index k) const { return to_float(at(row)[place(k, width_of(row / panel_width))]); }

    /// Outputs [first, first + count) from rows of `in()` numbers.
    template <class From>
    void write(Index first, const From* rows, Index count) {
        TESSERA_EXPECTS(first >= 0 && count >= 0 && first + count <= out_);
        const Index first_panel = first / panel_width;
        const Index panels = count == 0 ? 0 : (first + count - 1) / panel_width - first_panel + 1;
        parallel_pieces(
            panels, 1,
            [&](Index from, Index to) {
                for (Index panel = first_panel + from; panel < first_panel + to; ++panel) {
                    const Index begin = std::max(first, panel * panel_width);
                    write_panel(begin, std::min(first + count, (panel + 1) * panel_width),
                                rows + (begin - first) * in_);
                }
            },
            16 * count * in_);
    }
    /// Inputs [first, first + count) from rows of `out()` floats.
    void write_inputs(Index first, const float* rows, Index count) {
        TESSERA_EXPECTS(first >= 0 && count >= 0 && first + count <= in_);
        for (Index k = first; k < first + count; ++k, rows += out_)
            for (Index row = 0; row < out_; ++row) set(at(row)[place(k, width_of(row / panel_width))], rows[row]);
    }

  private:
    static constexpr Index pair = 4 / sizeof(T);  // inputs beside each other

    static Index place(Index k, Index w) { return k / pair * w * pair + k % pair; }
    static void set(float& to, float x) { to = x; }
    static void set(float& to, bf16 x) { to = to_float(x); }
    static void set(bf16& to, float x) { to = to_bf16(x); }
    static void set(bf16& to, bf16 x) { to = x; }

    Index padded_out() const { return (out_ + width - 1) / width * width; }
    Index padded_in() const { return (in_ + pair - 1) / pair * pair; }
    T* at(Index row) { return const_cast<T*>(std::as_const(*this).at(row)); }

    /// Outputs [first, last) of one panel. All its vectors in turn, so that its lines are written at once.
    template <class From>
    void write_panel(Index first, Index last, const From* rows) {
        constexpr Index block = 64;  // inputs: a block of the rows stays in the first-level cache
        for (Index begin = 0; begin < in_; begin += block) {
            Index next = 0;
            for (Index row = first; row < last; row = next) {
                next = std::min(last, (row / width + 1) * width);
                write_group(row, next - row, rows + (row - first) * in_, begin, std::min(begin + block, in_));
            }
        }
    }

    /// Inputs [k, end) of at most `width` rows that share one vector; k is even.
    template <class From>
    void write_group(Index first, Index count, const From* rows, Index k, Index end) {
        const Index w = width_of(first / panel_width);
        T* const p = at(first);
        Square block;
        const auto row = [&](Index i) -> Vec& { return block[static_cast<std::size_t>(i)]; };
        if constexpr (std::same_as<T, float>) {
            for (; count == width && k + width <= end; k += width) {
                for (Index c = 0; c < width; ++c) row(c) = load(rows + c * in_ + k);
                transpose(block);
                for (Index i = 0; i < width; ++i) store(p + (k + i) * w, row(i));
            }
        } else if constexpr (std::same_as<From, bf16>) {
            for (; count == width && k + 2 * width <= end; k += 2 * width) {  // pairs stay together
                for (Index c = 0; c < width; ++c) row(c) = load(reinterpret_cast<const float*>(rows + c * in_ + k));
                transpose(block);
                for (Index i = 0; i < width; ++i) store(reinterpret_cast<float*>(p + (k + 2 * i) * w), row(i));
            }
        } else {
            for (; count == width && k + width <= end; k += width) {
                for (Index c = 0; c < width; ++c) row(c) = load(rows + c * in_ + k);
                transpose(block);
                for (Index i = 0; i < width; i += 2) store_pairs(p + (k + i) * w, {row(i), row(i + 1)});
            }
        }
        for (; k < end; ++k)
            for (Index c = 0; c < count; ++c) set(p[place(k, w) + c * pair], rows[c * in_ + k]);
    }

    void clear_padding() {
        for (Index row = out_; row < padded_out(); ++row)
            for (Index k = 0; k < in_; ++k) at(row)[place(k, width_of(row / panel_width))] = T{};
        for (Index row = 0; padded_in() != in_ && row < padded_out(); ++row)
            at(row)[place(in_, width_of(row / panel_width))] = T{};
    }

    /// One entry of the page table for 2 MB: a token is read at the speed of the memory, not of the table.
    void advise_huge_pages() {
#if defined(__linux__)
        constexpr std::uintptr_t page = 4096;
        constexpr Index huge = Index{4} << 20;
        if (bytes() < huge) return;
        const auto begin = (std::bit_cast<std::uintptr_t>(data_.data()) + page - 1) / page * page;
        const auto end = std::bit_cast<std::uintptr_t>(data_.data() + data_.size()) / page * page;
        ::madvise(std::bit_cast<void*>(begin), end - begin,
                  MADV_HUGEPAGE);  // advice: nothing is lost when it is refused
#endif
    }

    Index out_ = 0;
    Index in_ = 0;
    Buffer<T> data_;
};

/// The weight of a linear layer, out × in, in the panels that the matrix product reads: of f32 or bf16, as is chosen at run time.
/// A product asks once which it is.
/// shape   out [N], in [K]; write takes rows of K
/// errors  std::bad_alloc
/// cost    N·K elements rounded up to whole vectors; nothing is initialised but the padding until it is written
class PackedB {
  public:
    PackedB() = default;
    PackedB(Index out, Index in, DType dtype) {
        if (dtype == DType::f32)
            panels_ = Panels<float>(out, in);
        else
            panels_ = Panels<bf16>(out, in);
    }

    /// f(panels), of whichever type they are.
    template <class F>
    decltype(auto) visit(const F& f) const {
        if (const auto* panels = std::get_if<Panels<bf16>>(&panels_)) return f(*panels);
        return f(*std::get_if<Panels<float>>(&panels_));
    }
    /// The panels of bf16; null where they are not.
    const Panels<bf16>* as_bf16() const { return std::get_if<Panels<bf16>>(&panels_); }

    Index out() const {
        return visit([](const auto& panels) { return panels.out(); });
    }
    Index in() const {
        return visit([](const auto& panels) { return panels.in(); });
    }
    Index bytes() const {
        return visit([](const auto& panels) { return panels.bytes(); });
    }
    DType dtype() const { return as_bf16() != nullptr ? DType::bf16 : DType::f32; }
    bool empty() const { return bytes() == 0; }

    /// Sets the weights of outputs [first, first + count) from `count` rows of `in()` numbers, rounded to what is
    /// stored. Many rows are shared out to the threads; several threads may also write other outputs at the same time.
    void write(Index first, const float* rows, Index count) {
        change([&](auto& panels) { panels.write(first, rows, count); });
    }
    void write(Index first, const bf16* rows, Index count) {
        change([&](auto& panels) { panels.write(first, rows, count); });
    }
    /// The same, given the other way round: the weights of inputs [first, first + count) from `count` rows of `out()`
    /// floats.
    void write_inputs(Index first, const float* rows, Index count) {
        change([&](auto& panels) { panels.write_inputs(first, rows, count); });
    }
    /// The weights of one output, as floats.
    void read(Index row, float* to) const {
        visit([&](const auto& panels) {
            TESSERA_EXPECTS(row >= 0 && row < panels.out());
            for (Index k = 0; k < panels.in(); ++k) to[k] = panels.get(row, k);
        });
    }
    /// The weights of one input, as floats.
    /// shape   → to [N]
    void read_input(Index k, float* to) const {
        visit([&](const auto& panels) {
            TESSERA_EXPECTS(k >= 0 && k < panels.in());
            for (Index row = 0; row < panels.out(); ++row) to[row] = panels.get(row, k);
        });
    }

  private:
    template <class F>
    void change(const F& f) {
        if (auto* panels = std::get_if<Panels<bf16>>(&panels_))
            f(*panels);
        else
            f(*std::get_if<Panels<float>>(&panels_));
    }

    std::variant<Panels<float>, Panels<bf16>> panels_;
};

}  // namespace tessera::inline TESSERA_ISA::kernel

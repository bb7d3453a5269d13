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
#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace tessera::inline TESSERA_ISA::kernel {

/// The weight of a linear layer, out × in, cut into panels of `panel_width` outputs; the last is as many whole vectors
/// wide as it needs. Within a panel of width W the element of output column c and input k is at
///     f32   k·W + c
///     bf16  (k/2·W + c)·2 + k%2       pairs of inputs beside each other, as the dot-product instructions want them
/// Columns behind the last output, and the input behind an odd last one, are zeros.
/// shape   out [N], in [K]; write takes rows of K
/// errors  std::bad_alloc
/// cost    N·K elements rounded up to whole vectors; nothing is initialised but the padding until it is written
class PackedB {
  public:
    /// Vectors side by side in one panel: three keep 8 rows of sums in 32 registers, two 6 rows in 16.
    static constexpr Index vectors = registers >= 32 ? 3 : 2;
    static constexpr Index panel_width = vectors * width;

    PackedB() = default;
    PackedB(Index out, Index in, DType stored)
        : out_(out), in_(in), stored_(stored), data_(padded_out() * padded_in() * element_size()) {
        ask_for_huge_pages();
        clear_padding();
    }

    Index out() const { return out_; }
    Index in() const { return in_; }
    DType dtype() const { return stored_; }
    Index bytes() const { return data_.size(); }
    bool empty() const { return data_.size() == 0; }

    /// Sets the weights of outputs [first, first + count) from `count` rows of `in()` numbers, rounded to what is
    /// stored. Many rows are shared out to the threads; several threads may also write other outputs at the same time.
    void write(Index first, const float* rows, Index count) { write_rows(first, rows, count); }
    void write(Index first, const bf16* rows, Index count) { write_rows(first, rows, count); }

    /// The same, given the other way round: the weights of inputs [first, first + count) from `count` rows of `out()`
    /// floats.
    void write_inputs(Index first, const float* rows, Index count) {
        TESSERA_EXPECTS(first >= 0 && count >= 0 && first + count <= in_);
        for (Index k = first; k < first + count; ++k, rows += out_)
            for (Index row = 0; row < out_; ++row) {
                const Index w = width_of(row / panel_width);
                if (stored_ == DType::f32)
                    at<float>(row)[k * w] = rows[row];
                else
                    at<bf16>(row)[k / 2 * w * 2 + k % 2] = to_bf16(rows[row]);
            }
    }

    /// The weights of one output, as floats.
    void read(Index row, float* out) const {
        TESSERA_EXPECTS(row >= 0 && row < out_);
        const Index w = width_of(row / panel_width);
        if (stored_ == DType::f32) {
            const float* p = at<float>(row);
            for (Index k = 0; k < in_; ++k) out[k] = p[k * w];
        } else {
            const bf16* p = at<bf16>(row);
            for (Index k = 0; k < in_; ++k) out[k] = to_float(p[k / 2 * w * 2 + k % 2]);
        }
    }

    /// The weights of one input, as floats.
    /// shape   → out [N]
    void read_input(Index k, float* out) const {
        TESSERA_EXPECTS(k >= 0 && k < in_);
        for (Index row = 0; row < out_; ++row) {
            const Index w = width_of(row / panel_width);
            out[row] = stored_ == DType::f32 ? at<float>(row)[k * w] : to_float(at<bf16>(row)[k / 2 * w * 2 + k % 2]);
        }
    }

    /// Columns of a panel: `panel_width` but for the last one.
    Index width_of(Index panel) const { return std::min(panel_width, padded_out() - panel * panel_width); }
    /// Where the column of output `row` begins in its panel. T is the stored type.
    template <class T>
    const T* at(Index row) const {
        return reinterpret_cast<const T*>(data_.data()) + offset(row, Index{sizeof(T)});
    }

  private:
    Index element_size() const { return stored_ == DType::f32 ? 4 : 2; }
    Index padded_out() const { return (out_ + width - 1) / width * width; }
    Index padded_in() const { return stored_ == DType::f32 ? in_ : (in_ + 1) / 2 * 2; }
    Index offset(Index row, Index size) const {
        const Index column = row % panel_width;
        return (row - column) * padded_in() + column * (4 / size);
    }
    template <class T>
    T* at(Index row) {
        return const_cast<T*>(std::as_const(*this).at<T>(row));
    }

    template <class Number>
    void write_rows(Index first, const Number* rows, Index count) {
        TESSERA_EXPECTS(first >= 0 && count >= 0 && first + count <= out_);
        const Index first_panel = first / panel_width;
        const Index panels = count == 0 ? 0 : (first + count - 1) / panel_width - first_panel + 1;
        const auto write_panels = [&](Index from, Index to) {
            for (Index panel = first_panel + from; panel < first_panel + to; ++panel) {
                const Index begin = std::max(first, panel * panel_width);
                write_panel(begin, std::min(first + count, (panel + 1) * panel_width), rows + (begin - first) * in_);
            }
        };
        parallel_pieces(panels, 1, write_panels, 16 * count * in_);
    }

    /// Outputs [first, last) of one panel. All its vectors in turn, so that its lines are written at once.
    template <class Number>
    void write_panel(Index first, Index last, const Number* rows) {
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
    template <class Number>
    void write_group(Index first, Index count, const Number* rows, Index k, Index end) {
        const Index w = width_of(first / panel_width);
        Square block;
        const auto turn = [&](const auto* from, Index stride) {
            for (Index c = 0; c < width; ++c) block[static_cast<std::size_t>(c)] = load(from + c * stride);
            transpose(block);
        };
        const auto turned = [&](Index i) { return block[static_cast<std::size_t>(i)]; };
        if (stored_ == DType::f32) {
            float* p = at<float>(first);
            for (; count == width && k + width <= end; k += width) {
                turn(rows + k, in_);
                for (Index i = 0; i < width; ++i) store(p + (k + i) * w, turned(i));
            }
            for (; k < end; ++k)
                for (Index c = 0; c < count; ++c) p[k * w + c] = to_float(rows[c * in_ + k]);
            return;
        }
        bf16* p = at<bf16>(first);
        if constexpr (std::same_as<Number, bf16>) {
            for (; count == width && k + 2 * width <= end; k += 2 * width) {  // pairs stay together
                for (Index c = 0; c < width; ++c)
                    block[static_cast<std::size_t>(c)] = load(reinterpret_cast<const float*>(rows + c * in_ + k));
                transpose(block);
                for (Index i = 0; i < width; ++i) store(reinterpret_cast<float*>(p + (k + 2 * i) * w), turned(i));
            }
            for (; k < end; ++k)
                for (Index c = 0; c < count; ++c) p[(k / 2 * w + c) * 2 + k % 2] = rows[c * in_ + k];
        } else {
            for (; count == width && k + width <= end; k += width) {
                turn(rows + k, in_);
                for (Index i = 0; i < width; i += 2) store_pairs(p + (k + i) * w, {turned(i), turned(i + 1)});
            }
            for (; k < end; ++k)
                for (Index c = 0; c < count; ++c) p[(k / 2 * w + c) * 2 + k % 2] = to_bf16(rows[c * in_ + k]);
        }
    }

    void clear_padding() {
        const Index spare = padded_out() - out_;
        if (spare > 0) {
            const Buffer<float> zeros(in_);
            std::fill_n(const_cast<float*>(zeros.data()), in_, 0.0f);
            for (Index row = out_; row < padded_out(); ++row) write_group(row, 1, zeros.data(), 0, in_);
        }
        if (padded_in() != in_)
            for (Index row = 0; row < padded_out(); ++row)
                at<bf16>(row)[(in_ / 2 * width_of(row / panel_width)) * 2 + 1] = bf16{};
    }

    /// One entry of the page table for 2 MB: a token is read at the speed of the memory, not of the table.
    void ask_for_huge_pages() {
#if defined(__linux__)
        constexpr std::uintptr_t page = 4096;
        constexpr Index huge = Index{4} << 20;
        if (data_.size() < huge) return;
        const auto begin = (std::bit_cast<std::uintptr_t>(data_.data()) + page - 1) / page * page;
        const auto end = std::bit_cast<std::uintptr_t>(data_.data() + data_.size()) / page * page;
        ::madvise(std::bit_cast<void*>(begin), end - begin,
                  MADV_HUGEPAGE);  // advice: nothing is lost when it is refused
#endif
    }

    Index out_ = 0;
    Index in_ = 0;
    DType stored_ = DType::f32;
    Buffer<std::byte> data_;
};

}  // namespace tessera::inline TESSERA_ISA::kernel

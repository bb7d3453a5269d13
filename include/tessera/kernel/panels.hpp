// A weight matrix in the order in which the matrix product reads it.
#pragma once
#include <algorithm>
#include <bit>
#include <cstdint>
#include <tessera/core/number.hpp>
#include <tessera/core/tensor.hpp>
#include <tessera/kernel/parallel.hpp>
#include <tessera/kernel/simd.hpp>
#include <utility>
#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace tessera::kernel::inline TESSERA_ISA {

/// The weight of a linear layer, out × in, cut into panels of `panel_width` outputs; the last is as many whole vectors
/// wide as it needs. Within a panel of width W the element of output column c and input k is at
///     f32   k·W + c
///     bf16  (k/2·W + c)·2 + k%2       pairs of inputs beside each other, as the dot-product instructions want them
/// Columns behind the last output, and the input behind an odd last one, are zeros.
/// shape   out [N], in [K]; write takes rows of K
/// errors  std::bad_alloc
/// cost    N·K elements rounded up to whole vectors; nothing is initialised but the padding until it is written
class Panels {
  public:
    /// Vectors side by side in one panel: three keep 8 rows of sums in 32 registers, two 6 rows in 16.
    static constexpr Index vectors = registers >= 32 ? 3 : 2;
    static constexpr Index panel_width = vectors * width;

    Panels() = default;
    Panels(Index out, Index in, Stored stored)
        : out_(out), in_(in), stored_(stored), data_(padded_out() * padded_in() * element_size()) {
        ask_for_huge_pages();
        clear_padding();
    }

    Index out() const { return out_; }
    Index in() const { return in_; }
    Stored stored() const { return stored_; }
    Index bytes() const { return data_.size(); }
    bool empty() const { return data_.size() == 0; }

    /// Sets the weights of outputs [first, first + count) from `count` rows of `in()` floats, rounded to what is
    /// stored. Several threads may write other outputs at the same time.
    void write(Index first, const float* rows, Index count) {
        TESSERA_EXPECTS(first >= 0 && count >= 0 && first + count <= out_);
        const Index first_group = first / width;
        const Index groups = count == 0 ? 0 : (first + count - 1) / width - first_group + 1;
        const auto group = [&](Index g) {
            const Index begin = std::max(first, (first_group + g) * width);
            const Index end = std::min(first + count, (first_group + g + 1) * width);
            write_group(begin, end - begin, rows + (begin - first) * in_);
        };
        if (count * in_ < work_for_threads)
            for (Index g = 0; g < groups; ++g) group(g);
        else
            parallel_for(groups, group);
    }

    /// The same, given the other way round: the weights of inputs [first, first + count) from `count` rows of `out()`
    /// floats.
    void write_inputs(Index first, const float* rows, Index count) {
        TESSERA_EXPECTS(first >= 0 && count >= 0 && first + count <= in_);
        for (Index k = first; k < first + count; ++k, rows += out_)
            for (Index row = 0; row < out_; ++row) {
                const Index w = width_of(row / panel_width);
                if (stored_ == Stored::f32)
                    at<float>(row)[k * w] = rows[row];
                else
                    at<bf16>(row)[k / 2 * w * 2 + k % 2] = to_bf16(rows[row]);
            }
    }

    /// The weights of one output, as floats.
    void read(Index row, float* out) const {
        TESSERA_EXPECTS(row >= 0 && row < out_);
        const Index w = width_of(row / panel_width);
        if (stored_ == Stored::f32) {
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
            out[row] = stored_ == Stored::f32 ? at<float>(row)[k * w] : to_float(at<bf16>(row)[k / 2 * w * 2 + k % 2]);
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
    static constexpr Index work_for_threads = Index{1} << 16;  // elements, below which waking threads costs more

    Index element_size() const { return stored_ == Stored::f32 ? 4 : 2; }
    Index padded_out() const { return (out_ + width - 1) / width * width; }
    Index padded_in() const { return stored_ == Stored::f32 ? in_ : (in_ + 1) / 2 * 2; }
    Index offset(Index row, Index size) const {
        const Index column = row % panel_width;
        return (row - column) * padded_in() + column * (4 / size);
    }
    template <class T>
    T* at(Index row) {
        return const_cast<T*>(std::as_const(*this).at<T>(row));
    }

    /// At most `width` rows that share one vector.
    void write_group(Index first, Index count, const float* rows) {
        constexpr Index block = 64;  // inputs: a block of the rows stays in the first-level cache
        const Index w = width_of(first / panel_width);
        for (Index begin = 0; begin < in_; begin += block) {
            const Index end = std::min(begin + block, in_);
            if (stored_ == Stored::f32) {
                float* p = at<float>(first);
                for (Index k = begin; k < end; ++k)
                    for (Index c = 0; c < count; ++c) p[k * w + c] = rows[c * in_ + k];
            } else {
                bf16* p = at<bf16>(first);
                for (Index k = begin; k < end; ++k)
                    for (Index c = 0; c < count; ++c) p[(k / 2 * w + c) * 2 + k % 2] = to_bf16(rows[c * in_ + k]);
            }
        }
    }

    void clear_padding() {
        const Index spare = padded_out() - out_;
        if (spare > 0) {
            const Buffer<float> zeros(in_);
            std::fill_n(const_cast<float*>(zeros.data()), in_, 0.0f);
            for (Index row = out_; row < padded_out(); ++row) write_group(row, 1, zeros.data());
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
    Stored stored_ = Stored::f32;
    Buffer<std::byte> data_;
};

}  // namespace tessera::kernel::inline TESSERA_ISA

// A weight matrix in the order in which the matrix product reads it.
#pragma once
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
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

/// Inputs of one output that lie beside each other.
template <class T>
inline constexpr Index inputs_beside = std::same_as<T, bf16>          ? 2
                                       : std::same_as<T, std::int8_t> ? 4
                                                                      : 1;

/// Whether the last panel is as wide as the others: a percent of memory, for a third of the tiles that are to be compiled.
template <class T>
inline constexpr bool only_whole_panels = std::same_as<T, f16> || std::same_as<T, std::int8_t>;

/// A weight of out × in numbers of T, cut into panels; the last is as many whole vectors wide as it needs. Within a panel of
/// width W the element of output column c and input k is at
///     f32   k·W + c
///     f16   k·W + c
///     bf16  (k/2·W + c)·2 + k%2       pairs of inputs beside each other, as the dot-product instructions want them
///     i8    (k/4·W + c)·4 + k%4       fours of inputs, as many as a lane holds
/// Columns after the last output, and inputs after a last one that is not whole, are zeros. An i8 counts its output's `scale`:
/// the largest magnitude of the output's weights, over 127, of which the weights are the nearest multiples.
template <class T>
class Panels {
  public:
    using Number = T;

    /// Whether outputs have scales.
    static constexpr bool scaled = std::same_as<T, std::int8_t>;

    Panels() = default;
    Panels(Index out, Index in) : out_(out), in_(in), data_(bytes_of(out, in) / Index{sizeof(T)}) {
        advise_huge_pages();
        clear_padding();
    }
    /// Of memory that holds what `memory()` of other panels does.
    Panels(Index out, Index in, MappedMemory& mapped)
        : out_(out), in_(in), data_(mapped.take<T>(bytes_of(out, in) / Index{sizeof(T)})) {}

    /// Bytes of so many outputs and inputs.
    static constexpr Index bytes_of(Index out, Index in) {
        return (before(out) + padded_out(out) * padded_in(in)) * Index{sizeof(T)};
    }

    Index out() const { return out_; }
    Index in() const { return in_; }
    Index bytes() const { return data_.size() * Index{sizeof(T)}; }
    /// All of it: scales where there are any, and the panels.
    std::span<const std::byte> memory() const {
        return std::as_bytes(std::span(data_.data(), std::size_t(data_.size())));
    }

    /// Columns of a panel: `panel_width` but for the last one.
    Index width_of(Index panel) const { return std::min(panel_width, padded_out() - panel * panel_width); }
    /// Where the column of output `row` begins in its panel.
    const T* at(Index row) const {
        const Index column = row % panel_width;
        return data_.data() + before(out_) + (row - column) * padded_in() + column * beside;
    }
    /// What the numbers of `row` and of those after it in its panel are multiplied by; null where that is 1.
    const float* scales(Index row) const {
        if constexpr (scaled)
            return reinterpret_cast<const float*>(data_.data()) + row;
        else
            return nullptr;
    }
    /// One number.
    float get(Index row, Index k) const {
        const float stored = to_float(at(row)[place(k, width_of(row / panel_width))]);
        return scaled ? stored * *scales(row) : stored;
    }

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
    /// Inputs [first, first + count) from rows of `out()` floats; not where outputs have scales.
    void write_inputs(Index first, const float* rows, Index count) {
        TESSERA_EXPECTS(!scaled && first >= 0 && count >= 0 && first + count <= in_);
        for (Index k = first; k < first + count; ++k, rows += out_)
            for (Index row = 0; row < out_; ++row) set(at(row)[place(k, width_of(row / panel_width))], rows[row]);
    }

  private:
    static constexpr Index beside = inputs_beside<T>;

    static Index place(Index k, Index w) { return k / beside * w * beside + k % beside; }
    static void set(float& to, float x) { to = x; }
    static void set(bf16& to, float x) { to = to_bf16(x); }
    static void set(f16& to, float x) { to = to_f16(x); }
    static void set(std::int8_t& to, float x) { to = static_cast<std::int8_t>(x); }

    static constexpr Index whole(Index count, Index unit) { return (count + unit - 1) / unit * unit; }
    static constexpr Index padded_out(Index out) { return whole(out, only_whole_panels<T> ? panel_width : width); }
    static constexpr Index padded_in(Index in) { return whole(in, beside); }
    /// Elements that the scales take, before the panels.
    static constexpr Index before(Index out) { return scaled ? padded_out(out) * Index{sizeof(float)} : 0; }
    Index padded_out() const { return padded_out(out_); }
    Index padded_in() const { return padded_in(in_); }
    T* at(Index row) { return const_cast<T*>(std::as_const(*this).at(row)); }
    float& scale(Index row) { return *const_cast<float*>(scales(row)); }

    /// Outputs [first, last) of one panel. All its vectors in turn, so that its lines are written at once.
    template <class From>
    void write_panel(Index first, Index last, const From* rows) {
        if constexpr (scaled)
            for (Index row = first; row < last; ++row) scale(row) = largest(rows + (row - first) * in_, in_) / 127.0f;
        constexpr Index block = 64;  // inputs: a block of the rows stays in the first-level cache
        for (Index begin = 0; begin < in_; begin += block) {
            Index next = 0;
            for (Index row = first; row < last; row = next) {
                next = std::min(last, (row / width + 1) * width);
                write_group(row, next - row, rows + (row - first) * in_, begin, std::min(begin + block, in_));
            }
        }
    }

    /// Inputs [k, end) of at most `width` rows that share one vector; k is a multiple of 4.
    template <class From>
    void write_group(Index first, Index count, const From* rows, Index k, Index end) {
        const Index w = width_of(first / panel_width);
        T* const p = at(first);
        Square block;
        const auto row = [&](Index i) -> Vec& { return block[static_cast<std::size_t>(i)]; };
        if constexpr (scaled) {
            std::array<float, static_cast<std::size_t>(width)> units;  // where all are zero they stay that
            for (Index c = 0; c < width; ++c) {
                const float unit = c < count ? scale(first + c) : 0.0f;
                units[static_cast<std::size_t>(c)] = unit > 0 ? unit : 1.0f;
            }
            const Vec unit = load(units.data()), most = broadcast(127.0f);
            const auto nearest = [&](Vec x) { return min(most, max(-most, round(x / unit))); };
            if constexpr (std::same_as<From, float>)
                for (; count == width && k < end; k += width) {  // zeros follow the last input
                    const Index lanes = std::min(width, end - k);
                    for (Index c = 0; c < width; ++c) row(c) = load(rows + c * in_ + k, lanes);
                    transpose(block);
                    for (Index i = 0; i < lanes; i += 4)
                        store_quarters(p + (k + i) * w, nearest(row(i)), nearest(row(i + 1)), nearest(row(i + 2)),
                                       nearest(row(i + 3)));
                }
            for (; k < end; ++k)
                for (Index c = 0; c < count; ++c) {
                    const float number = to_float(rows[c * in_ + k]) / units[static_cast<std::size_t>(c)];
                    set(p[place(k, w) + c * beside], std::clamp(std::nearbyint(number), -127.0f, 127.0f));
                }
        } else if constexpr (std::same_as<T, float> || std::same_as<T, f16>) {
            for (; count == width && k + width <= end; k += width) {
                for (Index c = 0; c < width; ++c) row(c) = load(rows + c * in_ + k);
                transpose(block);
                for (Index i = 0; i < width; ++i) store(p + (k + i) * w, row(i));
            }
        } else if constexpr (std::same_as<From, bf16>) {                      // to bf16
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
            for (Index c = 0; c < count; ++c) set(p[place(k, w) + c * beside], to_float(rows[c * in_ + k]));
    }

    /// The largest magnitude; NaN counts for nothing.
    template <class From>
    static float largest(const From* row, Index count) {
        float top = 0;
        if constexpr (std::same_as<From, float>) {
            Vec all = broadcast(0.0f);
            for_each_vec(count, [&](Index i, Index lanes) { all = max(abs(load(row + i, lanes)), all); });
            top = reduce_max(all);
        } else {
            for (Index i = 0; i < count; ++i) top = std::max(top, std::abs(to_float(row[i])));
        }
        return top;
    }

    void clear_padding() {
        for (Index row = 0; row < padded_out(); ++row)
            for (Index k = row < out_ ? in_ : 0; k < padded_in(); ++k)
                at(row)[place(k, width_of(row / panel_width))] = T{};
        for (Index row = out_; scaled && row < padded_out(); ++row) scale(row) = 0;
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

/// The weight of a linear layer, out × in, in the panels that the matrix product reads: of f32, bf16, f16 or i8, as is
/// chosen at run time. A product asks once which it is.
/// shape   out [N], in [K]; write takes rows of K
/// errors  std::bad_alloc
/// cost    N·K elements rounded up to whole vectors; nothing is initialised but the padding until it is written
class PackedB {
  public:
    PackedB() = default;
    /// `dtype` is one that `is_weight_dtype`.
    PackedB(Index out, Index in, DType dtype) {
        TESSERA_EXPECTS(is_weight_dtype(dtype));
        if (dtype == DType::f32) panels_ = Panels<float>(out, in);
        if (dtype == DType::bf16) panels_ = Panels<bf16>(out, in);
        if (dtype == DType::f16) panels_ = Panels<f16>(out, in);
        if (dtype == DType::i8) panels_ = Panels<std::int8_t>(out, in);
    }
    /// The same in memory that is filled already, as `memory()` gave it.
    PackedB(Index out, Index in, DType dtype, MappedMemory& memory) {
        TESSERA_EXPECTS(is_weight_dtype(dtype));
        if (dtype == DType::f32) panels_ = Panels<float>(out, in, memory);
        if (dtype == DType::bf16) panels_ = Panels<bf16>(out, in, memory);
        if (dtype == DType::f16) panels_ = Panels<f16>(out, in, memory);
        if (dtype == DType::i8) panels_ = Panels<std::int8_t>(out, in, memory);
    }
    /// Bytes of so many outputs and inputs.
    static constexpr Index bytes_of(Index out, Index in, DType dtype) {
        if (dtype == DType::bf16) return Panels<bf16>::bytes_of(out, in);
        if (dtype == DType::f16) return Panels<f16>::bytes_of(out, in);
        return dtype == DType::i8 ? Panels<std::int8_t>::bytes_of(out, in) : Panels<float>::bytes_of(out, in);
    }

    /// f(panels), of whichever type they are.
    template <class F>
    decltype(auto) visit(const F& f) const {
        if (const auto* panels = std::get_if<Panels<bf16>>(&panels_)) return f(*panels);
        if (const auto* panels = std::get_if<Panels<std::int8_t>>(&panels_)) return f(*panels);
        if (const auto* panels = std::get_if<Panels<f16>>(&panels_)) return f(*panels);
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
    std::span<const std::byte> memory() const {
        return visit([](const auto& panels) { return panels.memory(); });
    }
    DType dtype() const {
        constexpr DType in_order[] = {DType::f32, DType::bf16, DType::f16, DType::i8};
        return in_order[panels_.index()];
    }
    bool empty() const { return bytes() == 0; }

    /// Sets the weights of outputs [first, first + count) from `count` rows of `in()` finite numbers, rounded to what is
    /// stored, to the nearest and ties to even. Many rows are shared out to the threads; several threads may also write other outputs at the same time.
    void write(Index first, const float* rows, Index count) {
        change([&](auto& panels) { panels.write(first, rows, count); });
    }
    void write(Index first, const bf16* rows, Index count) {
        change([&](auto& panels) { panels.write(first, rows, count); });
    }
    /// The same, given the other way round: the weights of inputs [first, first + count) from `count` rows of `out()`
    /// floats. Not for i8, where the scale of an output needs all its inputs.
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
        std::as_const(*this).visit([&]<class T>(const Panels<T>& panels) { f(const_cast<Panels<T>&>(panels)); });
    }

    std::variant<Panels<float>, Panels<bf16>, Panels<f16>, Panels<std::int8_t>> panels_;
};

}  // namespace tessera::inline TESSERA_ISA::kernel

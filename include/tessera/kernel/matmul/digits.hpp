// Products of int8 weights in whole numbers, where the processor multiplies fours of them in one instruction: the float rows are
// written as three digits of 8 bits, a product is the sum of three exact ones.
//
// For few rows it takes a third of the instructions of converting weights to floats, so that only memory limits it; for many,
// three quarters of the multiplications.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <tessera/kernel/matmul/microkernel.hpp>
#include <utility>

namespace tessera::inline TESSERA_ISA::kernel {

/// Detail: rows of floats as multiples of an 8355000th of the largest magnitude of each: some 24 bits, as many as a float has.
///
/// A number is off by ¾ of that at most, so a row's product with weights w by Σ|w| · the largest · 2⁻²³; what is rounded besides
/// are the sum of each digit, the unit and the additions, as floats. Rows whose largest is below 2⁻¹⁰³ lose bits; one with an
/// infinite number or NaN is NaN.
class Digits {
  public:
    static constexpr int planes = 3;  // the lowest digits, the middle ones, the highest
    static constexpr Index most_rows = strip_rows;
    static constexpr Index most_inputs = 2048 + 4;

    /// shape   x [inputs]
    void set(Index row, const float* x, Index inputs) {
        TESSERA_EXPECTS(row < most_rows && inputs <= most_inputs);
        const Vec infinity = broadcast(std::numeric_limits<float>::infinity());
        Vec top = broadcast(0.0f);
        for_each_vec(inputs, [&](Index i, Index lanes) {
            const Vec magnitude = abs(load(x + i, lanes));
            top = max(select(magnitude < infinity, magnitude, infinity), top);  // NaN counts as infinite
        });
        const float largest = reduce_max(top);
        const bool finite = largest < std::numeric_limits<float>::infinity();
        const float factor = finite && largest > 0 ? std::min(8355000.0f / largest, 0x1p126f) : 0.0f;
        units_[at(row)] = finite ? (factor > 0 ? 1.0f / factor : 0.0f) : std::numeric_limits<float>::quiet_NaN();
        const Index whole = (inputs + 4 * width - 1) / (4 * width) * (4 * width);  // zeros follow the last input
        for (Index i = 0; i < whole; i += width) {
            const Index lanes = finite ? std::clamp<Index>(inputs - i, 0, width) : 0;
            const Vec digits = lanes > 0 ? load(x + i, lanes) * broadcast(factor) : broadcast(0.0f);
            store_digits(plane(2, row) + i, plane(1, row) + i, plane(0, row) + i, digits);
        }
        for (int p = 0; p < planes; ++p) starts_[at(p * most_rows + row)] = -128 * sum_of(plane(p, row), whole);
    }

    const std::int8_t* plane(int p, Index row) const { return numbers_.data() + (p * most_rows + row) * stride; }
    /// What a sum begins with, to undo that weights are 128 too large.
    std::int32_t start(int p, Index row) const { return starts_[at(p * most_rows + row)]; }
    /// What a sum of a plane counts.
    float unit(int p, Index row) const { return units_[at(row)] * static_cast<float>(1 << 8 * p); }

    /// From a number of a row to that of the next row, and to that of the next plane.
    static constexpr Index stride = (most_inputs + 4 * width - 1) / (4 * width) * (4 * width);
    static constexpr Index plane_stride = most_rows * stride;

  private:
    static std::size_t at(Index i) { return static_cast<std::size_t>(i); }
    std::int8_t* plane(int p, Index row) { return const_cast<std::int8_t*>(std::as_const(*this).plane(p, row)); }

    alignas(alignment) std::array<std::int8_t, std::size_t{planes * plane_stride}> numbers_;
    std::array<std::int32_t, std::size_t{planes * most_rows}> starts_;
    std::array<float, std::size_t{most_rows}> units_;
};

/// Detail: sums[n][r][c] (+)= Σ_k x[r][k]·w[n][k][c] for rows from `row` and `Planes` planes of digits from `plane` on, without the
/// scales of w.
/// shape   x Rows × 4·fours; w 4·fours × panel_width for each of Count panels, `w_stride` apart; sums Rows × panel_width for each
///         panel, `sums_stride` apart
template <int Rows, int Planes, int Count>
void digit_tile(float* sums, Index sums_stride, const Digits& x, Index row, int plane, const std::int8_t* w,
                Index w_stride, Index fours, bool add, [[maybe_unused]] Prefetch prefetch_from) noexcept {
    constexpr int columns = panel_vectors * Count;
    const auto each = [&](const auto& f) __attribute__((always_inline)) {
        unroll<Rows>([&](int r) __attribute__((always_inline)) {
            unroll<columns>([&](int c) __attribute__((always_inline)) { f(r, c); });
        });
    };
    Whole sum[Planes][Rows][columns];
    unroll<Planes>([&](int p) __attribute__((always_inline)) {
        each([&](int r, int c)
                 __attribute__((always_inline)) { sum[p][r][c] = broadcast_whole(x.start(plane + p, row + r)); });
    });
    const std::int8_t* const digits = x.plane(plane, row);
    for (Index k = 0; k != 4 * fours; k += 4, w += 4 * panel_width) {
        if constexpr (Rows > 2) {  // fewer rows only wait for memory, and the processor's own guesses are better
            prefetch(prefetch_from.line);
            prefetch_from.line += prefetch_from.step;
        }
        Quads b[columns];
        unroll<columns>([&](int c) __attribute__((always_inline)) {
            b[c] = load_raised(w + c / panel_vectors * w_stride + c % panel_vectors * 4 * width);
        });
        unroll<Planes>([&](int p) __attribute__((always_inline)) {
            unroll<Rows>([&](int r) __attribute__((always_inline)) {
                const Quads a = broadcast_quad(digits + p * Digits::plane_stride + r * Digits::stride + k);
                unroll<columns>([&](int c) __attribute__((always_inline)) { multiply_add(sum[p][r][c], b[c], a); });
            });
        });
    }
    each([&](int r, int c) __attribute__((always_inline)) {
        float* const to = sums + c / panel_vectors * sums_stride + r * panel_width + c % panel_vectors * width;
        Vec total = add ? load(to) : broadcast(0.0f);
        unroll<Planes>([&](int p) __attribute__((always_inline)) {
            total = fma(to_vec(sum[p][r][c]), broadcast(x.unit(plane + p, row + r)), total);
        });
        store(to, total);
    });
}

/// The panels that a tile of so many rows of digits takes at once.
constexpr int panels_of_digits(Index rows) { return rows == 1 ? 2 : 1; }

/// The tiles for numbers of rows and panels that are known at run time: of few rows all digits at once, so that weights are read
/// once; else one digit of all rows, as many sums as fit the registers.
/// shape   1 ≤ rows ≤ strip_rows; `count` panels, 1 or panels_of_digits(rows); fetch(part, parts): what each part fetches meanwhile
template <class Fetch>
void multiply(const Digits& x, Index row, Index rows, Index count, float* sums, Index sums_stride, const std::int8_t* w,
              Index w_stride, Index fours, bool add, const Fetch& fetch) noexcept {
    unroll<strip_rows>([&](auto r) {
        constexpr int height = r + 1, most = panels_of_digits(height);
        constexpr int together = height <= 2 ? Digits::planes : 1, parts = Digits::planes / together;
        if (rows != height) return;
        if constexpr (most > 1)
            if (count == most)
                return digit_tile<height, together, most>(sums, sums_stride, x, row, 0, w, w_stride, fours, add, {});
        for (int part = 0; part < parts; ++part)
            digit_tile<height, together, 1>(sums, sums_stride, x, row, part * together, w, w_stride, fours,
                                            add || part > 0, fetch(part, parts));
    });
}

}  // namespace tessera::inline TESSERA_ISA::kernel

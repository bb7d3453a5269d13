// Products of small matrices held in registers: c (+)= a·b, where a is read where it lies, number by number.
//
// The numbers of `a` are broadcast, the rows of `b` are loaded as vectors, the sums stay in registers from the first
// step to the last. So nothing has to be packed: of `a` any two strides will do, of `b` and `c` the columns must lie side
// by side. Attention and its gradients are made of such products (K·Qᵀ, Vᵀ·Pᵀ, V·dOᵀ, Pᵀ·dO, …), where `b` and `c` are
// small and in the first-level cache.
#pragma once
#include <algorithm>
#include <tessera/kernel/simd/vec.hpp>

namespace tessera::inline TESSERA_ISA::kernel {

/// a(r, s) = data[r·row + s·step]: {k, stride, 1} are the rows of a matrix, {v, 1, stride} are its columns.
struct OperandA {
    const float* data;
    Index row, step;
};

/// b(s, j) = data[s·step + j].
struct OperandB {
    const float* data;
    Index step;
};

/// Whether sums are added to what `c` holds.
enum class Accumulate : bool { no, yes };

/// The most rows of one or two vectors that are summed at once: as many as there are registers for, or as can be read.
template <Index Vectors>
inline constexpr Index tile_rows = registers == 32 || Vectors == 1 ? 12 : 6;

/// Detail: `count` times `Rows` rows of `Vectors` vectors; where `Partial` only `last` lanes of the last vector exist.
template <Index Rows, Index Vectors, bool Partial>
void tiles(float* c, Index c_row, OperandA a, OperandB b, Index steps, Accumulate accumulate, const float* factor,
           Index last, Index count) {
    const auto lanes_of = [&]([[maybe_unused]] Index v) __attribute__((always_inline)) {
        if constexpr (Partial) return v == Vectors - 1 ? last : width;
        return width;
    };
    const auto each = [&](const auto& f) __attribute__((always_inline)) {
        unroll<Rows>([&](int r) __attribute__((always_inline)) {
            unroll<Vectors>([&](int v) __attribute__((always_inline)) { f(r, v); });
        });
    };
    for (; count > 0; --count, a.data += Rows * a.row, c += Rows * c_row) {
        Vec sum[Rows][Vectors];
        if (accumulate == Accumulate::no) {
            each([&](int r, int v) __attribute__((always_inline)) { sum[r][v] = broadcast(0.0f); });
        } else {
            each([&](int r, int v)
                     __attribute__((always_inline)) { sum[r][v] = load(c + r * c_row + v * width, lanes_of(v)); });
            if (factor != nullptr)
                each([&](int r, int v)
                         __attribute__((always_inline)) { sum[r][v] *= load(factor + v * width, lanes_of(v)); });
        }
        // Every third row has its own pointer: one and two strides from it are scales that an address can have.
        constexpr Index bases = (Rows + 2) / 3;
        const float* left[bases];
        unroll<bases>([&](int i) __attribute__((always_inline)) { left[i] = a.data + i * 3 * a.row; });
        const float* right = b.data;
        const auto step = [&]() __attribute__((always_inline)) {
            Vec line[Vectors];
            unroll<Vectors>([&](int v)
                                __attribute__((always_inline)) { line[v] = load(right + v * width, lanes_of(v)); });
            unroll<Rows>([&](int r) __attribute__((always_inline)) {
                const Vec number = broadcast(left[r / 3][r % 3 * a.row]);
                unroll<Vectors>([&](int v)
                                    __attribute__((always_inline)) { multiply_add(sum[r][v], number, line[v]); });
            });
            unroll<bases>([&](int i) __attribute__((always_inline)) { left[i] += a.step; });
            right += b.step;
        };
        Index s = steps;
        for (; s >= 4; s -= 4) {  // few enough turns that the processor foresees the last
            step();
            step();
            step();
            step();
        }
        for (; s > 0; --s) step();
        each([&](int r, int v)
                 __attribute__((always_inline)) { store(c + r * c_row + v * width, sum[r][v], lanes_of(v)); });
    }
}

/// c(r, j) = c(r, j)·factor(j) + Σ_s a(r, s)·b(s, j), in the order of s, for any number of rows and `Vectors`
/// vectors of columns; where `Partial` only the first `last` lanes of the last vector exist, and no others are read or
/// written.
/// shape   a [rows, steps], b [steps, columns] → c [rows, columns], rows `c_row` apart; factor [columns], 1 if null
/// units   each sum has one rounding per step where the processor has FMA; it does not depend on how rows are tiled
/// errors  none; c must not overlap a or b. Without Accumulate `c` is not read and factor must be null.
/// cost    2·rows·columns·steps flops, near the machine's peak if rows ≥ 3, columns are two vectors and steps ≥ 32
template <Index Vectors, bool Partial = false>
void small_gemm(float* c, Index c_row, OperandA a, OperandB b, Index rows, Index steps, Accumulate accumulate,
                const float* factor = nullptr, Index last = width) {
    TESSERA_EXPECTS(factor == nullptr || accumulate == Accumulate::yes);
    const auto take = [&]<Index Rows>(std::integral_constant<Index, Rows>, Index count) {
        tiles<Rows, Vectors, Partial>(c, c_row, a, b, steps, accumulate, factor, last, count);
        a.data += count * Rows * a.row;
        c += count * Rows * c_row;
        rows -= count * Rows;
    };
    // One row or two cannot keep the multipliers busy; so none is left over where there are more: 7 = 4 + 3, 8 = 4 + 4.
    constexpr Index most = tile_rows<Vectors>;
    if (rows >= most)
        take(std::integral_constant<Index, most>{},
             rows % most == 1 || rows % most == 2 ? rows / most - 1 : rows / most);
    if (rows > 8) take(std::integral_constant<Index, 6>{}, 1);
    if (rows > 6) take(std::integral_constant<Index, 4>{}, 1);
    switch (rows) {
        case 6:
            return take(std::integral_constant<Index, 6>{}, 1);
        case 5:
            return take(std::integral_constant<Index, 5>{}, 1);
        case 4:
            return take(std::integral_constant<Index, 4>{}, 1);
        case 3:
            return take(std::integral_constant<Index, 3>{}, 1);
        case 2:
            return take(std::integral_constant<Index, 2>{}, 1);
        case 1:
            return take(std::integral_constant<Index, 1>{}, 1);
        default:
            return;
    }
}

/// The same for any number of columns, of which the last vector may be partial.
/// cost    as above; a partial vector costs as much as a full one
template <class = void>  // so that who does not multiply does not compile it
void small_gemm(float* c, Index c_row, OperandA a, OperandB b, Index rows, Index columns, Index steps,
                Accumulate accumulate, const float* factor = nullptr) {
    for (; columns > 0; columns -= 2 * width, c += 2 * width, b.data += 2 * width) {
        if (columns >= 2 * width)
            small_gemm<2>(c, c_row, a, b, rows, steps, accumulate, factor);
        else if (columns == width)
            small_gemm<1>(c, c_row, a, b, rows, steps, accumulate, factor);
        else if (columns > width)
            small_gemm<2, true>(c, c_row, a, b, rows, steps, accumulate, factor, columns - width);
        else
            small_gemm<1, true>(c, c_row, a, b, rows, steps, accumulate, factor, columns);
        if (factor != nullptr) factor += 2 * width;
    }
}

}  // namespace tessera::inline TESSERA_ISA::kernel

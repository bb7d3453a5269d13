// The innermost loop of the matrix product: a few rows times a few vectors of columns, all sums in registers.
#pragma once
#include <algorithm>
#include <concepts>
#include <tessera/kernel/matmul/pack.hpp>
#include <tessera/kernel/simd/vec.hpp>
#include <utility>

namespace tessera::inline TESSERA_ISA::kernel {

/// Rows of sums that fit the registers beside one panel's vectors.
inline constexpr Index strip_rows = registers >= 32 ? 8 : 6;

/// PackedB that a tile of so few rows takes at once: one panel's sums would be too few to hide how long a multiply-add
/// takes.
constexpr int panels_at_once(Index rows) { return rows == 1 ? 4 : rows <= 3 ? 2 : 1; }

/// What a tile fetches while it computes, so that it is in the cache for the next: `step` bytes more with each input.
struct Prefetch {
    const char* line = nullptr;
    Index step = 0;
};

/// A float of rows that lie packed, in the order in which tiles read them: number k of row r of a strip is the
/// (k·strip_rows + r)-th.
struct PackedA {
    float value;
};

/// sums[p][r][c] (+)= Σ_k x[r][k]·w[p][k][c], in the order of k, one rounding each; from bf16 rows the sums of pairs. With `add` the
/// whole sums are added to those that are there.
/// shape   x Rows × inputs; w Vectors vectors of each of Count panels, which are `w_stride` elements apart; `stride` elements
///         from what lies beside each other to the next; sums Rows × panel_width for each panel, `sums_stride` apart; from
///         PackedA rows of one panel, rows `sums_stride` apart
template <int Rows, int Vectors, int Count, class X, class T>
void microkernel(float* sums, Index sums_stride, const X* x, Index x_stride, const T* w, Index w_stride, Index stride,
                 Index inputs, bool add, [[maybe_unused]] Prefetch prefetch_from) noexcept {
    constexpr int columns = Vectors * Count;
    constexpr Index lane = inputs_beside<T>;
    constexpr bool prefetches =
        Rows >= 4;  // fewer rows only wait for memory, and the processor's own guesses are better
    [[maybe_unused]] constexpr int lines = std::max(1, static_cast<int>(Vectors * width) * 4 / 64);
    constexpr bool packed = std::same_as<X, PackedA>;
    const auto place = [&](int r, int c) __attribute__((always_inline)) {
        if constexpr (packed) return sums + r * sums_stride + c * width;
        return sums + c / Vectors * sums_stride + r * panel_width + c % Vectors * width;
    };
    const auto each = [&](const auto& f) __attribute__((always_inline)) {
        unroll<Rows>([&](int r) __attribute__((always_inline)) {
            unroll<columns>([&](int c) __attribute__((always_inline)) { f(r, c); });
        });
    };
    if constexpr (packed)  // else their loads hold up what comes behind them
        unroll<Rows>([&](int r) __attribute__((always_inline)) { prefetch(place(r, 0)); });
    Vec sum[Rows][columns];
    each([&](int r, int c) __attribute__((always_inline)) { sum[r][c] = broadcast(0.0f); });
    // What is multiplied at a time: `rows(r)` is a number, or a pair, of a row in every lane, `part` loads weights from
    // `from` on. What there is less of stays in registers.
    const auto step = [&](const T* from, const auto& rows, const auto& part) __attribute__((always_inline)) {
        const auto weight = [&](int c) __attribute__((always_inline)) {
            return part(from + c / Vectors * w_stride + c % Vectors * width * lane);
        };
        if constexpr (Rows >= columns) {
            decltype(part(from)) b[columns];
            unroll<columns>([&](int c) __attribute__((always_inline)) { b[c] = weight(c); });
            unroll<Rows>([&](int r) __attribute__((always_inline)) {
                const auto a = rows(r);
                unroll<columns>([&](int c) __attribute__((always_inline)) { multiply_add(sum[r][c], a, b[c]); });
            });
        } else {
            decltype(rows(0)) a[Rows];
            unroll<Rows>([&](int r) __attribute__((always_inline)) { a[r] = rows(r); });
            unroll<columns>([&](int c) __attribute__((always_inline)) {
                const auto b = weight(c);
                unroll<Rows>([&](int r) __attribute__((always_inline)) { multiply_add(sum[r][c], a[r], b); });
            });
        }
    };
    const auto prefetch_next = [&]() __attribute__((always_inline)) {
        if constexpr (prefetches) {
            unroll<lines>([&](int i) __attribute__((always_inline)) { prefetch(prefetch_from.line + i * 64); });
            prefetch_from.line += prefetch_from.step;
        }
    };
    [[maybe_unused]] const auto row = [&](const X* at) __attribute__((always_inline)) {
        return [=](int r) __attribute__((always_inline)) {
            if constexpr (packed)
                return broadcast(at[r].value);
            else
                return broadcast(to_float(at[r * x_stride]));
        };
    };
    Index left = inputs;
    if constexpr (std::same_as<X, bf16>) {
        const auto pair = [](const bf16* p) __attribute__((always_inline)) { return load_halves(p); };
        for (; left >= 2; left -= 2, x += 2, w += stride) {
            prefetch_next();
            step(
                w, [&](int r) __attribute__((always_inline)) { return broadcast_pair(x + r * x_stride); }, pair);
        }
        if (left > 0)
            step(
                w,
                [&](int r) __attribute__((always_inline)) {
                    const bf16 last[2] = {x[r * x_stride], bf16{}};  // the weight behind the last is zero, the row ends
                    return broadcast_pair(last);
                },
                pair);
    } else if constexpr (lane == 1) {
        const auto whole = [](const T* p) __attribute__((always_inline)) { return load(p); };
        for (; left > 0; --left, x += packed ? strip_rows : 1, w += stride) {
            prefetch_next();
            step(w, row(x), whole);
        }
    } else if constexpr (std::same_as<T, std::int8_t>) {
        const auto first = [](const T* p) __attribute__((always_inline)) { return load_quarter<0>(p); };
        constexpr int steps = Rows >= 4 ? 2 : 1;
        for (; left >= lane; left -= lane, x += lane, w += stride) {
            prefetch_next();
            for (Index i = 0; i != lane; i += steps)
                unroll<steps>([&](int j) __attribute__((always_inline)) { step(w + i + j, row(x + i + j), first); });
        }
        for (; left > 0; --left, ++x, ++w) step(w, row(x), first);
    } else {
        const auto even = [](const bf16* p) __attribute__((always_inline)) { return load_even(p); };
        const auto odd = [](const bf16* p) __attribute__((always_inline)) { return load_odd(p); };
        for (; left >= 2; left -= 2, x += 2, w += stride) {
            prefetch_next();
            step(w, row(x), even);
            step(opaque(w), row(x + 1), odd);  // loaded again: there are no registers for the other half of the pairs
        }
        if (left > 0) step(w, row(x), even);
    }
    if (add) each([&](int r, int c) __attribute__((always_inline)) { sum[r][c] += load(place(r, c)); });
    each([&](int r, int c) __attribute__((always_inline)) { store(place(r, c), sum[r][c]); });
}

/// The microkernel for numbers of rows, vectors and panels that are known at run time.
/// shape   1 ≤ rows ≤ strip_rows; panels of `vectors` vectors, which are `panel_vectors` where count is not 1
template <class X, class T>
void multiply(Index rows, Index vectors, Index count, float* sums, Index sums_stride, const X* x, Index x_stride,
              const T* w, Index w_stride, Index inputs, bool add, Prefetch prefetch_from) noexcept {
    const Index stride = vectors * width * inputs_beside<T>;
    const auto tile = [&]<int Rows, int Vectors, int Count>(std::integer_sequence<int, Rows, Vectors, Count>, Index row,
                                                            Index vector) {
        microkernel<Rows, Vectors, Count>(sums + row * panel_width + vector * width, sums_stride, x + row * x_stride,
                                          x_stride, w + vector * width * inputs_beside<T>, w_stride, stride, inputs,
                                          add, {prefetch_from.line + vector * 64, prefetch_from.step});
    };
    constexpr bool gradient = std::same_as<X, PackedA>;  // which has whole panels, one at a time
    if constexpr (!gradient && !only_whole_panels<T>)
        if (vectors < panel_vectors) {  // the last panel of many: it needs no tiles of its own for each number of rows
            for (Index vector = 0; vector < vectors; ++vector) {
                Index row = 0;
                const auto tiles_of = [&]<int Rows>(std::integral_constant<int, Rows>) {
                    for (; row + Rows <= rows; row += Rows) tile(std::integer_sequence<int, Rows, 1, 1>{}, row, vector);
                };
                tiles_of(std::integral_constant<int, strip_rows>{});
                tiles_of(std::integral_constant<int, 4>{});
                tiles_of(std::integral_constant<int, 1>{});
            }
            return;
        }
    unroll<strip_rows>([&](auto r) {
        constexpr int height = r + 1, most = panels_at_once(height);
        if (rows != height) return;
        if constexpr (most > 1 && !gradient)
            if (count == most) return tile(std::integer_sequence<int, height, panel_vectors, most>{}, 0, 0);
        tile(std::integer_sequence<int, height, panel_vectors, 1>{}, 0, 0);
    });
}

}  // namespace tessera::inline TESSERA_ISA::kernel

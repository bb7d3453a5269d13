// The innermost loop of the matrix product: a few rows times a few vectors of columns, all sums in registers.
#pragma once
#include <algorithm>
#include <concepts>
#include <tessera/kernel/matmul/pack.hpp>
#include <tessera/kernel/simd/vec.hpp>

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

/// sums[p][r][c] (+)= Σ_k x[r][k]·w[p][k][c], in the order of k, one rounding each; from bf16 rows the sums of pairs. From
/// PackedA rows, which gradients of weights are made of, the whole sums are added to those that are there.
/// shape   x Rows × inputs; w Count panels of Vectors vectors, `w_stride` elements apart; sums Rows × panel_width for
///         each panel, `sums_stride` apart; from PackedA rows of one panel, rows `sums_stride` apart
template <int Rows, int Vectors, int Count, class X, class T>
void microkernel(float* sums, Index sums_stride, const X* x, Index x_stride, const T* w, Index w_stride, Index inputs,
                 bool add, [[maybe_unused]] Prefetch prefetch_from) noexcept {
    constexpr int columns = Vectors * Count;
    constexpr Index lane = inputs_beside<T>;
    constexpr Index stride = Vectors * width * lane;
    constexpr bool prefetches =
        Rows >= 4;  // fewer rows only wait for memory, and the processor's own guesses are better
    [[maybe_unused]] constexpr int lines = std::max(1, static_cast<int>(stride * Index{sizeof(T)}) / 64);
    constexpr bool packed = std::same_as<X, PackedA>;
    const auto place = [&](int r, int c) __attribute__((always_inline)) {
        if constexpr (packed) return sums + r * sums_stride + c * width;
        return sums + c / Vectors * sums_stride + r * panel_width + c % Vectors * width;
    };
    const auto each = [&](const auto& f) __attribute__((always_inline)) {
        unroll<Rows>([&](auto r) __attribute__((always_inline)) {
            unroll<columns>([&](auto c) __attribute__((always_inline)) { f(r, c); });
        });
    };
    if constexpr (packed)  // else their loads hold up what comes behind them
        unroll<Rows>([&](auto r) __attribute__((always_inline)) { prefetch(place(r, 0)); });
    Vec sum[Rows][columns];
    each([&](auto r, auto c)
             __attribute__((always_inline)) { sum[r][c] = !packed && add ? load(place(r, c)) : broadcast(0.0f); });
    // What is multiplied at a time: `rows(r)` is a number, or a pair, of a row in every lane, `part` loads weights from
    // `from` on. What there is less of stays in registers.
    const auto step = [&](const T* from, const auto& rows, const auto& part) __attribute__((always_inline)) {
        const auto weight = [&](auto c) __attribute__((always_inline)) {
            return part(from + c / Vectors * w_stride + c % Vectors * width * lane);
        };
        if constexpr (Rows >= columns) {
            decltype(part(from)) b[columns];
            unroll<columns>([&](auto c) __attribute__((always_inline)) { b[c] = weight(c); });
            unroll<Rows>([&](auto r) __attribute__((always_inline)) {
                const auto a = rows(r);
                unroll<columns>([&](auto c) __attribute__((always_inline)) { multiply_add(sum[r][c], a, b[c]); });
            });
        } else {
            decltype(rows(0)) a[Rows];
            unroll<Rows>([&](auto r) __attribute__((always_inline)) { a[r] = rows(r); });
            unroll<columns>([&](auto c) __attribute__((always_inline)) {
                const auto b = weight(c);
                unroll<Rows>([&](auto r) __attribute__((always_inline)) { multiply_add(sum[r][c], a[r], b); });
            });
        }
    };
    const auto prefetch_next = [&]() __attribute__((always_inline)) {
        if constexpr (prefetches) {
            unroll<lines>([&](auto i) __attribute__((always_inline)) { prefetch(prefetch_from.line + i * 64); });
            prefetch_from.line += prefetch_from.step;
        }
    };
    [[maybe_unused]] const auto row = [&](Index k) __attribute__((always_inline)) {
        return [=](int r) __attribute__((always_inline)) {
            if constexpr (packed)
                return broadcast(x[k * strip_rows + r].value);
            else
                return broadcast(to_float(x[r * x_stride + k]));
        };
    };
    Index k = 0;
    if constexpr (std::same_as<X, bf16>) {
        const auto pair = [](const bf16* p) __attribute__((always_inline)) { return load_halves(p); };
        for (; k + 2 <= inputs; k += 2, w += stride) {
            prefetch_next();
            step(
                w, [&](int r) __attribute__((always_inline)) { return broadcast_pair(x + r * x_stride + k); }, pair);
        }
        if (k < inputs)
            step(
                w,
                [&](int r) __attribute__((always_inline)) {
                    const bf16 last[2] = {x[r * x_stride + k],
                                          bf16{}};  // the weight behind the last is zero, the row ends
                    return broadcast_pair(last);
                },
                pair);
    } else if constexpr (inputs_beside<T> == 1) {
        const auto whole = [](const T* p) __attribute__((always_inline)) { return load(p); };
        constexpr int steps = 4;
        for (; k + steps <= inputs; k += steps, w += steps * stride)
            unroll<steps>([&](auto i) __attribute__((always_inline)) {
                prefetch_next();
                step(w + i * stride, row(k + i), whole);
            });
        for (; k < inputs; ++k, w += stride) step(w, row(k), whole);
    } else if constexpr (std::same_as<T, std::int8_t>) {
        const auto quarter = [&](auto i, const T* from) __attribute__((always_inline)) {
            step(
                from, row(k + i),
                [](const T* p) __attribute__((always_inline)) { return load_quarter<decltype(i)::value>(p); });
        };
        for (; k + 4 <= inputs; k += 4, w += stride) {
            prefetch_next();
            unroll<4>([&](auto i) __attribute__((always_inline)) { quarter(i, opaque(w)); });  // loaded each time
        }
        unroll<3>([&](auto i) __attribute__((always_inline)) {
            if (k + i < inputs) quarter(i, w);
        });
    } else {
        const auto even = [](const bf16* p) __attribute__((always_inline)) { return load_even(p); };
        const auto odd = [](const bf16* p) __attribute__((always_inline)) { return load_odd(p); };
        constexpr int steps = 2;
        for (; k + 2 * steps <= inputs; k += 2 * steps, w += steps * stride)
            unroll<steps>([&](auto i) __attribute__((always_inline)) {
                prefetch_next();
                step(w + i * stride, row(k + 2 * i), even);
                // Loaded again: there are no registers for the other half of the pairs.
                step(opaque(w + i * stride), row(k + 2 * i + 1), odd);
            });
        for (; k + 2 <= inputs; k += 2, w += stride) {
            step(w, row(k), even);
            step(w, row(k + 1), odd);
        }
        if (k < inputs) step(w, row(k), even);
    }
    if constexpr (packed) each([&](auto r, auto c) __attribute__((always_inline)) { sum[r][c] += load(place(r, c)); });
    each([&](auto r, auto c) __attribute__((always_inline)) { store(place(r, c), sum[r][c]); });
}

/// The microkernel for numbers of rows, vectors and panels that are known at run time.
template <class X, class T>
void multiply(Index rows, Index vectors, Index count, float* sums, Index sums_stride, const X* x, Index x_stride,
              const T* w, Index w_stride, Index inputs, bool add, Prefetch prefetch_from) noexcept {
    unroll<strip_rows>([&](auto r) {
        constexpr int height = r + 1, most = panels_at_once(height);
        if (rows != height) return;
        unroll<panel_vectors>([&](auto v) {
            // Gradients have whole panels, one at a time.
            if constexpr ((!std::same_as<X, PackedA> && !only_whole_panels<T>) || v + 1 == panel_vectors)
                if (vectors == v + 1 && count == 1)
                    microkernel<height, v + 1, 1>(sums, sums_stride, x, x_stride, w, w_stride, inputs, add,
                                                  prefetch_from);
        });
        if constexpr (most > 1 && !std::same_as<X, PackedA>)
            if (count == most)
                microkernel<height, panel_vectors, most>(sums, sums_stride, x, x_stride, w, w_stride, inputs, add,
                                                         prefetch_from);
    });
}

}  // namespace tessera::inline TESSERA_ISA::kernel
